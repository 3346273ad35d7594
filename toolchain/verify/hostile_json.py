"""JSON of anyone's making, and text out of it that may be shown."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

_SHOWN = 80


class JsonError(ValueError):
    """A document that is no JSON, or is one that two readers would read in two ways."""


def parse(content: bytes) -> object:
    """The document; raises JsonError where a key stands twice, on NaN, depth and bad UTF-8."""
    try:
        return json.loads(
            content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_constant
        )
    except JsonError:
        raise
    except UnicodeDecodeError as error:
        raise JsonError("is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise JsonError("is not JSON") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise JsonError(f"has the key {shown(twice)} twice")
    return found


def _constant(_name: str) -> NoReturn:
    raise JsonError("is not JSON")


def shown(value: object) -> str:
    """A value of the document in a sentence: short, on one line, without control characters."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = "a value of a strange kind"
    text = text[1:-1] if isinstance(value, str) else text
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def text_at(document: object, *path: str) -> str:
    """The text at a path of keys; raises JsonError naming the path."""
    value = at(document, *path)
    if not isinstance(value, str):
        raise JsonError(f"has no text at {'.'.join(path)}")
    return value


def at(document: object, *path: str) -> Any:
    """The value at a path of keys; raises JsonError naming the path."""
    for key in path:
        if not isinstance(document, Mapping) or key not in document:
            raise JsonError(f"lacks {'.'.join(path)}")
        document = document[key]
    return document


def rows_at(document: object, *path: str) -> list[Any]:
    """The list at a path of keys; raises JsonError naming the path."""
    value = at(document, *path)
    if not isinstance(value, list):
        raise JsonError(f"has no list at {'.'.join(path)}")
    return value
