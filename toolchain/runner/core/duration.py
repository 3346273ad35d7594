"""Durations as people write them in a configuration: `200ms`, `10s`, `5min`, `2h`, `1d`."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_GRAMMAR = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(ms|s|min|h|d)")


def parse_duration(text: str) -> float:
    """Read a duration as seconds; raises ValueError with examples."""
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write it like 200ms, 10s, 5min, 2h or 1d")
    return float(match[1]) * _UNITS[match[2]]


def spell_duration(seconds: float) -> str:
    """Write a duration in its two largest units, `2 h 10 min`; short ones as `0.4 s`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = int(seconds + 0.5)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count or parts:
            parts.append(f"{count} {unit}")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if not part.startswith("0 "))
