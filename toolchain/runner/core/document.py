"""Strict reading of a JSON file: every key known, every value of its type, one sentence if not."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import ConfigurationError, one_line

_LARGEST = 64 * 1024 * 1024
_CURE = "install the package again"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Value:
    """One value of a JSON document, and where it stands: `releases[0].steps[2].id`."""

    file: str
    place: str
    raw: object

    def error(self, problem: str) -> ConfigurationError:
        """The sentence for something wrong with this value."""
        where = f" at {self.place}" if self.place else ""
        return ConfigurationError(f"{self.file}{where}: {problem}", _CURE)

    def fields(self, *names: str, optional: tuple[str, ...] = ()) -> tuple[Value, ...]:
        """The object's values in the order asked for, those of absent optional keys null.

        It has the keys of `names` and may have those of `optional`, but no others.
        """
        if not isinstance(self.raw, dict):
            raise self.error("an object is expected here")
        missing = [name for name in names if name not in self.raw]
        unknown = [name for name in self.raw if name not in (*names, *optional)]
        if missing:
            raise self.error(f"the key {missing[0]!r} is missing")
        if unknown:
            raise self.error(f"the key {one_line(str(unknown[0]))[:60]!r} is unknown here")
        prefix = f"{self.place}." if self.place else ""
        return tuple(
            Value(self.file, prefix + name, self.raw.get(name)) for name in (*names, *optional)
        )

    def items(self) -> tuple[Value, ...]:
        """The array's values."""
        if not isinstance(self.raw, list):
            raise self.error("an array is expected here")
        return tuple(
            Value(self.file, f"{self.place}[{position}]", item)
            for position, item in enumerate(self.raw)
        )

    @property
    def absent(self) -> bool:
        """Whether the value is null."""
        return self.raw is None

    def text(self, pattern: str = r"(?s).+") -> str:
        """A string that matches the pattern as a whole and holds no control characters."""
        if not isinstance(self.raw, str):
            raise self.error("a string is expected here")
        if re.fullmatch(pattern, self.raw) is None or _CONTROL.search(self.raw):
            raise self.error(f"{self.raw[:60]!r} is not allowed here")
        return self.raw

    def whole(self) -> int:
        """A whole number from 0 to 999999999."""
        if not isinstance(self.raw, int) or isinstance(self.raw, bool):
            raise self.error("a whole number is expected here")
        if not 0 <= self.raw <= 999_999_999:
            raise self.error(f"{self.raw} is out of range")
        return self.raw

    def whole_or_none(self) -> int | None:
        """A whole number, or null."""
        return None if self.absent else self.whole()

    def boolean(self) -> bool:
        """Either true or false."""
        if not isinstance(self.raw, bool):
            raise self.error("true or false is expected here")
        return self.raw


def read_document(path: Path, description: str) -> Value:
    """Read a JSON file; raises ConfigurationError when it is missing, damaged or ambiguous."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the {description} {path}: {error.strerror}", _CURE
        ) from error
    if len(content) > _LARGEST:
        raise ConfigurationError(f"the {description} {path} is larger than 64 MiB", _CURE)
    return parse_document(content, str(path), description)


def parse_document(content: bytes, file: str, description: str) -> Value:
    """Parse a JSON file's content; raises ConfigurationError when it is damaged or ambiguous."""
    try:
        raw = json.loads(content.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ConfigurationError(f"the {description} {file} is damaged: {reason}", _CURE) from error
    return Value(file, "", raw)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands there twice")
    return result
