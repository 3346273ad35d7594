"""The names that PostgreSQL chooses where its author gives none (makeObjectName, its callers)."""

from collections.abc import Container, Iterable
from itertools import count

_BYTES = 63  # NAMEDATALEN - 1


def object_name(table: str, middle: str, label: str) -> str:
    """A name of three parts, of which the longer of the first two is cut until it fits."""
    first, second = table.encode(), middle.encode()
    room = _BYTES - len(label.encode()) - 1 - (1 if middle else 0)
    one, two = len(first), len(second)
    while one + two > room:
        if one > two:
            one -= 1
        else:
            two -= 1
    parts = [first[:one].decode(errors="ignore"), second[:two].decode(errors="ignore"), label]
    return "_".join(part for part in parts if part)


def free_name(table: str, columns: Iterable[str], label: str, taken: Container[str]) -> str:
    """The first name that nothing has: `host_name_key`, then `host_name_key1`, and so on."""
    middle = _joined(columns)
    for number in count():
        name = object_name(table, middle, f"{label}{number or ''}")
        if name not in taken:
            return name
    raise AssertionError("there is always another number")


def _joined(columns: Iterable[str]) -> str:
    joined = b""
    for column in columns:
        joined += (b"_" if joined else b"") + column.encode()
        if len(joined) > _BYTES:
            break
    return joined.decode(errors="ignore")
