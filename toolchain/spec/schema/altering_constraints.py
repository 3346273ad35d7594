"""ALTER TABLE … ADD, VALIDATE and ALTER CONSTRAINT."""

from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.spec.schema.constraints import add_constraints, set_columns
from toolchain.spec.schema.state import State
from toolchain.spec.schema.text import Node, strings


def add_constraint(state: State, table: RelationName, node: Node) -> None:
    """Follow ADD of any constraint."""
    if node.contype.name == "CONSTR_NOTNULL":
        _add_not_null(state, table, node)
    else:
        add_constraints(state, table, [(node, None)])


def _add_not_null(state: State, table: RelationName, node: Node) -> None:
    """NOT NULL … NOT VALID of PostgreSQL 18 binds new rows, and says nothing of the old ones."""
    (column,) = strings(node.keys)
    known = state.tables[table]
    name = node.conname or f"{table.name}_{column}_not_null"
    state.tables[table] = replace(known, required={**known.required, name: column})
    if not node.skip_validation:
        set_columns(state, table, {column: {"not_null": True}})


def validate_constraint(state: State, table: RelationName, name: str) -> None:
    """Follow VALIDATE CONSTRAINT, in the tables that inherit it too."""
    shape = state.shape(table)
    checks = (replace(c, valid=True) if c.name == name else c for c in shape.checks)
    foreign = (replace(f, valid=True) if f.name == name else f for f in shape.foreign_keys)
    state.reshape(replace(shape, checks=tuple(checks), foreign_keys=tuple(foreign)))
    column = state.tables[table].required.get(name)
    if column is not None:
        set_columns(state, table, {column: {"not_null": True}})
    for child in state.children(table):
        validate_constraint(state, child, name)


def alter_constraint(state: State, table: RelationName, node: Node) -> None:
    """ALTER CONSTRAINT makes a foreign key deferrable or not; a bare one says not deferrable."""
    shape = state.shape(table)
    deferrable = node.deferrable or node.initdeferred
    # pglast before 8 says so of every ALTER CONSTRAINT, as PostgreSQL 17 does.
    if not getattr(node, "alterDeferrability", True):
        return
    foreign = (
        replace(each, deferrable=deferrable, deferred=node.initdeferred)
        if each.name == node.conname
        else each
        for each in shape.foreign_keys
    )
    state.reshape(replace(shape, foreign_keys=tuple(foreign)))
