"""A table that goes when the servers that use it are gone."""

from toolchain.model.refactoring import DropTable, Strategy
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.catalog.finding import relation_is_there
from toolchain.refactor.finding import holders, readers, table_of
from toolchain.refactor.phases import Phases, UnableError
from toolchain.refactor.sql import comment, relation, script

_REFUSES = frozenset({"no action", "restrict"})


def phases(change: str, refactoring: DropTable, schema: Schema) -> Phases:  # noqa: ARG001
    """DROP TABLE in the contract, without CASCADE: what nobody named is nobody's to drop."""
    table = table_of(schema, refactoring.table)
    _require_alone(table, schema)
    _require_silent(table)
    return Phases(
        strategy=Strategy.CATALOG,
        why=(
            "New servers do not use the table, so it has no new form; it stays until no server is"
            " left that does."
        ),
        expand=relation_is_there(table.name),
        contract=script(
            comment("The rows are gone with it.") + f"\nDROP TABLE {relation(table.name)};"
        ),
        ready_at_expand=True,
    )


def _require_alone(table: TableSchema, schema: Schema) -> None:
    """Refuse what DROP TABLE would refuse, or would break, a release later."""
    for other, foreign in schema.referencing(table.name):
        if other != table.name:
            raise UnableError(
                f"the foreign key {foreign.name} of {other} refers to {table.name}",
                f"drop {foreign.name} first, by drop_constraint in an earlier release",
            )
    for kind, name in readers(table):
        raise UnableError(
            f"the {kind} {name} reads {table.name}", f"drop the {kind} in an earlier release"
        )
    for name, column in holders(schema, table):
        raise UnableError(
            f"{column.name} of {name} needs {table.name}, by its type or a sequence that it owns",
            f"change {column.name} in an earlier release",
        )
    if table.children:
        raise UnableError(
            f"{table.name} is partitioned, is a partition, or inherits, so other tables hang on it",
            "write the SQL by hand",
        )


def _require_silent(table: TableSchema) -> None:
    """Until the contract its rows are there, and new servers don't know to delete them."""
    for foreign in table.foreign_keys:
        if foreign.on_delete in _REFUSES and foreign.table != table.name:
            raise UnableError(
                f"the rows of {table.name} refer to {foreign.table} by {foreign.name}, so until the"
                " contract new servers, which do not know of them, could not delete there",
                f"drop {foreign.name} first, by drop_constraint in the same release or before",
            )
