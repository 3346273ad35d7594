"""A column under another name, wherever it is named."""

from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Index, TableSchema
from toolchain.spec.schema.indexes import moved_index
from toolchain.spec.schema.state import State
from toolchain.spec.schema.swap import named, swapped, swapped_set
from toolchain.spec.schema.text import renamed


def rename_column(state: State, name: RelationName, old: str, new: str) -> None:
    """Give a column of a table or view another name; what names it names it anew."""
    if name in state.views:
        view = state.views[name]
        state.views[name] = replace(view, columns=named(view.columns, old, new))
    if name in state.tables:
        _rename_in_table(state, name, old, new)
    _rename_referenced(state, name, old, new)
    for each, view in state.views.items():
        if old in view.reads.get(name, ()):
            reads = {**view.reads, name: swapped_set(view.reads[name], old, new)}
            state.views[each] = replace(view, reads=reads)
    for signature, function in state.functions.items():
        if old in function.reads.get(name, ()):
            reads = {**function.reads, name: swapped_set(function.reads[name], old, new)}
            state.functions[signature] = replace(function, reads=reads)
    for title, publication in state.publications.items():
        if old in publication.tables.get(name, ()):
            columns = swapped_set(publication.tables[name], old, new)
            tables = {**publication.tables, name: columns}
            state.publications[title] = replace(publication, tables=tables)
    for sequence, owner in state.sequences.items():
        if owner == (name, old):
            state.sequences[sequence] = (name, new)
    for child in state.children(name):
        rename_column(state, child, old, new)


def _rename_in_table(state: State, name: RelationName, old: str, new: str) -> None:
    known = state.tables[name]
    state.tables[name] = replace(
        known,
        shape=_renamed_shape(known.shape, old, new),
        required={k: new if c == old else c for k, c in known.required.items()},
        readings=tuple(
            replace(each, columns=swapped_set(each.columns, old, new)) for each in known.readings
        ),
    )


def _rename_referenced(state: State, name: RelationName, old: str, new: str) -> None:
    for table in state.tables.values():
        foreign = tuple(
            replace(f, references=swapped(f.references, old, new)) if f.table == name else f
            for f in table.shape.foreign_keys
        )
        state.reshape(replace(table.shape, foreign_keys=foreign))


def _renamed_shape(shape: TableSchema, old: str, new: str) -> TableSchema:
    columns = (
        replace(each, generated=renamed(each.generated, old, new)) if each.generated else each
        for each in shape.columns
    )
    return replace(
        shape,
        columns=named(tuple(columns), old, new),
        keys=tuple(
            replace(
                each,
                columns=swapped(each.columns, old, new),
                included=swapped(each.included, old, new),
            )
            for each in shape.keys
        ),
        checks=tuple(
            replace(
                each,
                columns=swapped_set(each.columns, old, new),
                expression=renamed(each.expression, old, new),
            )
            for each in shape.checks
        ),
        foreign_keys=tuple(
            replace(
                each,
                columns=swapped(each.columns, old, new),
                emptied=swapped(each.emptied, old, new),
            )
            for each in shape.foreign_keys
        ),
        indexes=tuple(_with_column(i, shape.name, old, new) for i in shape.indexes),
        triggers=tuple(replace(t, columns=swapped(t.columns, old, new)) for t in shape.triggers),
    )


def _with_column(index: Index, table: RelationName, old: str, new: str) -> Index:
    if old not in index.columns:
        return index
    return moved_index(index, table, index.name, (old, new))
