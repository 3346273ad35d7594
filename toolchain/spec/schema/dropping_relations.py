"""A relation taken away, and with CASCADE what refers to it."""

from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.spec.schema.state import State, next_value


def drop_relation(state: State, name: RelationName, *, cascade: bool) -> None:
    """Take a table, view, sequence or index away."""
    if name in state.tables:
        del state.tables[name]
        for sequence in [s for s, owner in state.sequences.items() if owner and owner[0] == name]:
            drop_relation(state, sequence, cascade=cascade)
        for publication, each in state.publications.items():
            kept = {table: columns for table, columns in each.tables.items() if table != name}
            state.publications[publication] = replace(each, tables=kept)
        for child in state.children(name):  # partitions go with their table
            drop_relation(state, child, cascade=cascade)
    elif name in state.views:
        del state.views[name]
    elif name in state.sequences:
        del state.sequences[name]
        if cascade:
            _forget_defaults(state, name)
    else:
        for table in state.tables.values():
            kept_indexes = tuple(i for i in table.shape.indexes if i.name != name)
            state.reshape(replace(table.shape, indexes=kept_indexes))
    if cascade:
        drop_readers(state, name)
        drop_references(state, name)


def drop_readers(state: State, name: RelationName, column: str | None = None) -> None:
    """Take the views away that read a relation, or one of its columns."""
    readers = [
        view
        for view, each in state.views.items()
        if name in each.reads and (column is None or column in each.reads[name])
    ]
    for view in readers:
        drop_relation(state, view, cascade=True)
    for signature, function in list(state.functions.items()):
        if name in function.reads and (column is None or column in function.reads[name]):
            del state.functions[signature]


def drop_references(
    state: State, name: RelationName, columns: frozenset[str] | None = None
) -> None:
    """Take the foreign keys away that point at a table, or at exactly these columns of it."""
    for table in state.tables.values():
        kept = tuple(
            each
            for each in table.shape.foreign_keys
            if each.table != name or (columns is not None and set(each.references) != columns)
        )
        state.reshape(replace(table.shape, foreign_keys=kept))


def _forget_defaults(state: State, sequence: RelationName) -> None:
    for table in state.tables.values():
        columns = tuple(
            replace(each, default=None) if each.default == next_value(sequence) else each
            for each in table.shape.columns
        )
        state.reshape(replace(table.shape, columns=columns))


def drop_owned(state: State, table: RelationName, column: str) -> None:
    """Take the sequences of a column away."""
    for sequence in [s for s, owner in state.sequences.items() if owner == (table, column)]:
        drop_relation(state, sequence, cascade=False)
