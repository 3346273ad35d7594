"""The statement of how one package was made: in-toto Statement v1 with SLSA provenance v1.

No clock, directory, user or host stands in it: it is as reproducible as the package. The commit
of a version control system doesn't either; the digest of each input says more, and is the same in
a checkout and in an unpacked archive.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from toolchain.plan.attestation import (
    BUILD_TYPE,
    BUILDER,
    PREDICATE_TYPE,
    PURL,
    SBOM,
    SBOM_MEDIA_TYPE,
    STATEMENT_TYPE,
    json_lines,
)
from toolchain.render.described import Described


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How a package was made.

    `spec` and the keys of `inputs` are relative to the product's directory; `inputs` and `code`
    (Interlock's own templates and modules) are digests in hex. `environment` holds the values
    that the specs take from variables, `tools` versions by name.
    """

    release: str
    spec: str
    compression: str
    environment: Mapping[str, str]
    inputs: Mapping[str, str]
    code: str
    tools: Mapping[str, str]


def provenance(described: Described, made: Made, sbom_sha256: str) -> bytes:
    """The statement's bytes; `sbom_sha256` is the digest of the SBOM beside the package."""
    package = described.package
    statement: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": described.file, "digest": {"sha256": described.sha256}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "product": package.product,
                    "release": made.release,
                    "role": package.role.value,
                    "format": described.format.value,
                    "architecture": described.architecture,
                    "spec": made.spec,
                    "environment": dict(sorted(made.environment.items())),
                },
                "internalParameters": {
                    "name": package.name,
                    "version": package.full_version,
                    "compression": made.compression,
                    "sourceDateEpoch": package.epoch,
                },
                "resolvedDependencies": [
                    *(
                        # A colon in the first part of a path would make it a scheme (RFC 3986).
                        {"uri": quote(path, safe="/"), "digest": {"sha256": digest}}
                        for path, digest in sorted(made.inputs.items())
                    ),
                    {"uri": f"{PURL}@{described.tool}", "digest": {"dirHash": made.code}},
                ],
            },
            "runDetails": {
                "builder": {
                    "id": BUILDER,
                    "version": {"interlock": described.tool, **made.tools},
                },
                "byproducts": [
                    {
                        "name": f"{described.file}{SBOM}",
                        "digest": {"sha256": sbom_sha256},
                        "mediaType": SBOM_MEDIA_TYPE,
                    }
                ],
            },
        },
    }
    return json_lines(statement)
