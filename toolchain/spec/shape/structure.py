"""Whether a document has the shape that its schema gives it, told in sentences with a cure."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.located.node import Node, Path
from toolchain.spec.located.read_yaml import PROBLEM_LIMIT
from toolchain.spec.problem import Complaint
from toolchain.spec.shape import plain
from toolchain.spec.shape.schema import Schema, SpecKind, validator_of
from toolchain.spec.wording import show

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

# What people write who know another tool, and where no letters tell what they mean.
_OTHER_WORDS = {
    "version": "release",
    "name": "product",
    "conffiles": "config",
    "changes": "changelog",
}
_CURES = {
    "undo": "delete it: a contract cannot be undone, what it removes is gone",
    "batch": "delete it: only a migrate step walks a table in batches",
}
_TYPE_WORDS = {
    "object": "a mapping of keys",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
}


def check_structure(
    document: Document, kind: SpecKind, is_sound: Callable[[Node], bool] | None = None
) -> None:
    """Note every difference between a document and the schema of its kind.

    `is_sound` may tell items of lists that surely are as the schema wants them.
    """
    if document.root is None:
        return
    told = {problem.origin for problem in document.problems}
    errors = validator_of(kind).iter_errors(cast("Any", plain.view(document.root, is_sound)))
    for error in islice(errors, PROBLEM_LIMIT):
        for complaint, path, at_key in _complaints(error):
            if document.doubted(path) or document.place(path).origin in told:
                document.doubt(path)  # an alias, say, that the reader has left empty
            else:
                document.complain(complaint, path, at_key=at_key)


def _complaints(error: "ValidationError") -> Iterator[tuple[Complaint, Path, bool]]:
    """What one error of jsonschema says, where, and whether about the key itself."""
    path: Path = tuple(error.absolute_path)
    instance, limit = cast("Any", error.instance), cast("Any", error.validator_value)
    schema: Schema = error.schema if isinstance(error.schema, dict) else {}
    match error.validator:
        case "format" if "propertyNames" in error.absolute_schema_path:
            yield _cause(error), (*path, str(instance)), True
        case "format":
            yield _cause(error), path, False
        case "additionalProperties":
            known = schema.get("properties", {})
            unknown = [key for key in instance if key not in known]
            for key in unknown[:PROBLEM_LIMIT]:
                yield _unknown(key, list(known)), (*path, key), True
        case "required":
            for key in limit:
                if key not in instance:
                    yield _missing(key, schema), (*path, key), False
        case "oneOf":
            yield _operation(instance, limit), path, False
        case "type":
            yield _type(instance, schema), path, False
        case "enum":
            yield _choice(instance, limit), path, False
        case _:
            yield _range(str(error.validator), instance, limit), path, False


def _cause(error: "ValidationError") -> Complaint:
    if not isinstance(error.cause, Complaint):
        raise TypeError(f"the format {error.validator_value} has no check of its own")
    return error.cause


def _nearest(word: str, known: list[str]) -> str | None:
    close = difflib.get_close_matches(word[:60], known, n=1)
    return close[0] if close else None


def _unknown(key: str, known: list[str]) -> Complaint:
    other = _OTHER_WORDS.get(key)
    meant = other if other in known else _nearest(key, known)
    if meant is not None:
        cure = f"write {meant}"
    elif key in _CURES:
        cure = _CURES[key]
    else:
        cure = f"delete it; the keys here are {', '.join(known)}"
    return Complaint(Code.UNKNOWN_KEY, f"there is no key {show(key)} here", cure)


def _example(schema: Schema, before: str = "") -> str:
    """A value of the kind that the schema wants, as YAML's flow style has it."""
    examples = schema.get("examples", ())
    return f", for example {before}{_yaml(examples[0])}" if examples else ""


def _yaml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            plain_text = value.replace("-", "").replace(".", "").replace("/", "").isalnum()
            number = value.replace(".", "").isdigit()
            return value if plain_text and not number else '"' + value.replace("\n", "\\n") + '"'
        case list():
            return f"[{', '.join(_yaml(item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{key}: {_yaml(item)}' for key, item in value.items())}}}"
        case _:
            return str(value)


def _missing(key: str, schema: Schema) -> Complaint:
    example = _example(schema["properties"][key], f"{key}: ")
    return Complaint(Code.MISSING_KEY, f"the key {show(key)} is missing", f"add it{example}")


def _type(value: object, schema: Schema) -> Complaint:
    wanted = schema["type"]
    kinds = [wanted] if isinstance(wanted, str) else wanted
    words = " or ".join(_TYPE_WORDS[kind] for kind in kinds if kind in _TYPE_WORDS)
    cure = f"write {words}{_example(schema)}"
    if plain.is_nothing(value):
        return Complaint(Code.NO_VALUE, "the key has no value", cure)
    if isinstance(value, dict):
        return Complaint(Code.WRONG_TYPE, "here are keys where another kind of value belongs", cure)
    if isinstance(value, list):
        return Complaint(
            Code.WRONG_TYPE, "here is a list where another kind of value belongs", cure
        )
    if not isinstance(value, plain.Plain) and set(kinds) & {"integer", "boolean"}:
        message = f"{show(str(value))} is text, not {words}"
        cure = f"write {words} without quotes or variables{_example(schema)}"
        return Complaint(Code.WRONG_TYPE, message, cure)
    return Complaint(Code.WRONG_TYPE, f"{show(str(value))} is not {words}", cure)


def _choice(value: object, choices: list[str]) -> Complaint:
    nearest = _nearest(str(value), choices)
    cure = f"write {nearest}" if nearest else f"write one of {', '.join(choices)}"
    return Complaint(Code.WRONG_VALUE, f"{show(str(value))} is not a choice here", cure)


def _operation(step: Mapping[str, object], branches: list[Schema]) -> Complaint:
    operations = [branch["required"][0] for branch in branches]
    named = [key for key in operations if key in step]
    if named:
        return Complaint(
            Code.OPERATION,
            f"the step names the operations {' and '.join(named)}",
            "keep one, and give the other a step of its own",
        )
    return Complaint(
        Code.OPERATION,
        "the step names no operation",
        f"add {operations[0]}, or a refactoring such as {operations[1]}",
    )


def _range(keyword: str, value: Any, limit: int) -> Complaint:
    match keyword:
        case "minimum":
            message, cure = f"{value} is too small", f"write {limit} or more"
        case "maximum":
            message, cure = f"{value} is too large", f"write {limit} or less"
        case "maxLength":
            message = f"the text has {len(value)} characters"
            cure = f"shorten it to {limit} or fewer"
        case "minItems" | "minProperties":
            message, cure = "this is empty", f"write {limit} or more"
        case "maxItems" | "maxProperties":
            message = f"this has {len(value)} entries"
            cure = f"write {limit} or fewer; a directory can stand for the files in it"
        case _:
            raise ValueError(f"the schemas use the keyword {keyword}, which has no sentence")
    return Complaint(Code.OUT_OF_RANGE, message, cure)
