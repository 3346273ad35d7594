"""The jobs' message formats: web servers write them, workers of other releases read them.

Format 1 holds the operating system as one text, format 2 its name and its version. This release
reads both and writes format 1, the only one that the workers of 3.9 beside it understand.
"""

from __future__ import annotations

import re
from typing import Any

from fleetdesk.facts import Facts, InvalidError


def encode(facts: Facts) -> dict[str, Any]:
    """The payload of a scan, in format 1."""
    parts = [facts.get(name) for name in ("os_name", "os_version")]
    rest = {name: value for name, value in facts.items() if name not in ("os_name", "os_version")}
    if any(part is not None for part in parts):
        rest["os"] = " ".join(str(part) for part in parts if part)
    return {"format": 1, "facts": rest}


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
