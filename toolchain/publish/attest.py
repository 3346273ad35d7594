"""A package's SBOM and statement on their way into a repository, the statement signed."""

import base64
import json
from pathlib import Path
from typing import Any, Protocol

from toolchain.edge.digests import sha256_of
from toolchain.errors import RefusedError, UsageError
from toolchain.plan.attestation import (
    PAYLOAD_TYPE,
    SBOM,
    STATEMENT,
    json_lines,
    pre_authentication,
    published_form,
)


class DetachedSigner(Protocol):
    """Whoever can sign data; toolchain.edge.gpg has one."""

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The keys' fingerprints; the first one's key signs."""
        ...

    def detached(self, data: bytes) -> bytes:
        """An armored signature over the data."""
        ...


def companions(package: Path, sha256: str) -> tuple[Path, ...]:
    """The files beside a built package that are published with it: its SBOM and statement.

    `sha256` is the package's. Raises UsageError naming the first that is missing, RefusedError
    where they are not about this very package (who signs a statement vouches for it), and OSError.
    """
    found = tuple(package.with_name(package.name + ending) for ending in (SBOM, STATEMENT))
    for path in found:
        if not path.is_file():
            raise UsageError(
                f"{package} has no {path.name} beside it",
                "build it again with interlock build, or name it where it was built",
            )
    sbom, statement = found
    try:
        document: Any = json.loads(statement.read_bytes())
        (subject,) = document["subject"]
        rows = document["predicate"]["runDetails"]["byproducts"]
        bills = [row["digest"]["sha256"] for row in rows if row["name"] == sbom.name]
        said = subject["name"], subject["digest"]["sha256"], bills
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise _no_statement(package.name) from error
    if said != (package.name, sha256, [sha256_of(sbom)]):
        raise RefusedError(
            f"{statement} is not about {package.name} and {sbom.name} as they are there",
            "build it again with interlock build",
        )
    return found


def _no_statement(name: str) -> UsageError:
    return UsageError(
        f"the statement beside {name} is none of Interlock",
        "build the package again with interlock build",
    )


def published_statement(statement: bytes, name: str, sha256: str) -> bytes:
    """The statement about the published file, whose bytes signing may have changed.

    That it was about the built one is seen to by `companions`. Raises UsageError where
    `statement` is none.
    """
    try:
        built: Any = json.loads(statement)
        made = published_form(built, name, sha256)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise _no_statement(name) from error
    # Where nothing changed, what was built is published byte for byte.
    return statement if made == built else json_lines(made)


def envelope(statement: bytes, name: str, sha256: str, signer: DetachedSigner) -> bytes:
    """A line of JSON: the published statement in a DSSE envelope with the first key's signature.

    Its `sig` is an armored OpenPGP signature. Raises UsageError and what signing raises.
    """
    payload = published_statement(statement, name, sha256)
    signature = signer.detached(pre_authentication(PAYLOAD_TYPE, payload))
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {"keyid": signer.fingerprints[0], "sig": base64.b64encode(signature).decode()}
        ],
    }
    return json.dumps(document).encode() + b"\n"
