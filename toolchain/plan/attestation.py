"""What stands beside a package file and speaks of it: names, types, and how they are written.

The SBOM is CycloneDX 1.6, the statement in-toto's Statement v1 with a SLSA provenance v1, and the
envelope around a published statement DSSE v1.
"""

import json
from collections.abc import Mapping
from typing import Any

SBOM = ".cdx.json"
STATEMENT = ".provenance.json"
ENVELOPE = ".intoto.jsonl"

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
SBOM_MEDIA_TYPE = "application/vnd.cyclonedx+json"
# docs/how-to/verify.md says what the parameters and inputs of this type are.
BUILD_TYPE = "https://pypi.org/project/interlock-release/#package-v1"
BUILDER = "https://pypi.org/project/interlock-release/#builder-v1"
PURL = "pkg:pypi/interlock-release"

# `json.dumps` would make an encoder anew for every line.
_encode = json.JSONEncoder(ensure_ascii=False).encode


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """The bytes that a DSSE signature is made over (DSSE v1.0.0, protocol.md)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def json_lines(value: object) -> bytes:
    """JSON that people can read and compare: an item of a list to a line, in the order given.

    json's encoder in C doesn't indent, and a large payload has tens of thousands of files.
    """
    return (_lines(value, "") + "\n").encode()


def _lines(value: object, margin: str) -> str:
    deeper = margin + "  "
    if isinstance(value, Mapping) and value:
        rows = (f"{deeper}{_encode(key)}: {_lines(item, deeper)}" for key, item in value.items())
        return "{\n" + ",\n".join(rows) + f"\n{margin}}}"
    if isinstance(value, list) and value:
        return f"[\n{deeper}" + f",\n{deeper}".join(map(_encode, value)) + f"\n{margin}]"
    return _encode(value)


def published_form(statement: Mapping[str, Any], file: str, sha256: str) -> dict[str, Any]:
    """A build's statement as it speaks of the published file.

    Signing changes an rpm's bytes: the published file becomes the subject, and the file as it was
    built stands among the byproducts, under the same name. Raises KeyError, TypeError, IndexError
    and ValueError where it is no statement of a build.
    """
    (subject,) = statement["subject"]
    if subject["digest"]["sha256"] == sha256:
        return dict(statement)
    predicate = dict(statement["predicate"])
    details = dict(predicate["runDetails"])
    details["byproducts"] = [{"name": file, "digest": subject["digest"]}, *details["byproducts"]]
    predicate["runDetails"] = details
    published = [{"name": file, "digest": {"sha256": sha256}}]
    return {**statement, "subject": published, "predicate": predicate}
