"""Where a symbolic link inside a payload directory leads, told without following it on disk."""

from collections.abc import Mapping
from typing import Literal

from toolchain.spec.tree import Entry

Outcome = Literal["inside", "outside", "nowhere"]

_HOPS = 40  # as many as Linux follows (path_resolution(7))


def outcome(name: str, entries: Mapping[str, Entry]) -> Outcome:
    """Where the entry of that name leads; `entries` is all below the directory, by path."""
    place: list[str] = []
    ahead = name.split("/")[::-1]
    hops = 0
    while ahead:
        part = ahead.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not place:
                return "outside"
            place.pop()
            continue
        entry = entries.get("/".join((*place, part)))
        if entry is None:
            return "nowhere"
        if entry.kind != "link":
            place.append(part)
            continue
        hops += 1
        if hops > _HOPS:
            return "nowhere"
        if entry.leads_to.startswith("/"):
            return "outside"
        ahead.extend(entry.leads_to.split("/")[::-1])
    return "inside"
