"""Names and expressions in the parse trees of PostgreSQL's parser."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from toolchain.model.relation_name import RelationName
from toolchain.spec.sql.parser import Tree

# Without a schema it is taken for one of public.
Relation = RelationName


class Type(NamedTuple):
    """A type as a column declares it: PostgreSQL's name for it and its modifiers."""

    name: str
    modifiers: tuple[int, ...] = ()

    def __str__(self) -> str:
        listed = ",".join(map(str, self.modifiers))
        return f"{self.name}({listed})" if listed else self.name


def relation_of(variable: Tree) -> Relation:
    """The relation that a RangeVar names."""
    return Relation(variable.get("schemaname", "public"), variable.get("relname", ""))


def strings(parts: Any) -> list[str]:
    """The texts of a list of String nodes."""
    return [part["String"].get("sval", "") for part in parts or () if "String" in part]


def relation_named(parts: list[str]) -> Relation:
    """The relation of a dotted name."""
    schema, name = ["public", *parts][-2:] if parts else ("public", "")
    return Relation(schema, name)


def type_of(name: Tree) -> Type:
    """The type that a TypeName names; an array's has brackets after its name."""
    last = (strings(name.get("names")) or [""])[-1]
    modifiers = tuple(
        part["A_Const"].get("ival", {}).get("ival", 0)
        for part in name.get("typmods", ())
        if "A_Const" in part
    )
    return Type(last + "[]" * len(name.get("arrayBounds", ())), modifiers)


def walk(part: Any) -> Iterator[tuple[str, Tree]]:
    """Every node of a tree with its kind, outer ones first."""
    waiting = [part]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            for kind, inner in part.items():
                if isinstance(inner, dict):
                    yield kind, inner
            waiting.extend(reversed(part.values()))
        elif isinstance(part, list):
            waiting.extend(reversed(part))


def columns_in(expression: Any) -> set[str]:
    """The columns that an expression names, without what stands before them."""
    return {
        name
        for kind, node in walk(expression)
        if kind == "ColumnRef"
        for name in strings(node.get("fields"))[-1:]
    }


def not_null_columns(expression: Tree) -> frozenset[str]:
    """The columns of which a condition proves that they are not NULL: `a IS NOT NULL AND …`."""
    test = expression.get("NullTest")
    if test is not None:
        named = strings(test.get("arg", {}).get("ColumnRef", {}).get("fields"))
        return frozenset(named[-1:] if test.get("nulltesttype") == "IS_NOT_NULL" else ())
    both = expression.get("BoolExpr", {})
    if both.get("boolop") == "AND_EXPR":
        return frozenset().union(*map(not_null_columns, both.get("args", ())))
    return frozenset()


def constraints_of(column: Tree) -> list[Tree]:
    """The constraints that stand at a column's definition."""
    return [part["Constraint"] for part in column.get("constraints", ()) if "Constraint" in part]


def option(parts: Any, name: str) -> bool:
    """Whether a list of options turns one on: `(FULL)`, `(FULL true)`, not `(FULL off)`."""
    for part in parts or ():
        definition = part.get("DefElem", {})
        if definition.get("defname") == name:
            value = definition.get("arg")
            if value is None:
                return True
            text = str(
                value.get("String", {}).get("sval")
                or value.get("Boolean", {}).get("boolval", "")
                or value.get("Integer", {}).get("ival", 0)
            )
            return text.lower() in ("true", "on", "1")
    return False
