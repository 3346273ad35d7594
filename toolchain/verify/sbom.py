"""A bill of materials against the package that it lies beside; pure."""

import hashlib
from collections.abc import Iterator

from toolchain.model.carried import PackageFile
from toolchain.plan.attestation import SBOM
from toolchain.verify.hostile_json import JsonError, parse, rows_at, shown, text_at
from toolchain.verify.statement import Statement


def sbom_problems(
    file: PackageFile, content: bytes | None, statement: Statement | None
) -> Iterator[str]:
    """What is wrong, one sentence each; `content` is None where there is no bill."""
    name = file.file_name + SBOM
    if content is None:
        yield f"no bill of materials lies beside it: {name} is missing"
        return
    if statement is not None:
        wanted = statement.byproduct(name)
        if wanted is None:
            yield f"its statement does not name {name}"
        elif wanted != hashlib.sha256(content).hexdigest():
            yield f"{name} is not the one that its statement names"
    try:
        yield from _disagreements(file, content, statement)
    except JsonError as error:
        yield f"{name} {error}"


def _disagreements(file: PackageFile, content: bytes, statement: Statement | None) -> Iterator[str]:
    document = parse(content)
    name = file.file_name + SBOM
    if text_at(document, "bomFormat") != "CycloneDX":
        yield f"{name} is no CycloneDX"
        return
    main = ("metadata", "component")
    for what, is_ in (("name", file.name), ("version", file.version)):
        if (said := text_at(document, *main, what)) != is_:
            yield f"{name} is about the {what} {shown(said)}, and the package's is {shown(is_)}"
    hashes = {
        text_at(row, "content")
        for row in rows_at(document, *main, "hashes")
        if text_at(row, "alg") == "SHA-256"
    }
    # Signing an rpm changes its bytes: its bill is about the bytes that were built.
    built = None if statement is None else statement.byproduct(file.file_name)
    if hashes != {built or file.sha256}:
        yield f"{name} is about other bytes than the package's"
