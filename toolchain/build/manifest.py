"""`dist/manifest.json`: what was built, from which inputs, and how it relates."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from toolchain.build.targets import Planned
from toolchain.errors import OutputError
from toolchain.plan.attestation import SBOM, STATEMENT

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One line of the manifest; `size` in bytes, digests are SHA-256 in hex.

    `sbom` and `provenance` are the digests of what stands beside the package; an earlier
    Interlock wrote neither.
    """

    file: str
    product: str
    release: str
    role: str
    format: str
    name: str
    version: str
    architecture: str
    compression: str
    relations: tuple[str, ...]
    sha256: str
    size: int
    inputs: str
    sbom: str = ""
    provenance: str = ""

    @property
    def companions(self) -> tuple[tuple[str, str], ...]:
        """The files beside the package, each with its digest."""
        return (self.file + SBOM, self.sbom), (self.file + STATEMENT, self.provenance)


def built(
    planned: Planned, *, sha256: str, size: int, inputs: str, companions: tuple[str, str]
) -> Built:
    """The manifest's line of a package that was just built."""
    package = planned.package
    return Built(
        file=planned.file_name,
        product=package.product,
        release=str(planned.release.version),
        role=package.role.value,
        format=planned.format.value,
        name=package.name,
        version=package.full_version,
        architecture=package.architecture.value,
        compression=str(planned.compression),
        relations=tuple(str(relation) for relation in package.all_relations(planned.format)),
        sha256=sha256,
        size=size,
        inputs=inputs,
        sbom=companions[0],
        provenance=companions[1],
    )


def read_manifest(output: Path) -> dict[str, Built]:
    """The packages of an earlier build by file name; empty when there was none."""
    path = output / MANIFEST
    try:
        document = json.loads(path.read_bytes())
        rows = document["packages"]
        return {row["file"]: Built(**{**row, "relations": tuple(row["relations"])}) for row in rows}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{path} is not a manifest of Interlock", "remove it") from error


def manifest_bytes(packages: Iterable[Built]) -> bytes:
    """The manifest's own bytes: sorted by file name, so equal builds are equal here too."""
    rows = [asdict(package) for package in sorted(packages, key=lambda built: built.file)]
    document: Mapping[str, object] = {"format": 1, "packages": rows}
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
