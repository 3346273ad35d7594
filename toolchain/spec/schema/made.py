"""The names that a statement makes, and which of them are taken already."""

from collections.abc import Iterable, Iterator

from toolchain.model.relation_name import RelationName
from toolchain.spec.schema.functions import signature_of
from toolchain.spec.schema.state import State
from toolchain.spec.schema.text import Node, kind

_RELATIONS = ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE")
_INDEXED = ("CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION")
_ADDING = ("AT_AddConstraint", "AT_AddColumn")
_WITH_ROW_TYPE = ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW")


def clashes(state: State, node: Node) -> Iterator[str]:
    """What a statement would make although there is one of that name, in words."""
    match kind(node):
        case "CreateStmt":
            name = state.made_by(node.relation)
            yield from _relation(state, name, row_type=True)
            yield from _of_table(state, name, node.tableElts or ())
        case "ViewStmt":
            yield from _relation(state, state.made_by(node.view), row_type=True)
        case "CreateTableAsStmt":
            yield from _relation(state, state.made_by(node.into.rel), row_type=True)
        case "CreateSeqStmt":
            yield from _relation(state, state.made_by(node.sequence))
        case "IndexStmt" if node.idxname:
            name = state.found_by(node.relation).beside(node.idxname)
            yield from _relation(state, name)
        case "CreateFunctionStmt" if not node.replace:
            if (signature := signature_of(state, node)) in state.functions:
                yield f"the function {signature[0]}"
        case "CreateTrigStmt":
            yield from _trigger(state, state.found_by(node.relation), node.trigname)
        case "AlterTableStmt":
            table = state.found_by(node.relation)
            added = [each.def_ for each in node.cmds if each.subtype.name in _ADDING]
            yield from _of_table(state, table, added)
        case "RenameStmt" if node.relation is not None:
            yield from _renamed(state, state.found_by(node.relation), node)


def _renamed(state: State, name: RelationName, node: Node) -> Iterator[str]:
    what = node.renameType.name
    if what in _RELATIONS:
        yield from _relation(state, name.beside(node.newname), row_type=what in _WITH_ROW_TYPE)
    elif what == "OBJECT_TABCONSTRAINT":
        yield from _constraint(state, name, node.newname)
    elif what == "OBJECT_TRIGGER":
        yield from _trigger(state, name, node.newname)


def _relation(state: State, name: RelationName, *, row_type: bool = False) -> Iterator[str]:
    """A table and a view have a type of their name, an index and a sequence have none."""
    if name in set(state.names() if row_type else state.relations()):
        yield f"{name}"


def _of_table(state: State, table: RelationName, parts: Iterable[Node]) -> Iterator[str]:
    """Named constraints, those at a column among them; other parts of a table make no names."""
    for part in parts:
        if kind(part) == "ColumnDef":
            if any(each.name == part.colname for each in state.columns(table)):
                yield f"the column {part.colname} of {table}"
            yield from _of_table(state, table, part.constraints or ())
        elif kind(part) == "Constraint" and part.conname:
            yield from _constraint(state, table, part.conname)
            # USING INDEX takes the name of an index that is there.
            if part.contype.name in _INDEXED and part.indexname != part.conname:
                yield from _relation(state, table.beside(part.conname))


def _constraint(state: State, table: RelationName, name: str) -> Iterator[str]:
    shape = state.shape(table)
    if name in {
        each.name for part in (shape.keys, shape.checks, shape.foreign_keys) for each in part
    }:
        yield f"the constraint {name} of {table}"


def _trigger(state: State, table: RelationName, name: str) -> Iterator[str]:
    if any(each.name == name for each in state.shape(table).triggers):
        yield f"the trigger {name} of {table}"
