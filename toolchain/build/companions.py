"""What a build writes beside a package: its SBOM, and the statement of how it was made."""

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from toolchain.build.targets import Planned
from toolchain.build.workshop import Workshop
from toolchain.plan.attestation import SBOM, STATEMENT
from toolchain.plan.entry import Entry, File, Payload
from toolchain.plan.materials import spec_of
from toolchain.render.described import Described
from toolchain.render.provenance import Made, provenance
from toolchain.render.sbom import sbom

Contents = tuple[tuple[str, str], ...]


def contents_of(entries: Iterable[Entry], files: Mapping[str, str], root: Path) -> Contents:
    """The regular files of a package with the SHA-256 of each, as they are packed.

    `files` holds the digests of the payload by its path below `root`. Raises OSError.
    """
    found = []
    for entry in entries:
        if not isinstance(entry, File):
            continue
        if not isinstance(entry.content, Payload):
            digest = _digest(entry.content, packed=entry.gzip)
        elif entry.gzip:
            digest = _digest((root / entry.content.path).read_bytes(), packed=True)
        else:
            digest = files[entry.content.path]
        found.append((entry.path, digest))
    return tuple(sorted(found))


# The packages of a chain share most of what isn't payload: the runner, units, manual pages.
@lru_cache(maxsize=1024)
def _digest(content: bytes, *, packed: bool) -> str:
    if packed:
        content = gzip.compress(content, 9, mtime=0)
    return hashlib.sha256(content).hexdigest()


def write_companions(
    planned: Planned,
    package: Path,
    sha256: str,
    *,
    contents: Contents,
    files: Mapping[str, str],
    workshop: Workshop,
) -> tuple[str, str]:
    """Write both beside the finished package; their SHA-256 comes back. Raises OSError."""
    described = Described(
        package=planned.package,
        format=planned.format,
        architecture=planned.architecture,
        distributions=planned.distributions,
        file=planned.file_name,
        sha256=sha256,
        contents=contents,
        tool=workshop.version,
    )
    made = Made(
        release=str(planned.release.version),
        spec=spec_of(planned.release),
        compression=str(planned.compression),
        environment=planned.environment,
        inputs=files,
        code=workshop.code,
        tools=workshop.tools[planned.format],
    )
    bill = sbom(described)
    digest = hashlib.sha256(bill).hexdigest()
    statement = provenance(described, made, digest)
    for ending, content in ((SBOM, bill), (STATEMENT, statement)):
        path = package.with_name(package.name + ending)
        path.write_bytes(content)
        path.chmod(0o644)
    return digest, hashlib.sha256(statement).hexdigest()
