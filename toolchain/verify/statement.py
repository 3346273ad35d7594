"""A statement of provenance as it is read: what it says, believed in nothing yet; pure."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolchain.plan.attestation import PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE
from toolchain.verify.hostile_json import JsonError, at, parse, rows_at, shown, text_at

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_SIGNATURES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Something that the statement names, by name or address, with its SHA-256 in hex."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one statement says; `document` is all of it."""

    subject: Digest
    build_type: str
    builder: str
    version: str
    product: str
    release: str
    role: str
    format: str
    architecture: str
    spec: str
    package: str
    package_version: str
    inputs: tuple[Digest, ...]
    byproducts: tuple[Digest, ...]
    document: dict[str, Any]

    def byproduct(self, name: str) -> str | None:
        """The digest of a byproduct by name; None where there is none, or several."""
        found = [each.sha256 for each in self.byproducts if each.name == name]
        return found[0] if len(found) == 1 else None


def read_statement(content: bytes) -> Statement:
    """Raises JsonError with what is wrong."""
    document = parse(content)
    for key, wanted in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if (said := text_at(document, key)) != wanted:
            raise JsonError(f"is of another type: {key} is {shown(said)}")
    subjects = rows_at(document, "subject")
    if len(subjects) != 1:
        raise JsonError(f"has {len(subjects)} subjects where it must have one")
    definition = at(document, "predicate", "buildDefinition")
    details = at(document, "predicate", "runDetails")
    outer, inner = "externalParameters", "internalParameters"
    return Statement(
        subject=_digest(subjects[0], "name"),
        build_type=text_at(definition, "buildType"),
        builder=text_at(details, "builder", "id"),
        version=text_at(details, "builder", "version", "interlock"),
        product=text_at(definition, outer, "product"),
        release=text_at(definition, outer, "release"),
        role=text_at(definition, outer, "role"),
        format=text_at(definition, outer, "format"),
        architecture=text_at(definition, outer, "architecture"),
        spec=text_at(definition, outer, "spec"),
        package=text_at(definition, inner, "name"),
        package_version=text_at(definition, inner, "version"),
        inputs=tuple(_inputs(rows_at(definition, "resolvedDependencies"))),
        byproducts=tuple(_digest(row, "name") for row in rows_at(details, "byproducts")),
        document=at({"document": document}, "document"),
    )


def _digest(row: object, name: str) -> Digest:
    sha256 = text_at(row, "digest", "sha256")
    if _SHA256.fullmatch(sha256) is None:
        raise JsonError(f"has {shown(sha256)} where a SHA-256 must stand")
    return Digest(name=text_at(row, name), sha256=sha256)


def _inputs(rows: list[Any]) -> Iterator[Digest]:
    """The product's files; what has an address of its own, Interlock, is no file of it."""
    for row in rows:
        if not text_at(row, "uri").startswith("pkg:"):
            yield _digest(row, "uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A signed statement: its bytes and the signatures over them, each by itself."""

    payload: bytes
    signatures: tuple[bytes, ...]


def read_envelope(content: bytes) -> Envelope:
    """The one DSSE envelope of a file; raises JsonError with what is wrong."""
    lines = content.splitlines()
    if len(lines) != 1:
        raise JsonError(f"has {len(lines)} lines where it must have one")
    document = parse(lines[0])
    if (said := text_at(document, "payloadType")) != PAYLOAD_TYPE:
        raise JsonError(f"is of another type: payloadType is {shown(said)}")
    signatures = rows_at(document, "signatures")
    if not 1 <= len(signatures) <= _MOST_SIGNATURES:
        raise JsonError(f"has {len(signatures)} signatures")
    return Envelope(
        payload=_bytes(text_at(document, "payload")),
        signatures=tuple(_bytes(text_at(row, "sig")) for row in signatures),
    )


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise JsonError("holds text that is no base64") from error
