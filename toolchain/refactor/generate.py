"""Which generator makes the phases of which refactoring."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

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
from toolchain.model.schema import Schema
from toolchain.refactor.phases import Phases

# Imported when they are asked for: a product uses two or three of them.
_GENERATORS: dict[type, str] = {
    AddColumn: "row.add_column",
    AddConstraint: "catalog.add_constraint",
    AddEnumValue: "catalog.add_enum_value",
    AddIndex: "catalog.add_index",
    ChangeColumns: "row.change_columns",
    DropColumn: "row.drop_column",
    DropConstraint: "catalog.drop_constraint",
    DropIndex: "catalog.drop_index",
    DropTable: "catalog.drop_table",
    ExtractLookup: "row.extract_lookup",
    MergeTables: "merge.tables",
    MoveColumns: "move.columns",
    RenameColumn: "row.rename_column",
    RenameTable: "rename_table",
    SetDefault: "catalog.set_default",
    SetNotNull: "row.set_not_null",
    SplitTable: "split.table",
}


def generate(change: str, refactoring: Refactoring, schema: Schema) -> Phases:
    """The phases of a change, on a schema as it is right before its expand.

    Raises UnableError where the refactoring would break somebody on this schema.
    """
    module = import_module(f"toolchain.refactor.{_GENERATORS[type(refactoring)]}")
    phases = cast("Callable[[str, Refactoring, Schema], Phases]", module.phases)
    return phases(change, refactoring, schema)
