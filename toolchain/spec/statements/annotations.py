"""What the comments above a statement say: its name, and values for its parameters."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from toolchain.model.statement import Earlier, Value
from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint
from toolchain.spec.statements.written import Comment, Written
from toolchain.spec.wording import show

_NAME = re.compile(r"name:\s*(.*)", re.DOTALL)
_VALUES = re.compile(r"(sample|seed):\s*(.*)", re.DOTALL)
_GRAMMAR = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_EARLIER = {"from", "column"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """A statement's name, None where its comments give none, its samples and its seeds."""

    name: str | None
    samples: tuple[tuple[Value, ...], ...]
    seeds: tuple[tuple[Value, ...], ...]


class Misplaced(Exception):  # noqa: N818 - a verdict on one comment, like Complaint
    """A complaint about one comment, with its place in the text."""

    def __init__(self, complaint: Complaint, index: int) -> None:
        super().__init__(complaint.message)
        self.complaint = complaint
        self.index = index


def annotations_of(written: Written) -> Annotations:
    """Read the comments above a statement; raises Misplaced."""
    name: str | None = None
    found: dict[str, list[tuple[Value, ...]]] = {"sample": [], "seed": []}
    comments = written.comments
    for at, comment in enumerate(comments):
        named, valued = _NAME.match(comment.text), _VALUES.match(comment.text)
        if named is not None:
            if _GRAMMAR.fullmatch(named[1]) is None:
                raise _wrong(
                    f"{show(named[1])} is not the name of a statement",
                    "write letters of ASCII, digits, '.', '_' and '-'",
                    comment,
                )
            name = named[1]
        elif valued is not None:
            values = _row(valued[2], comments[at + 1 :], comment, written.names)
            found[valued[1]].append(values)
    return Annotations(name=name, samples=tuple(found["sample"]), seeds=tuple(found["seed"]))


def name_of(written: Written) -> str | None:
    """The name that a statement is given, whether it is one or not."""
    names = [named[1] for each in written.comments if (named := _NAME.match(each.text))]
    return names[-1] if names else None


def _row(
    begin: str, following: Sequence[Comment], comment: Comment, names: Sequence[str]
) -> tuple[Value, ...]:
    """One row of values; its JSON may go on in the comments below."""
    text = begin
    for more in ("", *(each.text for each in following)):
        text = f"{text}\n{more}" if more else text
        try:
            document = json.loads(text)
        except ValueError:
            continue
        try:
            return tuple(_values(document, names))
        except ValueError as error:
            raise _wrong(str(error), _cure(names), comment) from None
    raise _wrong(f"{show(begin)} is not JSON", _cure(names), comment)


def _cure(names: Sequence[str]) -> str:
    if not names:
        return "write {} for a statement without parameters"
    if names[0].isdigit():
        return f"write a JSON list of {len(names)} values"
    return f"write a JSON object with the keys {', '.join(names)}"


def _values(document: Any, names: Sequence[str]) -> Iterator[Value]:
    if isinstance(document, dict):
        unknown = [key for key in document if key not in names]
        missing = [name for name in names if name not in document]
        if unknown:
            raise ValueError(f"the statement has no parameter {show(unknown[0])}")
        if missing:
            raise ValueError(f"there is no value for {show(missing[0])}")
        document = [document[name] for name in names]
    if not isinstance(document, list):
        raise ValueError("the values are neither a list nor an object")
    if len(document) != len(names):
        raise ValueError(f"there are {len(document)} values, and {len(names)} are needed")
    for value in document:
        yield _value(value)


def _value(value: Any) -> Value:
    """A JSON value as libpq takes it: a list as an array, an object as JSON."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case dict() if set(value) == _EARLIER:
            return Earlier(statement=str(value["from"]), column=str(value["column"]))
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return _array(value)
        case _:
            return str(value)


def _array(values: list[Any]) -> str:
    items = []
    for value in values:
        if isinstance(value, list):
            items.append(_array(value))
            continue
        text = _value(value)
        if text is None:
            items.append("NULL")
        else:
            quoted = str(text).replace("\\", "\\\\").replace('"', '\\"')
            items.append(f'"{quoted}"')
    return "{" + ",".join(items) + "}"


def _wrong(message: str, cure: str, comment: Comment) -> Misplaced:
    return Misplaced(Complaint(Code.STATEMENT, message, cure), comment.index)
