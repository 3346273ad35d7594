"""Nodes of PostgreSQL's parser as SQL text: expressions, types, names; and what columns they name.

A node is one of pglast's Python tree. pglast is imported where it is used: it costs 0.05 s.
"""

from collections.abc import Iterator
from typing import Any

from toolchain.refactor.sql import ident

# A node of pglast's tree, which has no types.
Node = Any

UNKNOWN = "unknown"

# What format_type calls the types that have more than one name.
_SPELLED = {
    "int2": "smallint", "int4": "integer", "int": "integer", "int8": "bigint", "float4": "real",
    "float8": "double precision", "bool": "boolean", "varchar": "character varying",
    "varbit": "bit varying", "decimal": "numeric", "time": "time without time zone",
    "timetz": "time with time zone", "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
}  # fmt: skip

SERIAL = {
    "serial": "integer", "serial4": "integer", "bigserial": "bigint", "serial8": "bigint",
    "smallserial": "smallint", "serial2": "smallint",
}  # fmt: skip


def walk(part: Node) -> Iterator[Node]:
    """Every node of a tree, outer ones first."""
    if isinstance(part, (tuple, list)):
        for each in part:
            yield from walk(each)
    elif kind(part) is not None:
        yield part
        for slot in part:
            yield from walk(getattr(part, slot))


def kind(part: Node) -> str | None:
    """The parser's name for a node's kind; None for what is no node."""
    # By the module's name, as asking for the class would import it thousands of times.
    return type(part).__name__ if type(part).__module__ == "pglast.ast" else None


def strings(parts: Any) -> tuple[str, ...]:
    """The texts of a list of String nodes."""
    return tuple(part.sval for part in parts or () if kind(part) == "String")


def printed(node: Node) -> str:
    """A node as the SQL that it stands for."""
    from pglast.stream import RawStream  # noqa: PLC0415

    return str(RawStream()(node))


def parsed_statement(sql: str) -> Node:
    """The node of a statement."""
    from pglast import parse_sql  # noqa: PLC0415

    return parse_sql(sql)[0].stmt


def parsed(expression: str) -> Node:
    """The node of an expression."""
    return parsed_statement(f"SELECT {expression}").targetList[0].val


def expression_of(node: Node) -> str:
    """An expression over the columns of one table, which it names without the table."""
    for reference in _references(node):
        reference.fields = reference.fields[-1:]
    return printed(node)


def columns_of(node: Node) -> frozenset[str]:
    """The columns that an expression names, without what stands before them."""
    return frozenset(name for each in _references(node) for name in strings(each.fields)[-1:])


def rename_in(node: Node, old: str, new: str) -> None:
    """Call a column by another name wherever an expression names it."""
    from pglast.ast import String  # noqa: PLC0415

    for reference in _references(node):
        if strings(reference.fields)[-1:] == (old,):
            reference.fields = (*reference.fields[:-1], String(new))


def renamed(expression: str, old: str, new: str) -> str:
    """An expression in which a column has another name."""
    node = parsed(expression)
    if old not in columns_of(node):
        return expression
    rename_in(node, old, new)
    return printed(node)


def _references(node: Node) -> Iterator[Node]:
    return (each for each in walk(node) if kind(each) == "ColumnRef")


def type_text(node: Node) -> str:
    """A type as format_type spells it; one of the user's with its schema as it is written."""
    names = strings(node.names)
    builtin = names[0] == "pg_catalog"
    name, array = names[-1], "[]" if node.arrayBounds else ""
    modifiers = [printed(each) for each in node.typmods or ()]
    if names == ("char",):  # the one-byte type, which is written in quotes
        return f'"char"{array}'
    if not builtin and len(names) > 1:
        words = ".".join(map(ident, names))
    elif name == "interval":
        return _interval(node) + array
    elif name in ("char", "bpchar") and (builtin or modifiers):
        words = "character" if modifiers else "bpchar"
    else:
        words = _SPELLED.get(name, name if builtin else ident(name))
    if name == "numeric" and len(modifiers) == 1:
        modifiers.append("0")
    listed = f"({','.join(modifiers)})" if modifiers else ""
    first, space, rest = words.partition(" ")
    if listed and rest.endswith("time zone"):
        return f"{first}{listed}{space}{rest}{array}"
    return f"{words}{listed}{array}"


def _interval(node: Node) -> str:
    """An interval's first modifier is a mask of its fields: all of them are 32767."""
    bare = printed(node).removesuffix("[]") if node.typmods else "interval"
    return bare.replace(" (", "(")


def indexed_name(node: Node) -> str | None:
    """The name that PostgreSQL gives to the value of an expression (FigureColname); None: none."""
    return _figured(node)[0]


def _figured(node: Node) -> tuple[str | None, int]:
    match kind(node):
        case "ColumnRef":
            names = strings(node.fields)
            return (names[-1], 2) if names else (None, 0)
        case "FuncCall":
            return strings(node.funcname)[-1], 2
        case "TypeCast":
            name, strength = _figured(node.arg)
            return (name, 2) if strength > 1 else (strings(node.typeName.names)[-1], 1)
        case "CollateClause":
            return _figured(node.arg)
        case "CaseExpr":
            name, strength = _figured(node.defresult)
            return (name, 2) if strength > 1 else ("case", 1)
        case "CoalesceExpr":
            return "coalesce", 2
        case "MinMaxExpr":
            return node.op.name.removeprefix("IS_").lower(), 2
        case "A_ArrayExpr":
            return "array", 2
        case "RowExpr":
            return "row", 2
        case "SQLValueFunction":
            return node.op.name.removeprefix("SVFOP_").lower().removesuffix("_n"), 2
        case "SubLink":
            return _of_subquery(node)
        case _:
            return None, 0


def _of_subquery(node: Node) -> tuple[str | None, int]:
    match node.subLinkType.name:
        case "EXISTS_SUBLINK":
            return "exists", 2
        case "ARRAY_SUBLINK":
            return "array", 2
        case "EXPR_SUBLINK" if node.subselect.targetList:
            target = node.subselect.targetList[0]
            return (target.name, 2) if target.name else _figured(target.val)
        case _:
            return None, 0
