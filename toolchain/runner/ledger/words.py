"""Counts in words."""

from __future__ import annotations


def spell_count(count: int, noun: str) -> str:
    """A count and its noun: `1 table`, `2 tables`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
