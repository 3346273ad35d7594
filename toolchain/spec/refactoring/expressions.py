"""Expressions and types of a refactoring, read by PostgreSQL's parser and written back.

What comes out is one expression without comments, whatever went in, so that it can stand in the
middle of generated SQL.
"""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from toolchain.model.refactoring import (
    AddColumn,
    AddConstraint,
    AddIndex,
    ChangeColumns,
    DropColumn,
    NewColumn,
    OldColumn,
    Refactoring,
    SetDefault,
    SetNotNull,
)
from toolchain.refactor.expressions import inputs
from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint
from toolchain.spec.wording import show

_Value = TypeVar("_Value")
_DOLLAR_QUOTE = re.compile(r"\$(?:[^\W\d]\w*)?\$")
# Of PostgreSQL's own aggregates, those that somebody might write in an expression over one row.
_AGGREGATES = frozenset(
    {"array_agg", "avg", "bool_and", "bool_or", "count", "every", "json_agg", "jsonb_agg", "max",
     "min", "string_agg", "sum"}
)  # fmt: skip

# The fields that hold SQL, by the kind of text. Any other text is a name, and is quoted.
_EXPRESSIONS: dict[type, tuple[str, ...]] = {
    AddColumn: ("value", "default"),
    AddConstraint: ("check",),
    AddIndex: ("where",),
    DropColumn: ("value",),
    NewColumn: ("value",),
    OldColumn: ("value",),
    SetDefault: ("default",),
    SetNotNull: ("fill",),
}
_TYPES: dict[type, tuple[str, ...]] = {AddColumn: ("type",), NewColumn: ("type",)}


def normalised(refactoring: Refactoring) -> Refactoring:
    """The refactoring with every piece of SQL in it parsed and printed; raises Complaint."""
    for text in _strings(refactoring):
        if _DOLLAR_QUOTE.search(text):
            raise Complaint(
                Code.REFACTORING_SQL,
                f"{show(text)} holds a dollar quote, and the bodies of generated functions stand"
                " in such quotes",
                "write it without a word between two '$'",
            )
    found = _normalised(refactoring)
    if isinstance(found, AddIndex):
        return replace(found, on=tuple(map(_index_element, found.on)))
    return cast("Refactoring", found)


def _strings(value: object) -> Iterator[str]:
    """Every text in a refactoring: names, expressions and types."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _strings(each)
    elif is_dataclass(value):
        for each in fields(value):
            yield from _strings(getattr(value, each.name))


def _normalised(value: _Value) -> _Value:
    changes: dict[str, Any] = {}
    kind = type(value)
    for name in _EXPRESSIONS.get(kind, ()):
        text = getattr(value, name)
        if text is not None:
            changes[name] = expression(text)
            if name == "default" and inputs(changes[name]):
                raise _no(text, "a default: it reads a column, which a default cannot")
    for name in _TYPES.get(kind, ()):
        changes[name] = type_name(getattr(value, name))
    if isinstance(value, ChangeColumns):
        changes = {
            "old": tuple(map(_normalised, value.old)),
            "new": tuple(map(_normalised, value.new)),
        }
    return cast("_Value", replace(cast("Any", value), **changes)) if changes else value


def expression(text: str) -> str:
    """One scalar expression over the columns of a row; raises Complaint."""
    from pglast import ast  # noqa: PLC0415

    statement = _parsed(f"SELECT {text}", text, "an expression")
    target = _only_target(statement)
    if target is None or target.name is not None:
        raise _no(text, "one expression")
    for node in _walk(target.val):
        if isinstance(node, ast.SubLink):
            raise _no(text, "an expression over the row alone: it has a subquery")
        if isinstance(node, ast.ParamRef):
            raise _no(text, "an expression over the row alone: it has a parameter")
        if isinstance(node, ast.A_Star | ast.SetToDefault):
            raise _no(text, "one expression")
        if isinstance(node, ast.FuncCall) and (
            node.over or node.agg_star or node.agg_distinct or _called(node) in _AGGREGATES
        ):
            raise _no(text, "an expression over the row alone: it aggregates")
        if isinstance(node, ast.ColumnRef) and len(node.fields or ()) > 1:
            raise _no(text, "an expression over the row's own columns, by their plain names")
    return _printed(target.val)


def _called(node: Any) -> str:
    return str(node.funcname[-1].sval)


def type_name(text: str) -> str:
    """A type; raises Complaint."""
    from pglast import ast  # noqa: PLC0415

    statement = _parsed(f"SELECT CAST(NULL AS {text})", text, "a type")
    target = _only_target(statement)
    value = None if target is None else target.val
    if not isinstance(value, ast.TypeCast) or not isinstance(value.arg, ast.A_Const):
        raise _no(text, "a type")
    return _printed(value.typeName)


def _index_element(text: str) -> str:
    from pglast import ast  # noqa: PLC0415

    statement = _parsed(f"CREATE INDEX ON t ({text})", text, "a column of an index")
    elements: Any = statement.indexParams if isinstance(statement, ast.IndexStmt) else None
    if elements is None or len(elements) != 1 or statement.whereClause is not None:
        raise _no(text, "one column or one expression in parentheses")
    return _printed(elements[0])


def _parsed(sql: str, text: str, what: str) -> Any:
    from pglast import (  # noqa: F401, PLC0415
        parse_sql,
        parser,
        prettify,
    )

    try:
        statements = parse_sql(sql)
    except (parser.ParseError, RecursionError):
        raise _no(text, what) from None
    if len(statements) != 1:
        raise _no(text, what)
    return statements[0].stmt


def _no(text: str, what: str) -> Complaint:
    return Complaint(
        Code.REFACTORING_SQL,
        f"{show(text)} is not {what}",
        "write SQL that could stand in a SELECT of the table, without a semicolon",
    )


def _only_target(statement: Any) -> Any:
    """The one target of a SELECT that has nothing else; None for any other statement."""
    parts = {name for name in statement if getattr(statement, name)} - {"limitOption", "op"}
    targets: tuple[Any, ...] = statement.targetList if parts == {"targetList"} else ()
    return targets[0] if len(targets) == 1 else None


def _walk(node: Any) -> Any:
    from pglast import ast  # noqa: PLC0415

    if isinstance(node, tuple | list):
        for each in node:
            yield from _walk(each)
    elif isinstance(node, ast.Node):
        yield node
        for name in node:
            yield from _walk(getattr(node, name))


def _printed(node: Any) -> str:
    from pglast.stream import RawStream  # noqa: PLC0415

    return str(RawStream()(node))
