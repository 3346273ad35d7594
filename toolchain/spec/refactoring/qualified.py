"""Whether an expression names the chain's own functions and types as its functions find them.

Generated functions have a fixed search_path that holds PostgreSQL's own schema alone, so that
nobody can slip another function in. A name without its schema is found by the expand, and by no
write after it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from toolchain.model.refactoring import (
    AddColumn,
    ChangeColumns,
    DropColumn,
    Refactoring,
    SetNotNull,
)
from toolchain.refactor.expressions import calls, casts
from toolchain.spec.codes import Code
from toolchain.spec.lint.made import created
from toolchain.spec.problem import Complaint
from toolchain.spec.sql.parser import Statement

_KINDS = {"function": "function", "type": "type", "domain": "type"}


class Made(NamedTuple):
    """A function or a type that the chain has made."""

    kind: str
    schema: str
    name: str


def names_made(statements: Sequence[Statement]) -> frozenset[Made]:
    """The functions and types that SQL makes."""
    return frozenset(
        Made(_KINDS[thing.kind], *thing.name)
        for statement in statements
        for thing in created(statement)
        if thing.kind in _KINDS
    )


def require_qualified(refactoring: Refactoring, made: frozenset[Made]) -> None:
    """Raise Complaint where an expression leaves the schema of such a name out."""
    for text in _evaluated(refactoring):
        for kind, names in (("function", calls(text)), ("type", casts(text))):
            for known in sorted(made):
                if known.kind == kind and known.name in names:
                    raise Complaint(
                        Code.REFACTORING_SQL,
                        f"{known.name} is a {kind} of the chain, and generated functions find only"
                        " PostgreSQL's own without a schema",
                        f"write {known.schema}.{known.name}",
                    )


def _evaluated(refactoring: Refactoring) -> Iterator[str]:
    """The expressions that a generated function evaluates when a row is written."""
    match refactoring:
        case ChangeColumns(old=old, new=new):
            yield from (column.value for column in old)
            yield from (column.value for column in new)
        case AddColumn(value=str(value)) | DropColumn(value=str(value)):
            yield value
        case SetNotNull(fill=fill):
            yield fill
