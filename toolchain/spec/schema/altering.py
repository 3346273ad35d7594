"""ALTER TABLE, one command after the other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from toolchain.model.relation_name import RelationName
from toolchain.spec.schema.altering_columns import alter_column
from toolchain.spec.schema.altering_constraints import (
    add_constraint,
    alter_constraint,
    validate_constraint,
)
from toolchain.spec.schema.constraints import add_constraints, constraints_at
from toolchain.spec.schema.dropping_parts import drop_column, drop_constraint
from toolchain.spec.schema.moving import move, move_function
from toolchain.spec.schema.state import State
from toolchain.spec.schema.tables import add_column
from toolchain.spec.schema.text import Node, kind, strings


def alter_table(state: State, node: Node) -> None:
    """Follow ALTER TABLE of a table that is known; other relations have nothing to follow."""
    table = state.found_by(node.relation)
    if table not in state.tables:
        return
    for command in sorted(node.cmds, key=_turn):
        if command.subtype.name.startswith("AT_AddColumn"):
            _add_column(state, table, command)
        else:
            _alter(state, table, command, down=node.relation.inh)


# What a command says of its table by its name alone.
_SAID: Mapping[str, Mapping[str, Any]] = {
    "AT_EnableRowSecurity": {"row_security": True},
    "AT_DisableRowSecurity": {"row_security": False},
    "AT_ForceRowSecurity": {"row_security_forced": True},
    "AT_NoForceRowSecurity": {"row_security_forced": False},
    "AT_SetLogged": {"unlogged": False},
    "AT_SetUnLogged": {"unlogged": True},
}

# PostgreSQL takes the commands of one ALTER TABLE in this order, whatever theirs is.
_PASSES = ("AT_DropColumn", "AT_DropConstraint", "AT_AlterColumnType", "AT_AddColumn")


def _turn(command: Node) -> int:
    name = command.subtype.name
    return _PASSES.index(name) if name in _PASSES else len(_PASSES)


def _add_column(state: State, table: RelationName, command: Node) -> None:
    definition = command.def_
    if all(each.name != definition.colname for each in state.columns(table)):
        add_column(state, table, definition)
        add_constraints(state, table, constraints_at(definition), empty=True)


def _alter(state: State, table: RelationName, command: Node, *, down: bool) -> None:
    name, definition = command.name, command.def_
    cascade = command.behavior.name == "DROP_CASCADE"
    match command.subtype.name:
        case "AT_DropColumn":
            drop_column(state, table, name, cascade=cascade)
        case "AT_AddConstraint":
            add_constraint(state, table, definition)
        case "AT_ValidateConstraint":
            validate_constraint(state, table, name)
        case "AT_AlterConstraint":
            alter_constraint(state, table, definition)
        case "AT_DropConstraint":
            drop_constraint(state, table, name, cascade=cascade)
        case subtype if subtype in _SAID:
            state.reshape(replace(state.shape(table), **_SAID[subtype]))
        case "AT_AttachPartition" | "AT_DetachPartition":
            joined = command.subtype.name == "AT_AttachPartition"
            _set_parent(state, state.found_by(definition.name), table, joined=joined)
        case "AT_AddInherit" | "AT_DropInherit":
            joined = command.subtype.name == "AT_AddInherit"
            _set_parent(state, table, state.found_by(definition), joined=joined)
        case _:
            alter_column(state, table, command, down=down)


def _set_parent(state: State, child: RelationName, parent: RelationName, *, joined: bool) -> None:
    known = state.tables.get(child)
    if known is not None:
        others = tuple(each for each in known.parents if each != parent)
        parents = (*others, parent) if joined else others
        state.tables[child] = replace(known, parents=parents)


def set_schema(state: State, node: Node) -> None:
    """Follow ALTER … SET SCHEMA of a relation, a type or a function."""
    if kind(node.object) == "ObjectWithArgs":
        function = state.found(strings(node.object.objname))
        move_function(state, function, RelationName(node.newschema, function.name))
        return
    if node.relation is not None:
        name = state.found_by(node.relation)
    elif kind(node.object) == "TypeName":
        name = state.found(strings(node.object.names))
    elif isinstance(node.object, tuple) and strings(node.object):
        name = state.found(strings(node.object))
    else:
        return
    if name in set(state.names()):
        move(state, name, RelationName(node.newschema, name.name))
