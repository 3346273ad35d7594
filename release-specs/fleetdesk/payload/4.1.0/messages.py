"""The jobs' message formats: web servers write them, workers of other releases read them.

Format 1 holds the operating system as one text, format 2 its name and its version. This release
writes format 2, which workers since 4.0 understand, and reads format 1 too, which 4.0 writes.
"""

from __future__ import annotations

import re
from typing import Any

from fleetdesk.facts import Facts, InvalidError


def encode(facts: Facts) -> dict[str, Any]:
    """The payload of a scan, in format 2."""
    return {"format": 2, "facts": facts}


def decode(payload: Any) -> Any:
    """The facts of a payload in format 1 or 2; raises InvalidError on any other."""
    written = payload.get("format") if isinstance(payload, dict) else None
    if written == 1:
        return _structured(payload.get("facts"))
    if written == 2:
        return payload.get("facts")
    raise InvalidError(f"this release does not understand message format {written}")


def _structured(facts: Any) -> Any:
    if not isinstance(facts, dict) or not isinstance(facts.get("os"), str):
        return facts
    text = facts["os"]
    rest = {name: value for name, value in facts.items() if name != "os"}
    version = re.search(r"\s+([0-9].*)$", text, re.DOTALL)
    if version is None:
        return {**rest, "os_name": text, "os_version": ""}
    return {**rest, "os_name": text[: version.start()], "os_version": version[1]}
