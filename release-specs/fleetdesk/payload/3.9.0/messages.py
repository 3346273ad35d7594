"""The jobs' message format: web servers write it, workers of other releases read it.

Format 1 holds the facts of schema 10, with the operating system as one text.
"""

from __future__ import annotations

from typing import Any

from fleetdesk.facts import Facts, InvalidError


def encode(facts: Facts) -> dict[str, Any]:
    """The payload of a scan, in format 1."""
    return {"format": 1, "facts": facts}


def decode(payload: Any) -> Any:
    """The facts of a payload in format 1; raises InvalidError on any other."""
    written = payload.get("format") if isinstance(payload, dict) else None
    if written != 1:
        raise InvalidError(f"this release does not understand message format {written}")
    return payload.get("facts")
