"""What every generator asks of a schema first: the table, names that are taken, who reads it."""

from collections.abc import Iterator

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Column, Schema, TableSchema
from toolchain.refactor.phases import UnableError
from toolchain.refactor.sql import ident, relation


def table_of(schema: Schema, name: RelationName) -> TableSchema:
    """The table of that name; raises UnableError."""
    table = schema.tables.get(name)
    if table is None:
        raise UnableError(
            f"there is no table {name}",
            "name a table that the SQL of an earlier step has made, with its schema if that is not"
            " public",
        )
    return table


def relations(schema: Schema) -> frozenset[RelationName]:
    """Tables, views, sequences and indexes, which share their names."""
    tables = schema.tables.values()
    indexes = (index.name for table in tables for index in table.indexes)
    keys = (table.name.beside(key.name) for table in tables for key in table.keys)
    return frozenset((*schema.tables, *schema.views, *schema.sequences, *indexes, *keys))


def taken(schema: Schema) -> frozenset[RelationName]:
    """The names that no table or view can have: each of them is a type too."""
    return relations(schema) | schema.enums.keys() | schema.types.keys()


def readers(table: TableSchema) -> Iterator[tuple[str, RelationName]]:
    """Views, and functions with an SQL-standard body: neither lets go of what it reads."""
    yield from (("view", name) for name in table.views)
    yield from (("function", name) for name in table.functions)


def default_of(schema: Schema, column: Column) -> str | None:
    """What a column holds where nobody gives a value: its own default, or that of its domain."""
    if column.default is not None:
        return column.default
    return next(
        (
            default
            for name, default in schema.types.items()
            if default is not None and column.type in (relation(name), ident(name.name))
        ),
        None,
    )


def holders(schema: Schema, table: TableSchema) -> Iterator[tuple[RelationName, Column]]:
    """Columns of other tables that need this one: by its type, or by a sequence that it owns."""
    row = (relation(table.name), ident(table.name.name))
    types = {*row, *(f"{name}[]" for name in row)}
    numbers = {column.default for column in table.columns if "nextval(" in (column.default or "")}
    for name, other in schema.tables.items():
        for column in other.columns if name != table.name else ():
            if column.type in types or column.default in numbers:
                yield name, column
