"""The jobs' message format: web servers write it, workers of other releases read it.

Format 2 holds the operating system as a name and a version; all releases since 4.1 write it.
"""

from __future__ import annotations

from typing import Any

from fleetdesk.facts import Facts, InvalidError


def encode(facts: Facts) -> dict[str, Any]:
    """The payload of a scan, in format 2."""
    return {"format": 2, "facts": facts}


def decode(payload: Any) -> Any:
    """The facts of a payload in format 2; raises InvalidError on any other."""
    written = payload.get("format") if isinstance(payload, dict) else None
    if written != 2:
        raise InvalidError(f"this release does not understand message format {written}")
    return payload.get("facts")
