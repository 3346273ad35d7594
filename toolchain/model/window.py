"""Windows: what one side still works with, reaching back, with an optional ceiling."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from toolchain.model.version import Version


class _Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


Point = TypeVar("Point", bound=_Ordered)

_BOUND = re.compile(r"\s*(>=|<)\s*([^\s,]+)\s*")


@dataclass(frozen=True, slots=True)
class Window(Generic[Point]):
    """The half-open range `oldest <= x < below`; `below` of None is no ceiling.

    Only `>=` and `<` exist: Debian finds 4.9.0-1 later than a bare 4.9.0, so a bound that ends
    at a version (`<=`, `>`) would mean another thing in a package than in the spec.
    """

    oldest: Point
    below: Point | None = None

    def __post_init__(self) -> None:
        if self.below is not None and not self.oldest < self.below:
            raise ValueError(f"the window {self} is empty: write a ceiling above its lower bound")

    def __contains__(self, point: Point) -> bool:
        return not point < self.oldest and (self.below is None or point < self.below)

    def __str__(self) -> str:
        return f">= {self.oldest}" + ("" if self.below is None else f", < {self.below}")


def _parse(text: str, point: Callable[[str], Point]) -> Window[Point]:
    bounds: dict[str, Point] = {}
    for part in text.split(","):
        match = _BOUND.fullmatch(part)
        if match is None or match[1] in bounds:
            raise ValueError(
                f"{text!r} is not a window: write '>= OLDEST' or '>= OLDEST, < CEILING'"
            )
        bounds[match[1]] = point(match[2])
    if ">=" not in bounds:
        raise ValueError(f"{text!r} has no lower bound: begin it with '>= OLDEST'")
    return Window(bounds[">="], bounds.get("<"))


def _schema_number(text: str) -> int:
    if re.fullmatch(r"0|[1-9][0-9]{0,8}", text) is None:
        raise ValueError(f"{text!r} is not a schema version: write a plain whole number")
    return int(text)


def schema_window(text: str) -> Window[int]:
    """Read a window of schema versions, `>= 11` or `>= 11, < 20`; raises ValueError."""
    return _parse(text, _schema_number)


def version_window(text: str) -> Window[Version]:
    """Read a window of release versions, `>= 4.0.0` or `>= 4.0.0, < 5.0.0`; raises ValueError."""
    return _parse(text, Version.parse)
