"""An rpm header: an index of typed values and the store that they stand in, sorted by tag."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAGIC = bytes.fromhex("8eade80100000000")
_INT16, _INT32, _STRING, _BINARY, _STRINGS, _TRANSLATED = 3, 4, 6, 7, 8, 9
_ALIGNMENT = {_INT16: 2, _INT32: 4}
_ENTRY = struct.Struct(">IIiI")


@dataclass(frozen=True)
class Entry:
    """One value: its tag, rpm's number of its type, its bytes in the store, its count."""

    tag: int
    kind: int
    data: bytes
    count: int


def text(tag: int, value: str) -> Entry:
    """One string."""
    return Entry(tag, _STRING, value.encode() + b"\0", 1)


def texts(tag: int, values: Sequence[str]) -> Entry:
    """An array of strings."""
    return Entry(tag, _STRINGS, b"".join(value.encode() + b"\0" for value in values), len(values))


def translated(tag: int, value: str) -> Entry:
    """A string that could have translations, in its one language `C`."""
    return Entry(tag, _TRANSLATED, value.encode() + b"\0", 1)


def numbers(tag: int, *values: int) -> Entry:
    """An array of unsigned numbers below 2**32."""
    return Entry(tag, _INT32, struct.pack(f">{len(values)}I", *values), len(values))


def short_numbers(tag: int, *values: int) -> Entry:
    """An array of unsigned numbers below 2**16."""
    return Entry(tag, _INT16, struct.pack(f">{len(values)}H", *values), len(values))


def binary(tag: int, value: bytes) -> Entry:
    """Bytes."""
    return Entry(tag, _BINARY, value, len(value))


def header(region: int, entries: Iterable[Entry]) -> bytes:
    """The header with its magic; `region` is the tag that covers all others, which are immutable.

    The region's own entry comes first. Its value, at the store's end, is an entry again that
    points back over the whole index.
    """
    index, store = b"", b""
    ordered = sorted(entries, key=lambda entry: entry.tag)
    for entry in ordered:
        store += b"\0" * (-len(store) % _ALIGNMENT.get(entry.kind, 1))
        index += _ENTRY.pack(entry.tag, entry.kind, len(store), entry.count)
        store += entry.data
    length = len(ordered) + 1
    index = _ENTRY.pack(region, _BINARY, len(store), _ENTRY.size) + index
    store += _ENTRY.pack(region, _BINARY, -length * _ENTRY.size, _ENTRY.size)
    return MAGIC + struct.pack(">II", length, len(store)) + index + store
