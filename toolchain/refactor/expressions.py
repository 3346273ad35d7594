"""Expressions over a row's columns, read by PostgreSQL's parser.

The functions that evaluate them run with search_path = pg_catalog, pg_temp: an expression that
calls a function, an operator or a type of another schema must name that schema.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from toolchain.model.schema import TableSchema
from toolchain.refactor.phases import UnableError

_BEFORE = "SELECT "
# Texts that mean the moment at which they are read.
_MOMENTS = frozenset({"now", "today", "tomorrow", "yesterday"})


def inputs(expression: str) -> frozenset[str]:
    """The columns that an expression reads."""
    return frozenset(name for _, name in _references(expression))


def over(row: str, expression: str) -> str:
    """The expression over the columns of a record of PL/pgSQL, such as NEW.

    A column stands behind its record, so a variable of the same name cannot be meant, and the
    expression stays one that PL/pgSQL evaluates without a query.
    """
    for begin, _ in sorted(_references(expression), reverse=True):
        expression = f"{expression[:begin]}{row}.{expression[begin:]}"
    return expression


def literal_of(expression: str) -> str | None:
    """The constant that an expression is, without its casts; None where it is none, or NULL."""
    from pglast import ast, stream  # noqa: PLC0415 - slow to import, and many declare nothing

    node = _uncast(expression)
    if isinstance(node, ast.A_Const) and not node.isnull:
        return str(stream.RawStream()(node))
    return None


def is_null(expression: str) -> bool:
    """Whether an expression is plainly NULL."""
    from pglast import ast  # noqa: PLC0415

    node = _uncast(expression)
    return isinstance(node, ast.A_Const) and bool(node.isnull)


def is_constant(expression: str) -> bool:
    """Whether a default is the same whenever it is asked for."""
    from pglast import ast  # noqa: PLC0415

    value = literal_of(expression)
    if value is not None:
        return value.strip("'").lower() not in _MOMENTS
    node = _uncast(expression)
    return is_null(expression) or (isinstance(node, ast.A_ArrayExpr) and not node.elements)


def calls(expression: str) -> frozenset[str]:
    """The functions that an expression calls, with their schema where one is written."""
    return frozenset(
        ".".join(part.sval for part in node.funcname) for node in _of_kind("FuncCall", expression)
    )


def casts(expression: str) -> frozenset[str]:
    """The types that an expression casts to, with their schema where one is written."""
    return frozenset(
        ".".join(part.sval for part in node.typeName.names)
        for node in _of_kind("TypeCast", expression)
    )


def require_readable(table: TableSchema, names: Iterable[str], what: str) -> None:
    """Raise UnableError where an expression reads what a BEFORE trigger cannot."""
    for name in sorted(names):
        column = table.column(name)
        if column is None:
            raise UnableError(
                f"{what} reads {name}, which {table.name} does not have",
                "name columns that the table has when the change is expanded",
            )
        if column.generated is not None:
            raise UnableError(
                f"{what} reads {name}, a generated column, which has no value yet when a row's"
                " trigger runs",
                f"write the expression of {name} in its place",
            )


def target(expression: str) -> Any:
    """The expression as PostgreSQL's parser has it."""
    from pglast import parse_sql  # noqa: PLC0415

    statement: Any = parse_sql(_BEFORE + expression)[0].stmt
    return statement.targetList[0].val


def _uncast(expression: str) -> Any:
    from pglast import ast  # noqa: PLC0415

    node = target(expression)
    while isinstance(node, ast.TypeCast):
        node = node.arg
    return node


def _references(expression: str) -> Iterator[tuple[int, str]]:
    for node in _of_kind("ColumnRef", expression):
        yield node.location - len(_BEFORE), node.fields[0].sval


def _of_kind(kind: str, expression: str) -> Iterator[Any]:
    return (node for node in _nodes(target(expression)) if type(node).__name__ == kind)


def _nodes(part: object) -> Iterator[Any]:
    from pglast import ast  # noqa: PLC0415

    if isinstance(part, list | tuple):
        for each in part:
            yield from _nodes(each)
    elif isinstance(part, ast.Node):
        yield part
        for name in part:
            yield from _nodes(getattr(part, name))
