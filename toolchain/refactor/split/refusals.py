"""Splits that would break somebody, each with the cure."""

from collections.abc import Iterator

from toolchain.model.refactoring import Part, SplitTable
from toolchain.model.schema import Column, Key, Schema, TableSchema
from toolchain.refactor.expressions import is_constant
from toolchain.refactor.finding import default_of, table_of, taken
from toolchain.refactor.phases import UnableError
from toolchain.refactor.split import readers
from toolchain.refactor.split.torn import torn

_UNKNOWN = "unknown"  # toolchain.spec.schema says so of a column of CREATE TABLE AS


def refuse(split: SplitTable, schema: Schema) -> tuple[TableSchema, Key]:
    """The table and its primary key; UnableError for a split that would break somebody."""
    table = table_of(schema, split.table)
    key = table.primary_key
    if key is None:
        raise UnableError(
            f"{table.name} has no primary key, and its parts refer to it by that",
            "add a primary key in an earlier release",
        )
    for message, cure in _complaints(split, table, key, schema):
        raise UnableError(message, cure)
    return table, key


def _complaints(
    split: SplitTable, table: TableSchema, key: Key, schema: Schema
) -> Iterator[tuple[str, str]]:
    parts = [part for part in split.into if not part.key]
    moved = [name for part in parts for name in part.columns]
    yield from _shape(table, key, parts, moved, schema)
    for name in moved:
        if column := table.column(name):
            yield from _column(table, column, schema)
    for part in parts:
        yield from torn(table, frozenset(part.columns), part)
    yield from readers.complaints(table, frozenset(moved), schema)


def _shape(
    table: TableSchema, key: Key, parts: list[Part], moved: list[str], schema: Schema
) -> Iterator[tuple[str, str]]:
    if key.deferrable:
        yield (
            f"the primary key of {table.name} is deferrable, so no part can refer to it",
            "make it not deferrable in an earlier release",
        )
    if table.unlogged:
        yield (
            f"{table.name} is UNLOGGED, and no table of another kind can refer to it",
            "ALTER TABLE … SET LOGGED in an earlier release, or split it by SQL of your own",
        )
    if table.children:
        yield (
            f"{table.name} is partitioned, or inherits",
            "split it by SQL of your own; a table of many tables is beyond this refactoring",
        )
    for name in moved:
        if table.column(name) is None:
            yield (
                f"{table.name} has no column {name}",
                "name columns that the table has when the change is expanded",
            )
        if name in key.columns:
            yield (
                f"{name} is in the primary key of {table.name}, which every part has anyway",
                f"leave {name} out of 'columns'; 'rename' says what the part calls it",
            )
        if moved.count(name) > 1:
            yield f"{name} would move to two parts", "name each column in one part only"
    for part in parts:
        if part.table in taken(schema):
            yield f"{part.table} is there already", "give the part another name"
        if sum(each.table == part.table for each in parts) > 1:
            yield f"two parts are called {part.table}", "give one of them another name"
        if not part.columns:
            yield f"{part.table} has no columns", "name the columns that move to it"


def _column(table: TableSchema, column: Column, schema: Schema) -> Iterator[tuple[str, str]]:
    name = f"{table.name}.{column.name}"
    if column.type == _UNKNOWN:
        yield (
            f"the type of {name} cannot be read from the chain's SQL",
            f"name the type where {column.name} is made",
        )
    if column.identity:
        yield (
            f"{name} is an identity column, and its numbers would be drawn twice",
            "leave it where it is, or take its identity away in an earlier release",
        )
    if column.generated:
        yield (
            f"{name} is a generated column, which nobody can write",
            "drop it in an earlier release, and add it to the part after the contract",
        )
    if column.default is None and (default := default_of(schema, column)) is not None:
        yield (
            f"{name} has the default {default} of its domain {column.type}, so each new row of"
            f" {table.name} would have the part already when a server comes to insert it",
            "let servers write the value, and drop the domain's default in an earlier release",
        )
    if column.default and not is_constant(column.default):
        yield (
            f"{name} has the default {column.default}, so each new row of {table.name} would have"
            " the part already when a server comes to insert it",
            "let servers write the value, and drop the default by drop_default in an earlier"
            " release",
        )
