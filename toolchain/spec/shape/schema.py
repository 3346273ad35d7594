"""The two JSON Schemas, compiled once into validators of located trees.

The same files serve editors. What differs here: a value is a number only where the schema asks for
one, and where the schema names a `format` that Interlock has a check for, that check's sentence
stands in for the `pattern` that editors use.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from toolchain.spec.problem import Complaint
from toolchain.spec.shape import plain
from toolchain.spec.values.formats import FORMATS

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

Schema = Mapping[str, Any]  # a JSON Schema is JSON: its keywords have no common type


class SpecKind(Enum):
    """A kind of spec; the value is its name on the command line."""

    PRODUCT = "product"
    RELEASE = "release"
    INVENTORY = "inventory"


def schema_text(kind: SpecKind) -> str:
    """The JSON Schema (draft 7) of a kind of spec, as it is published."""
    name = f"{kind.value}.schema.json"
    return files("toolchain.spec").joinpath(name).read_text(encoding="utf-8")


@cache
def validator_of(kind: SpecKind) -> "Validator":
    """The validator of one kind of spec.

    jsonschema takes a tenth of a second to import, so it is imported when a spec is validated.
    """
    from jsonschema import Draft7Validator, FormatChecker, TypeChecker  # noqa: PLC0415
    from jsonschema.validators import extend  # noqa: PLC0415

    types = TypeChecker(
        {
            "object": _of(lambda value: isinstance(value, dict)),
            "array": _of(lambda value: isinstance(value, list)),
            "string": _of(plain.is_string),
            "integer": _of(plain.is_integer),
            "number": _of(lambda _: False),
            "boolean": _of(plain.is_boolean),
            "null": _of(plain.is_nothing),
        }
    )
    keywords = {
        "minimum": _bound(lambda value, least: value < least),
        "maximum": _bound(lambda value, most: value > most),
        "pattern": _ignored,
        "items": _items,
        "uniqueItems": _ignored,  # takes quadratic time; `duplicates` looks for them
    }
    formats = FormatChecker(())
    for name, check in FORMATS.items():
        formats.checks(name, raises=Complaint)(_passes(check))
    schema = json.loads(schema_text(kind))
    definitions = schema.pop("definitions")
    validator = extend(  # type: ignore[no-untyped-call]
        Draft7Validator, validators=keywords, type_checker=types
    )
    return cast("Validator", validator(inlined(schema, definitions), format_checker=formats))


def inlined(part: Any, definitions: Schema) -> Any:
    """The schema with every reference replaced: resolving them takes half of a validation."""
    if isinstance(part, list):
        return [inlined(item, definitions) for item in part]
    if not isinstance(part, dict):
        return part
    own = {key: inlined(value, definitions) for key, value in part.items() if key != "$ref"}
    if "$ref" not in part:
        return own
    name = part["$ref"].removeprefix("#/definitions/")
    return {**inlined(definitions[name], definitions), **own}


def _of(is_of_type: Callable[[object], bool]) -> Callable[..., bool]:
    return lambda _, value: is_of_type(value)


def _passes(check: Callable[[str], None]) -> Callable[[object], bool]:
    def passes(value: object) -> bool:
        if plain.is_string(value):
            check(cast("str", value))
        return True

    return passes


def _bound(is_beyond: Callable[[int, int], bool]) -> Callable[..., "Iterator[ValidationError]"]:
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415

    def bound(_: object, limit: int, value: Any, __: Schema) -> Iterator[ValidationError]:
        if plain.is_integer(value) and is_beyond(int(value), limit):
            yield ValidationError("")

    return bound


def _items(
    validator: "Validator", schema: Schema, items: object, _: Schema
) -> "Iterator[ValidationError]":
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if item is not plain.SOUND:
            # All of jsonschema's validators have it; its protocol does not say so.
            yield from cast("Any", validator).descend(item, schema, path=index)


def _ignored(*_: object) -> tuple[()]:
    return ()
