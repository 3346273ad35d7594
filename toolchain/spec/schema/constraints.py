"""Constraints as they are added to a table, with the names that PostgreSQL would choose."""

from collections.abc import Sequence
from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Check, Column, ForeignKey, Index, Key
from toolchain.refactor.sql import ident, relation
from toolchain.spec.schema.indexes import indexed_columns, parsed_index
from toolchain.spec.schema.naming import free_name
from toolchain.spec.schema.state import State
from toolchain.spec.schema.text import Node, columns_of, expression_of, kind, printed, strings

_ACTIONS = {
    "a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default",
}  # fmt: skip

# What PostgreSQL makes first when one statement adds several: it names them in this order.
_ORDER = ("CONSTR_CHECK", "CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION", "CONSTR_FOREIGN")


def add_constraints(
    state: State,
    table: RelationName,
    constraints: Sequence[tuple[Node, str | None]],
    *,
    empty: bool = False,
) -> None:
    """Add constraints, each with the column that it stands at.

    In a table without rows NOT VALID means nothing.
    """
    with_attributes = _with_attributes(constraints)
    known = [each for each in with_attributes if each[0].contype.name in _ORDER]
    earlier: dict[tuple[str, ...], str] = {}
    for node, column in sorted(known, key=lambda each: _ORDER.index(each[0].contype.name)):
        match node.contype.name:
            case "CONSTR_CHECK":
                _add_check(state, table, node, empty=empty)
            case "CONSTR_PRIMARY" | "CONSTR_UNIQUE":
                _add_key(state, table, node, column, earlier)
            case "CONSTR_EXCLUSION":
                _add_exclusion(state, table, node)
            case "CONSTR_FOREIGN":
                _add_foreign_key(state, table, node, column, empty=empty)


def _with_attributes(
    constraints: Sequence[tuple[Node, str | None]],
) -> list[tuple[Node, str | None]]:
    """At a column, DEFERRABLE stands as a constraint of its own after the one that it is about."""
    owner: Node = None
    for node, _ in constraints:
        match node.contype.name:
            case "CONSTR_ATTR_DEFERRABLE":
                owner.deferrable = True
            case "CONSTR_ATTR_DEFERRED":
                owner.deferrable = owner.initdeferred = True
            case "CONSTR_ATTR_NOT_ENFORCED":
                owner.is_enforced = False
            case name if not name.startswith("CONSTR_ATTR"):
                owner = node
    return list(constraints)


def _valid(node: Node, *, empty: bool) -> bool:
    return _enforced(node) and (empty or not node.skip_validation)


def _enforced(node: Node) -> bool:
    # pglast before 8 does not know of NOT ENFORCED.
    return bool(getattr(node, "is_enforced", True))


def _add_check(state: State, table: RelationName, node: Node, *, empty: bool) -> None:
    columns = columns_of(node.raw_expr)
    middle = tuple(columns) if len(columns) == 1 else ()
    check = Check(
        name=node.conname or free_name(table.name, middle, "check", state.taken(table.schema)),
        expression=expression_of(node.raw_expr),
        columns=columns,
        valid=_valid(node, empty=empty),
        enforced=_enforced(node),
        inherited=not node.is_no_inherit,
    )
    inherit_check(state, table, check, to_children=not node.is_no_inherit)


def inherit_check(
    state: State, table: RelationName, check: Check, *, to_children: bool = True
) -> None:
    """Add a check to a table, and to the tables that inherit from it."""
    shape = state.shape(table)
    if all(each.name != check.name for each in shape.checks):
        state.reshape(replace(shape, checks=(*shape.checks, check)))
    for child in state.children(table) if to_children else ():
        inherit_check(state, child, check)


def _add_key(
    state: State,
    table: RelationName,
    node: Node,
    column: str | None,
    earlier: dict[tuple[str, ...], str],
) -> None:
    primary = node.contype.name == "CONSTR_PRIMARY"
    included, nulls_distinct = strings(node.including), not node.nulls_not_distinct
    if node.indexname:
        columns, included, nulls_distinct = _take_index(state, table, node.indexname)
        name = node.conname or node.indexname
    else:
        columns = (column,) if column else strings(node.keys)
        if columns in earlier and not included:
            # One statement that asks twice for the same index makes it once.
            _name_later(state, table, earlier, columns, node.conname)
            return
        middle, label = ((), "pkey") if primary else ((*columns, *included), "key")
        name = node.conname or free_name(table.name, middle, label, state.taken(table.schema))
        earlier[columns] = name if node.conname is None else ""
    shape = state.shape(table)
    deferrable = node.deferrable or node.initdeferred
    key = Key(
        name=name,
        columns=columns,
        primary=primary,
        deferrable=deferrable,
        included=included,
        nulls_distinct=nulls_distinct,
    )
    state.reshape(replace(shape, keys=(*shape.keys, key)))
    if primary:
        require(state, table, columns)


def _name_later(
    state: State,
    table: RelationName,
    earlier: dict[tuple[str, ...], str],
    columns: tuple[str, ...],
    name: str | None,
) -> None:
    if name is None or not earlier[columns]:
        return
    shape = state.shape(table)
    keys = (replace(k, name=name) if k.name == earlier[columns] else k for k in shape.keys)
    state.reshape(replace(shape, keys=tuple(keys)))
    earlier[columns] = ""


def _take_index(
    state: State, table: RelationName, name: str
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """What a key has of the index that it takes: columns, those included, are NULLs distinct."""
    shape = state.shape(table)
    index = next((each for each in shape.indexes if each.name.name == name), None)
    if index is None:
        return (), (), True
    rest = tuple(each for each in shape.indexes if each is not index)
    state.reshape(replace(shape, indexes=rest))
    node = parsed_index(index)
    if node is None:
        return (), (), True
    return (*indexed_columns(node), not node.nulls_not_distinct)


def require(state: State, table: RelationName, columns: Sequence[str]) -> None:
    """Make columns NOT NULL, in the tables that inherit them too."""
    set_columns(state, table, {name: {"not_null": True} for name in columns})


def set_columns(
    state: State, table: RelationName, changes: dict[str, dict[str, object]], *, down: bool = True
) -> None:
    """Change columns by name, in a table and in those that inherit from it."""
    shape = state.shape(table)
    columns: list[Column] = [
        replace(each, **changes[each.name]) if each.name in changes else each  # type: ignore[arg-type]
        for each in shape.columns
    ]
    state.reshape(replace(shape, columns=tuple(columns)))
    for child in state.children(table) if down else ():
        set_columns(state, child, changes)


def _add_exclusion(state: State, table: RelationName, node: Node) -> None:
    """An exclusion constraint, which the model has no word for, stands among the indexes."""
    elements = [element for element, _ in node.exclusions]
    columns = tuple(element.name or "expr" for element in elements)
    name = node.conname or free_name(table.name, columns, "excl", state.taken(table.schema))
    named = {element.name for element in elements if element.name}
    read = columns_of([element.expr for element in elements]) | columns_of(node.where_clause)
    node.conname = None
    index = Index(
        name=table.beside(name),
        columns=tuple(
            dict.fromkeys((*filter(None, (e.name for e in elements)), *sorted(read - named)))
        ),
        definition=f"ALTER TABLE {relation(table)} ADD CONSTRAINT {ident(name)} {printed(node)}",
        unique=True,
    )
    shape = state.shape(table)
    state.reshape(replace(shape, indexes=(*shape.indexes, index)))


def _add_foreign_key(
    state: State, table: RelationName, node: Node, column: str | None, *, empty: bool
) -> None:
    columns = (column,) if column else strings(node.fk_attrs)
    other = state.found_by(node.pktable)
    primary = state.shape(other).primary_key
    references = strings(node.pk_attrs) or (primary.columns if primary else ())
    foreign = ForeignKey(
        name=node.conname or free_name(table.name, columns, "fkey", state.taken(table.schema)),
        columns=columns,
        table=other,
        references=references,
        on_delete=_ACTIONS.get(node.fk_del_action, "no action"),
        on_update=_ACTIONS.get(node.fk_upd_action, "no action"),
        deferrable=node.deferrable or node.initdeferred,
        valid=_valid(node, empty=empty),
        emptied=strings(node.fk_del_set_cols),
        full=node.fk_matchtype == "f",
        deferred=node.initdeferred,
        enforced=_enforced(node),
    )
    shape = state.shape(table)
    state.reshape(replace(shape, foreign_keys=(*shape.foreign_keys, foreign)))


def constraints_at(column: Node) -> list[tuple[Node, str | None]]:
    """The constraints at a column's definition."""
    return [(each, column.colname) for each in column.constraints or () if kind(each)]
