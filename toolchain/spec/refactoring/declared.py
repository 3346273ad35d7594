"""A refactoring as a step of a spec declares it; its structure has been checked."""

from collections.abc import Callable, Mapping

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
    NewColumn,
    OldColumn,
    Part,
    Refactoring,
    RenameColumn,
    RenameTable,
    SetDefault,
    SetNotNull,
    SplitTable,
    Strategy,
)
from toolchain.model.relation_name import RelationName
from toolchain.spec.located.node import Table, as_table


def operation_of(entry: Table) -> str | None:
    """The key by which a step declares a refactoring; None where it has SQL, or nothing."""
    return next((key for key in _READERS if entry.has(key)), None)


def refactoring_of(entry: Table, operation: str) -> Refactoring:
    """The refactoring that a step declares."""
    return _READERS[operation](entry.table(operation))


def _relation(table: Table, key: str = "table") -> RelationName:
    return RelationName.parse(table.text(key))


def _names(table: Table, key: str) -> tuple[str, ...]:
    return tuple(each.text for each in table.scalars(key))


def _text(table: Table, key: str) -> str | None:
    return table.text(key) if table.has(key) else None


def _split_table(entry: Table) -> SplitTable:
    table = _relation(entry)
    return SplitTable(
        table=table,
        into=tuple(
            Part(
                table=RelationName.parse(name) if "." in name else table.beside(name),
                columns=_names(as_table(part), "columns"),
                key=_names(as_table(part), "key"),
                rename=_names(as_table(part), "rename"),
            )
            for name, part in entry.table("into").nodes.items()
        ),
        strategy=Strategy(entry.text("strategy")) if entry.has("strategy") else None,
    )


def _merge_tables(entry: Table) -> MergeTables:
    return MergeTables(
        tables=tuple(map(RelationName.parse, _names(entry, "tables"))),
        into=_relation(entry, "into"),
    )


def _move_columns(entry: Table) -> MoveColumns:
    return MoveColumns(
        table=_relation(entry),
        columns=_names(entry, "columns"),
        along=_names(entry, "along"),
        to=_relation(entry, "to"),
    )


def _rename_table(entry: Table) -> RenameTable:
    return RenameTable(table=_relation(entry), to=entry.text("to"))


def _rename_column(entry: Table) -> RenameColumn:
    return RenameColumn(table=_relation(entry), column=entry.text("column"), to=entry.text("to"))


def _change_columns(entry: Table) -> ChangeColumns:
    old, new = entry.table("old"), entry.table("new")
    return ChangeColumns(
        table=_relation(entry),
        old=tuple(OldColumn(name=name, value=old.text(name)) for name in old.nodes),
        new=tuple(
            NewColumn(
                name=name,
                type=new.table(name).text("type"),
                value=new.table(name).text("value"),
                not_null=new.table(name).flag("not_null", default=False),
            )
            for name in new.nodes
        ),
    )


def _add_column(entry: Table) -> AddColumn:
    return AddColumn(
        table=_relation(entry),
        column=entry.text("column"),
        type=entry.text("type"),
        value=_text(entry, "value"),
        default=_text(entry, "default"),
        not_null=entry.flag("not_null", default=False),
    )


def _set_not_null(entry: Table) -> SetNotNull:
    return SetNotNull(table=_relation(entry), column=entry.text("column"), fill=entry.text("fill"))


def _drop_column(entry: Table) -> DropColumn:
    return DropColumn(
        table=_relation(entry), column=entry.text("column"), value=_text(entry, "value")
    )


def _extract_lookup(entry: Table) -> ExtractLookup:
    return ExtractLookup(
        table=_relation(entry),
        column=entry.text("column"),
        into=_relation(entry, "into"),
        reference=entry.text("reference"),
        key=entry.text("key", "id"),
        label=entry.text("label", "name"),
    )


def _drop_table(entry: Table) -> DropTable:
    return DropTable(table=_relation(entry))


def _add_check(entry: Table) -> AddConstraint:
    return AddConstraint(table=_relation(entry), name=entry.text("name"), check=entry.text("check"))


def _add_unique(entry: Table) -> AddConstraint:
    return AddConstraint(
        table=_relation(entry), name=entry.text("name"), unique=_names(entry, "columns")
    )


def _add_foreign_key(entry: Table) -> AddConstraint:
    return AddConstraint(
        table=_relation(entry),
        name=entry.text("name"),
        columns=_names(entry, "columns"),
        references=_relation(entry, "references"),
        referenced=_names(entry, "referenced"),
        on_delete=entry.text("on_delete", "no action"),
    )


def _drop_constraint(entry: Table) -> DropConstraint:
    return DropConstraint(table=_relation(entry), name=entry.text("name"))


def _add_index(entry: Table) -> AddIndex:
    return AddIndex(
        table=_relation(entry),
        name=entry.text("name"),
        on=_names(entry, "on"),
        using=entry.text("using", "btree"),
        unique=entry.flag("unique", default=False),
        where=_text(entry, "where"),
    )


def _drop_index(entry: Table) -> DropIndex:
    return DropIndex(index=_relation(entry, "index"))


def _set_default(entry: Table) -> SetDefault:
    return SetDefault(
        table=_relation(entry), column=entry.text("column"), default=_text(entry, "default")
    )


def _add_enum_value(entry: Table) -> AddEnumValue:
    return AddEnumValue(
        type=_relation(entry, "type"),
        value=entry.text("value"),
        before=_text(entry, "before"),
        after=_text(entry, "after"),
    )


_READERS: Mapping[str, Callable[[Table], Refactoring]] = {
    "split_table": _split_table,
    "merge_tables": _merge_tables,
    "move_columns": _move_columns,
    "rename_table": _rename_table,
    "rename_column": _rename_column,
    "change_columns": _change_columns,
    "add_column": _add_column,
    "set_not_null": _set_not_null,
    "drop_column": _drop_column,
    "extract_lookup": _extract_lookup,
    "drop_table": _drop_table,
    "add_check": _add_check,
    "add_unique": _add_unique,
    "add_foreign_key": _add_foreign_key,
    "drop_constraint": _drop_constraint,
    "add_index": _add_index,
    "drop_index": _drop_index,
    "set_default": _set_default,
    "drop_default": _set_default,
    "add_enum_value": _add_enum_value,
}
