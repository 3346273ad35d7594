"""Which constraint and index goes with which part; what fits no part is refused."""

from toolchain.model.refactoring import Part, SplitTable
from toolchain.model.schema import Key, Schema, TableSchema
from toolchain.refactor.phases import UnableError
from toolchain.refactor.split.layout import PartLayout, reference_names
from toolchain.refactor.split.refusals import refuse


def layouts(split: SplitTable, schema: Schema) -> tuple[PartLayout, ...]:
    """The parts of a split, those without a key of their own."""
    table, key = refuse(split, schema)
    return tuple(_layout(part, table, key) for part in split.into if not part.key)


def _layout(part: Part, table: TableSchema, key: Key) -> PartLayout:
    moved = frozenset(part.columns)
    columns = tuple(column for name in part.columns if (column := table.column(name)))
    key_columns = tuple(column for name in key.columns if (column := table.column(name)))
    reference = reference_names(table.name, key.columns, part.rename)
    if len(reference) != len(key.columns):
        raise UnableError(
            f"{part.table} renames {len(reference)} columns, and the primary key of {table.name}"
            f" has {len(key.columns)}",
            f"give 'rename' one name for each of {', '.join(key.columns)}",
        )
    if clash := moved & set(reference):
        raise UnableError(
            f"{part.table} would have two columns {min(clash)}",
            "give the reference to the table another name with 'rename'",
        )
    return PartLayout(
        source=table.name,
        table=part.table,
        key=key.columns,
        reference=tuple(reference),
        columns=columns,
        key_columns=key_columns,
        key_is_fixed=all(column.identity == "always" for column in key_columns),
        keys=tuple(each for each in table.keys if moved.issuperset(each.needs)),
        checks=tuple(each for each in table.checks if each.columns and each.columns <= moved),
        foreign_keys=tuple(each for each in table.foreign_keys if moved.issuperset(each.columns)),
        indexes=tuple(
            each for each in table.indexes if each.columns and moved.issuperset(each.columns)
        ),
    )
