"""What a refactoring holds fast while it is under way, and whether another step moves it.

The SQL of all phases is written on the schema as it is before the expand. A column that comes, goes
or changes under it would be missing in a view, or in a copy, and the contract would lose it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import assert_never

from toolchain.model.refactoring import (
    AddColumn,
    AddConstraint,
    AddEnumValue,
    AddIndex,
    ChangeColumns,
    DropColumn,
    DropConstraint,
    DropIndex,
    DropTable,
    ExtractLookup,
    MergeTables,
    MoveColumns,
    Refactoring,
    RenameColumn,
    RenameTable,
    SetDefault,
    SetNotNull,
    SplitTable,
)
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Check, ForeignKey, Key, Schema, TableSchema
from toolchain.refactor.expressions import inputs

# The columns of each table that are held; None stands for the whole table.
Held = Mapping[RelationName, frozenset[str] | None]


def held_by(refactoring: Refactoring | None, schema: Schema, *, keys: bool = True) -> Held:
    """What a refactoring needs to stay as it is from its expand to its contract.

    Without `keys` the columns of a key are left out that the refactoring only refers to: two may
    do that at once.
    """

    def key(table: RelationName) -> tuple[str, ...]:
        return _key(table, schema) if keys else ()

    match refactoring:
        case SplitTable(table=table, into=parts):
            own = {name for part in parts for name in (*part.columns, *part.key)}
            return {
                table: frozenset({*own, *key(table)}),
                **{part.table: None for part in parts},
            }
        case MergeTables(tables=tables, into=into):
            return {**dict.fromkeys(tables), into: frozenset(key(into))}
        case MoveColumns(table=table, columns=columns, along=along, to=to):
            return {
                table: frozenset({*columns, *along, *key(table)}),
                to: frozenset({*columns, *key(to)}),
            }
        case RenameTable(table=table, to=name):
            return {table: None, table.beside(name): None}
        case RenameColumn(table=table, column=column, to=name):
            return {table: frozenset({column, name})}
        case ChangeColumns(table=table, old=old, new=new):
            names = {column.name for column in old} | {column.name for column in new}
            return {table: frozenset(names)}
        case ExtractLookup(table=table, column=column, reference=reference, into=into):
            return {table: frozenset({column, reference}), into: None}
        case AddColumn() | DropColumn() | SetNotNull() | SetDefault():
            return {refactoring.table: frozenset({refactoring.column})}
        case DropTable(table=table):
            return {table: None}
        case DropIndex(index=name):
            return {
                table: frozenset(index.columns)
                for table, known in schema.tables.items()
                for index in known.indexes
                if index.name == name
            }
        case DropConstraint(table=table, name=constraint):
            return {table: _constrained(table, constraint, schema)}
        case AddConstraint(table=table, references=target, referenced=referenced):
            read = inputs(refactoring.check) if refactoring.check else ()
            mine = {table: frozenset({*refactoring.unique, *refactoring.columns, *read})}
            return mine if target is None else {**mine, target: frozenset(referenced)}
        case AddIndex() | AddEnumValue() | None:
            return {}
        case _:
            assert_never(refactoring)


def _constrained(table: RelationName, constraint: str, schema: Schema) -> frozenset[str]:
    """The columns that a constraint of a table reads."""
    known = schema.tables.get(table)
    found: tuple[Key | Check | ForeignKey, ...] = (
        (*known.keys, *known.checks, *known.foreign_keys) if known else ()
    )
    return frozenset(column for each in found if each.name == constraint for column in each.columns)


def meeting(one: Held, other: Held) -> Iterator[RelationName]:
    """The tables of which two refactorings hold the same."""
    for table in sorted(one.keys() & other.keys()):
        mine, others = one[table], other[table]
        if mine is None or others is None or mine & others:
            yield table


def moved(
    held: Held, before: Schema, after: Schema, *, indexes: bool = True
) -> Iterator[RelationName]:
    """The tables of which a step changed what is held; without `indexes` these may change."""
    for table, columns in sorted(held.items()):
        then, now = (_view(each.tables.get(table), columns) for each in (before, after))
        if then is not None and now is not None and not indexes:
            now = replace(now, indexes=then.indexes)
        if then != now:
            yield table


def dropped_indexes(refactoring: Refactoring | None, schema: Schema) -> Iterator[RelationName]:
    """The indexes that the contract of a renamed column takes along with the column's shadow.

    The column itself is renamed then, with its own indexes; one of the same definition stays.
    """
    if not isinstance(refactoring, RenameColumn) or refactoring.table not in schema.tables:
        return
    table, old, new = schema.tables[refactoring.table], refactoring.column, refactoring.to
    for index in table.indexes:
        if new in index.columns:
            wanted = tuple(old if name == new else name for name in index.columns)
            others = (each for each in table.indexes if each.columns == wanted)
            keys = (each for each in table.keys if each.columns == wanted)
            if not any(others) and not any(keys):
                yield index.name


def _key(table: RelationName, schema: Schema) -> tuple[str, ...]:
    known = schema.tables.get(table)
    key = known.primary_key if known else None
    return key.columns if key else ()


def _view(table: TableSchema | None, columns: frozenset[str] | None) -> TableSchema | None:
    """A table with nothing but what concerns these columns; triggers that name none do not."""
    if table is None or columns is None:
        return table
    return replace(
        table,
        columns=tuple(each for each in table.columns if each.name in columns),
        keys=tuple(each for each in table.keys if columns & set(each.columns)),
        checks=tuple(each for each in table.checks if columns & each.columns),
        foreign_keys=tuple(each for each in table.foreign_keys if columns & set(each.columns)),
        indexes=tuple(each for each in table.indexes if columns & set(each.columns)),
        triggers=tuple(each for each in table.triggers if columns & set(each.columns)),
    )
