"""Release versions `X.Y.Z[-preN]` and their order, as the shards' SQL and the packages see it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_GRAMMAR = re.compile(rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-([a-z]{{1,16}})({_NUMBER}))?")

# Letters sort before it, so that a release comes after all of its pre-releases.
_FINAL = "~"


def version_key(text: str) -> str:
    """The text that sorts, byte by byte, as the version does; `interlock.version_key` is its twin.

    Raises ValueError for anything but `X.Y.Z` or `X.Y.Z-preN`.
    """
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a version of the form X.Y.Z or X.Y.Z-preN")
    major, minor, patch, stage, number = match.groups()
    base = major.zfill(9) + minor.zfill(9) + patch.zfill(9)
    return base + (_FINAL if stage is None else stage + number.zfill(9))


@dataclass(frozen=True)
class Versions:
    """The half-open range of server versions `oldest <= x < below`; no ceiling when None."""

    oldest: str
    below: str | None = None

    def __post_init__(self) -> None:
        oldest = version_key(self.oldest)
        if self.below is not None and version_key(self.below) <= oldest:
            raise ValueError(f"the window {self} is empty")

    def __contains__(self, version: str) -> bool:
        key = version_key(version)
        return key >= version_key(self.oldest) and (
            self.below is None or key < version_key(self.below)
        )

    def __str__(self) -> str:
        return f">= {self.oldest}" + ("" if self.below is None else f", < {self.below}")


@dataclass(frozen=True)
class Schemas:
    """The half-open range of schema versions `oldest <= x < below`; no ceiling when None."""

    oldest: int
    below: int | None = None

    def __post_init__(self) -> None:
        if self.below is not None and self.below <= self.oldest:
            raise ValueError(f"the window {self} is empty")

    def __contains__(self, schema: int) -> bool:
        return schema >= self.oldest and (self.below is None or schema < self.below)

    def __str__(self) -> str:
        return f">= {self.oldest}" + ("" if self.below is None else f", < {self.below}")
