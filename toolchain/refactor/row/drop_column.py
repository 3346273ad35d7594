"""DropColumn: new servers do not write it, old ones find a value, the contract drops it."""

from toolchain.model.refactoring import DropColumn, Strategy
from toolchain.model.schema import Column, Schema, TableSchema
from toolchain.refactor.expressions import inputs, is_null, require_readable
from toolchain.refactor.phases import Expand, Phases, UnableError
from toolchain.refactor.row.finding import require_settled, table_of
from toolchain.refactor.row.following import following
from toolchain.refactor.row.removing import dropped_along, require_droppable
from toolchain.refactor.row.triggers import RowTrigger
from toolchain.refactor.sql import comment, ident, relation, script

_NOTHING = "SELECT 'servers that do not write the column need nothing' AS note;"


def phases(change: str, refactoring: DropColumn, schema: Schema) -> Phases:
    """A trigger fills the column where new servers leave it out; nothing old is touched."""
    table = table_of(schema, refactoring.table)
    column = table.column(refactoring.column)
    if column is None:
        raise UnableError(
            f"{table.name} has no column {refactoring.column}", "leave the change out"
        )
    require_droppable(schema, table, (column.name,), replaced=False)
    require_settled(table, {column.name, *inputs(refactoring.value or "NULL")})
    trigger = _trigger(change, refactoring, table, column)
    gone = dropped_along(table, (column.name,))
    along = f" With it go {', '.join(gone)}." if gone else ""
    return Phases(
        strategy=Strategy.ROW if trigger else Strategy.CATALOG,
        why=(
            "servers that still read the column find a value in rows of those that do not write it"
            if trigger
            else "a row without the column's value is as old servers may find it anyway"
        )
        + (f"; the contract drops {', '.join(gone)} with it" if gone else ""),
        expand=Expand(
            sql=script(trigger.create() if trigger else _NOTHING),
            undo=script(trigger.drop() if trigger else _NOTHING),
        ),
        contract=script(
            comment(f"Nobody reads {column.name} any more.{along}"),
            trigger.drop() if trigger else "",
            f"ALTER TABLE {relation(table.name)} DROP COLUMN {ident(column.name)};",
        ),
        ready_at_expand=True,
    )


def _trigger(
    change: str, refactoring: DropColumn, table: TableSchema, column: Column
) -> RowTrigger | None:
    value = refactoring.value
    fills_itself = (
        column.identity is not None
        or column.generated is not None
        or (column.default is not None and not is_null(column.default))
    )
    if value is None:
        if column.not_null and not fills_itself:
            raise UnableError(
                f"{column.name} of {table.name} is NOT NULL, and servers that do not know it could"
                " not insert a row",
                "give `value`: what servers that still read the column find in such rows",
            )
        return None
    if fills_itself:
        raise UnableError(
            f"{column.name} of {table.name} fills itself, so servers that still read it never find"
            " it empty",
            "leave `value` out, or take the column's default away in an earlier change",
        )
    if column.name in inputs(value) or (column.not_null and is_null(value)):
        raise UnableError(
            f"the value of {column.name} of {table.name} is that of the column itself, or NULL",
            "give a constant, or a value of the row's other columns",
        )
    require_readable(table, inputs(value), f"the value of {column.name}")
    return following(change, table, column.name, value)
