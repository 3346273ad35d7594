"""A relation, a type, a function or a schema under another name, and what refers to it."""

from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.refactor.sql import ident, relation
from toolchain.spec.schema.indexes import moved_index
from toolchain.spec.schema.state import State, Table, next_value
from toolchain.spec.schema.swap import named, rekeyed, swapped, swapped_set


def move(state: State, old: RelationName, new: RelationName) -> None:
    """Give a relation or a type another name or schema; ALTER TABLE does it to any of them."""
    if old in state.tables:
        _move_table(state, old, new)
    elif old in state.views:
        state.views = rekeyed(state.views, old, new)
        _reread(state, old, new)
    elif old in state.sequences:
        _move_sequence(state, old, new)
    else:
        state.enums = rekeyed(state.enums, old, new)
        state.types = rekeyed(state.types, old, new)
        _retype(state, old, new)
        _move_index(state, old, new)
        _refer(state, old, new)  # it may be a table that was there before the chain


def _move_table(state: State, old: RelationName, new: RelationName) -> None:
    state.tables = rekeyed(state.tables, old, new)
    known = state.tables[new]
    moved = tuple(moved_index(i, new, new.beside(i.name.name)) for i in known.shape.indexes)
    state.tables[new] = replace(known, shape=replace(known.shape, name=new, indexes=moved))
    for sequence, owner in list(state.sequences.items()):
        if owner is not None and owner[0] == old:
            state.sequences[sequence] = (new, owner[1])
            if old.schema != new.schema:
                _move_sequence(state, sequence, new.beside(sequence.name))
    _refer(state, old, new)


def _refer(state: State, old: RelationName, new: RelationName) -> None:
    """Let foreign keys, descendants, publications and views mean a table by its new name."""
    for name, table in state.tables.items():
        shape = table.shape
        foreign = (replace(f, table=new) if f.table == old else f for f in shape.foreign_keys)
        state.tables[name] = replace(
            table,
            shape=replace(shape, foreign_keys=tuple(foreign)),
            parents=swapped(table.parents, old, new),
        )
    for title, publication in state.publications.items():
        published = rekeyed(publication.tables, old, new)
        state.publications[title] = replace(publication, tables=published)
    _reread(state, old, new)


def _reread(state: State, old: RelationName, new: RelationName) -> None:
    for name, view in state.views.items():
        state.views[name] = replace(view, reads=rekeyed(view.reads, old, new))
    for signature, function in state.functions.items():
        state.functions[signature] = replace(function, reads=rekeyed(function.reads, old, new))


def _move_sequence(state: State, old: RelationName, new: RelationName) -> None:
    state.sequences = rekeyed(state.sequences, old, new)
    for table in state.tables.values():
        columns = tuple(
            replace(each, default=next_value(new)) if each.default == next_value(old) else each
            for each in table.shape.columns
        )
        state.reshape(replace(table.shape, columns=columns))


def _retype(state: State, old: RelationName, new: RelationName) -> None:
    written = {relation(old): relation(new), ident(old.name): ident(new.name)}
    if old.schema not in state.path or new.schema not in state.path:
        written[ident(old.name)] = relation(new)
    for table in state.tables.values():
        columns = []
        for column in table.shape.columns:
            bare = column.type.removesuffix("[]")
            changed = written.get(bare, bare) + column.type[len(bare) :]
            columns.append(replace(column, type=changed))
        state.reshape(replace(table.shape, columns=tuple(columns)))


def _move_index(state: State, old: RelationName, new: RelationName) -> None:
    for name, table in state.tables.items():
        if any(index.name == old for index in table.shape.indexes):
            indexes = (
                moved_index(i, name, new) if i.name == old else i for i in table.shape.indexes
            )
            state.reshape(replace(table.shape, indexes=tuple(indexes)))
        elif name.schema == old.schema:
            rename_constraint(state, name, old.name, new.name, keys_alone=True)


def rename_constraint(
    state: State, name: RelationName, old: str, new: str, *, keys_alone: bool = False
) -> None:
    """Give a constraint of a table another name; a key's index has the same one."""
    if name not in state.tables:
        return
    shape = replace(state.shape(name), keys=named(state.shape(name).keys, old, new))
    if not keys_alone:
        shape = replace(
            shape,
            checks=named(shape.checks, old, new),
            foreign_keys=named(shape.foreign_keys, old, new),
            indexes=tuple(
                moved_index(i, name, name.beside(new)) if i.name == name.beside(old) else i
                for i in shape.indexes
            ),
        )
        known = state.tables[name]
        state.tables[name] = replace(known, required=rekeyed(known.required, old, new))
        for child in state.children(name):
            rename_constraint(state, child, old, new)
    state.reshape(shape)


def rename_reading(state: State, name: RelationName, kind: str, old: str, new: str) -> None:
    """What an object needs, under its new name."""
    known: Table | None = state.tables.get(name)
    if known is not None:
        readings = tuple(
            replace(each, name=new) if (each.kind, each.name) == (kind, old) else each
            for each in known.readings
        )
        state.tables[name] = replace(known, readings=readings)


def move_function(state: State, old: RelationName, new: RelationName) -> None:
    """Give a function another name, by which triggers call it then."""
    for signature in [each for each in state.functions if each[0] == old]:
        state.functions[new, signature[1]] = state.functions.pop(signature)
    for table in state.tables.values():
        triggers = tuple(
            replace(each, function=relation(new)) if each.function == relation(old) else each
            for each in table.shape.triggers
        )
        state.reshape(replace(table.shape, triggers=triggers))


def rename_schema(state: State, old: str, new: str) -> None:
    """Give a schema another name, and so all that is in it."""
    for name in sorted(set(state.names())):
        if name.schema == old:
            move(state, name, RelationName(new, name.name))
    for function in {name for name, _ in state.functions if name.schema == old}:
        move_function(state, function, RelationName(new, function.name))
    for title, publication in state.publications.items():
        schemas = swapped_set(publication.schemas, old, new)
        state.publications[title] = replace(publication, schemas=schemas)
