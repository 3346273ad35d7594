"""The layout of a merge: which part has which columns, by which key."""

from toolchain.model.refactoring import MergeTables
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.finding import table_of
from toolchain.refactor.merge.layout import MergeLayout, PartLayout
from toolchain.refactor.merge.refusals import one_key, refuse, refuse_target
from toolchain.refactor.phases import UnableError
from toolchain.refactor.sql import named


def layout(change: str, merge: MergeTables, schema: Schema) -> MergeLayout:
    """The layout of a merge; raises UnableError where somebody would break."""
    into = table_of(schema, merge.into)
    if not merge.tables:
        raise UnableError("no table is to be merged", "name one or more in 'tables'")
    refuse_target(into)
    key = one_key(into)
    for name in merge.tables:
        refuse(table_of(schema, name), into, schema)
    parts = tuple(_part(change, table_of(schema, name)) for name in merge.tables)
    taken = [column.name for column in into.columns]
    for part in parts:
        for column in part.columns:
            if column.name in taken:
                raise UnableError(
                    f"{into.name} would have two columns {column.name}",
                    f"rename the one of {part.table} in an earlier release",
                )
            taken.append(column.name)
    (key_type,) = (column.type for column in into.columns if column.name == key)
    return MergeLayout(change=change, into=into.name, key=key, key_type=key_type, parts=parts)


def _part(change: str, table: TableSchema) -> PartLayout:
    key = one_key(table)
    default = table.column(key)
    columns = tuple(column for column in table.columns if column.name != key)
    required = any(column.not_null for column in columns)
    return PartLayout(
        table=table.name,
        key=key,
        columns=columns,
        checks=table.checks,
        foreign_keys=tuple(each for each in table.foreign_keys if each.columns != (key,)),
        key_default=default.default if default else None,
        order=tuple(column.name for column in table.columns),
        marker=None if required else named(change, table.name.name, "present"),
    )
