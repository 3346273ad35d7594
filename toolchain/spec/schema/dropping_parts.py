"""A column or a constraint taken away, with all that PostgreSQL takes along."""

from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import TableSchema
from toolchain.spec.schema.dropping_relations import drop_owned, drop_readers, drop_references
from toolchain.spec.schema.state import State
from toolchain.spec.schema.swap import without
from toolchain.spec.schema.text import columns_of, parsed


def drop_column(state: State, table: RelationName, name: str, *, cascade: bool) -> None:
    """Take a column away with every key, check, index, foreign key and trigger that needs it."""
    shape = state.shape(table)
    if all(each.name != name for each in shape.columns):
        return
    generated = [c.name for c in shape.columns if c.generated and name in _names(c.generated)]
    lost = [key for key in shape.keys if name in key.needs]
    if cascade:
        drop_readers(state, table, name)
        for key in lost:
            drop_references(state, table, frozenset(key.columns))
    state.reshape(_without(state, state.shape(table), name, {key.name for key in lost}))
    known = state.tables[table]
    state.tables[table] = replace(
        known,
        required={key: column for key, column in known.required.items() if column != name},
        readings=tuple(each for each in known.readings if name not in each.columns),
    )
    for publication, each in state.publications.items():
        if name in each.tables.get(table, ()):
            kept = {other: names for other, names in each.tables.items() if other != table}
            state.publications[publication] = replace(each, tables=kept)
    drop_owned(state, table, name)
    for child in state.children(table):
        drop_column(state, child, name, cascade=cascade)
    for column in generated:
        drop_column(state, table, column, cascade=cascade)


def _names(expression: str) -> frozenset[str]:
    return columns_of(parsed(expression))


def _readers(state: State, table: RelationName, kind: str, column: str) -> set[str]:
    readings = state.tables[table].readings
    return {each.name for each in readings if each.kind == kind and column in each.columns}


def _without(state: State, shape: TableSchema, name: str, keys: set[str]) -> TableSchema:
    """A table without a column; a trigger or policy goes only where CASCADE has been said."""
    triggers = _readers(state, shape.name, "trigger", name)
    policies = _readers(state, shape.name, "policy", name)
    rules = _readers(state, shape.name, "rule", name)
    return replace(
        shape,
        columns=tuple(each for each in shape.columns if each.name != name),
        keys=tuple(each for each in shape.keys if each.name not in keys),
        checks=tuple(each for each in shape.checks if name not in each.columns),
        foreign_keys=tuple(each for each in shape.foreign_keys if name not in each.columns),
        indexes=tuple(each for each in shape.indexes if name not in each.columns),
        triggers=tuple(
            each
            for each in shape.triggers
            if name not in each.columns and each.name not in triggers
        ),
        policies=tuple(each for each in shape.policies if each not in policies),
        rules=tuple(each for each in shape.rules if each not in rules),
    )


def drop_constraint(state: State, table: RelationName, name: str, *, cascade: bool) -> None:
    """Take a constraint away; one that is NOT NULL by name frees its column."""
    shape = state.shape(table)
    key = next((each for each in shape.keys if each.name == name), None)
    if key is not None and cascade:
        drop_references(state, table, frozenset(key.columns))
        shape = state.shape(table)
    column = state.tables[table].required.get(name)
    if column is not None:
        columns = (replace(c, not_null=c.not_null and c.name != column) for c in shape.columns)
        shape = replace(shape, columns=tuple(columns))
    state.reshape(
        replace(
            shape,
            keys=without(shape.keys, name),
            checks=without(shape.checks, name),
            foreign_keys=without(shape.foreign_keys, name),
            indexes=tuple(i for i in shape.indexes if i.name != table.beside(name)),
        )
    )
    for child in state.children(table):
        drop_constraint(state, child, name, cascade=cascade)


def forget_reading(state: State, table: RelationName, kind: str, name: str) -> None:
    """What an object needed, when it is gone."""
    known = state.tables[table]
    readings = (r for r in known.readings if (r.kind, r.name) != (kind, name))
    state.tables[table] = replace(known, readings=tuple(readings))
