"""RENAME, of whatever has a name."""

from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.spec.schema.moving import (
    move,
    move_function,
    rename_constraint,
    rename_reading,
    rename_schema,
)
from toolchain.spec.schema.renaming_columns import rename_column
from toolchain.spec.schema.state import State
from toolchain.spec.schema.swap import named, swapped
from toolchain.spec.schema.text import Node, strings


def rename(state: State, node: Node) -> None:
    """Follow RENAME, of whatever has a name."""
    new = node.newname
    match node.renameType.name:
        case "OBJECT_TYPE" | "OBJECT_DOMAIN":
            name = state.found(strings(getattr(node.object, "names", node.object)))
            move(state, name, name.beside(new))
        case "OBJECT_SCHEMA":
            rename_schema(state, node.subname, new)
        case "OBJECT_FUNCTION" | "OBJECT_ROUTINE":
            name = state.found(strings(node.object.objname))
            move_function(state, name, name.beside(new))
        case "OBJECT_PUBLICATION":
            old = strings([node.object])[0]
            if old in state.publications:
                state.publications[new] = state.publications.pop(old)
        case _ if node.relation is not None:
            _rename_at(state, state.found_by(node.relation), node)


def _rename_at(state: State, name: RelationName, node: Node) -> None:
    old, new, shape = node.subname, node.newname, state.shape(name)
    match node.renameType.name:
        case "OBJECT_COLUMN":
            rename_column(state, name, old, new)
        case "OBJECT_TABCONSTRAINT":
            rename_constraint(state, name, old, new)
        case "OBJECT_TRIGGER":
            state.reshape(replace(shape, triggers=named(shape.triggers, old, new)))
            rename_reading(state, name, "trigger", old, new)
        case "OBJECT_POLICY":
            state.reshape(replace(shape, policies=swapped(shape.policies, old, new)))
            rename_reading(state, name, "policy", old, new)
        case "OBJECT_RULE":
            state.reshape(replace(shape, rules=swapped(shape.rules, old, new)))
            rename_reading(state, name, "rule", old, new)
        case "OBJECT_TABLE" | "OBJECT_VIEW" | "OBJECT_MATVIEW" | "OBJECT_INDEX" | "OBJECT_SEQUENCE":
            move(state, name, name.beside(new))
