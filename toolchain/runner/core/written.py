"""A product's name, a version and a window of versions, as Interlock's JSON files write them."""

from __future__ import annotations

from .document import Value
from .version import Versions, version_key

PRODUCT = r"[a-z][a-z0-9-]{0,39}[a-z0-9]"


def read_versions(value: Value) -> Versions:
    """Read a window of versions, `{"oldest": …, "below": … or null}`."""
    oldest, below = value.fields("oldest", "below")
    try:
        return Versions(read_version(oldest), None if below.absent else read_version(below))
    except ValueError as error:
        raise value.error(str(error)) from error


def read_version(value: Value) -> str:
    """Read a version `X.Y.Z[-preN]`."""
    text = value.text()
    try:
        version_key(text)
    except ValueError as error:
        raise value.error(str(error)) from error
    return text
