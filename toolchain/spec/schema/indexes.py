"""CREATE INDEX: its name, what it reads, and its whole text."""

from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Index
from toolchain.refactor.sql import ident, relation
from toolchain.spec.schema.naming import free_name
from toolchain.spec.schema.state import State
from toolchain.spec.schema.text import (
    Node,
    columns_of,
    expression_of,
    indexed_name,
    parsed_statement,
    printed,
    rename_in,
)


def create_index(state: State, node: Node) -> None:
    """Follow CREATE INDEX; on a materialized view it is nobody's business here."""
    table = state.found_by(node.relation)
    if table in state.tables:
        taken = state.taken(table.schema)
        if not (node.if_not_exists and node.idxname in taken):
            add_index(state, table, node)


def add_index(state: State, table: RelationName, node: Node) -> None:
    """Give a table the index that a statement describes."""
    taken = state.taken(table.schema)
    name = node.idxname or free_name(table.name, _named_after(node), "idx", taken)
    shape = state.shape(table)
    index = index_of(table, table.beside(name), node)
    state.reshape(replace(shape, indexes=(*shape.indexes, index)))


def _named_after(node: Node) -> list[str]:
    """One name for each column; those that are the same get a number (ChooseIndexColumnNames)."""
    names: list[str] = []
    for element in (*node.indexParams, *(node.indexIncludingParams or ())):
        name = element.name or indexed_name(element.expr) or "expr"
        number, free = 0, name
        while free in names:
            number += 1
            free = f"{name}{number}"
        names.append(free)
    return names


def index_of(table: RelationName, name: RelationName, node: Node) -> Index:
    """The index of a parsed CREATE INDEX, on a table and with a name that may be others."""
    elements = (*node.indexParams, *(node.indexIncludingParams or ()))
    plain = [element.name for element in elements if element.name]
    parts = (*(element.expr for element in elements), node.whereClause)
    return Index(
        name=name,
        columns=tuple(dict.fromkeys((*plain, *sorted(columns_of(parts))))),
        definition=_definition(table, name, node),
        unique=node.unique,
    )


def _definition(table: RelationName, name: RelationName, node: Node) -> str:
    # pglast prints NULLS NOT DISTINCT after WHERE, which is no SQL, so the statement is put
    # together here, in the order of pg_get_indexdef.
    method = ident(node.accessMethod or "btree")
    words = [
        f"CREATE {'UNIQUE ' if node.unique else ''}INDEX {ident(name.name)} ON {relation(table)}",
        f"USING {method} ({', '.join(map(_element, node.indexParams))})",
    ]
    if node.indexIncludingParams:
        words.append(f"INCLUDE ({', '.join(map(_element, node.indexIncludingParams))})")
    if node.nulls_not_distinct:
        words.append("NULLS NOT DISTINCT")
    if node.options:
        words.append(f"WITH ({', '.join(map(printed, node.options))})")
    if node.tableSpace:
        words.append(f"TABLESPACE {ident(node.tableSpace)}")
    if node.whereClause is not None:
        words.append(f"WHERE {expression_of(node.whereClause)}")
    return " ".join(words)


def _element(element: Node) -> str:
    if element.expr is not None:
        expression_of(element.expr)  # takes the table's name out of it
    return printed(element)


def parsed_index(index: Index) -> Node | None:
    """The CREATE INDEX of an index; None for an exclusion constraint."""
    node = parsed_statement(index.definition)
    return node if type(node).__name__ == "IndexStmt" else None


def indexed_columns(node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The plain columns that an index is ordered by, and those that it only holds."""
    parts = (node.indexParams, node.indexIncludingParams or ())
    ordered, held = (tuple(each.name for each in part if each.name) for part in parts)
    return ordered, held


def moved_index(
    index: Index, table: RelationName, name: RelationName, renames: tuple[str, str] | None = None
) -> Index:
    """The same index on a table that is called otherwise, or one of whose columns is."""
    node = parsed_index(index)
    if node is None:
        return _moved_exclusion(index, table, name, renames)
    if renames is not None:
        for element in (*node.indexParams, *(node.indexIncludingParams or ())):
            element.name = renames[1] if element.name == renames[0] else element.name
            rename_in(element.expr, *renames)
        rename_in(node.whereClause, *renames)
    return index_of(table, name, node)


def _moved_exclusion(
    index: Index, table: RelationName, name: RelationName, renames: tuple[str, str] | None
) -> Index:
    node = parsed_statement(index.definition).cmds[0].def_
    columns = index.columns
    if renames is not None:
        for element, _ in node.exclusions:
            element.name = renames[1] if element.name == renames[0] else element.name
            rename_in(element.expr, *renames)
        rename_in(node.where_clause, *renames)
        columns = tuple(renames[1] if each == renames[0] else each for each in columns)
    node.conname = None
    constraint = f"ADD CONSTRAINT {ident(name.name)} {printed(node)}"
    definition = f"ALTER TABLE {relation(table)} {constraint}"
    return replace(index, name=name, columns=columns, definition=definition)
