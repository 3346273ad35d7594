"""The table and the columns that a change is about, or the sentence that says what they are not."""

from collections.abc import Iterable

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Column, Schema, TableSchema
from toolchain.refactor import finding
from toolchain.refactor.phases import UnableError
from toolchain.refactor.row.required import PREFIX
from toolchain.refactor.sql import comment


def table_of(schema: Schema, name: RelationName) -> TableSchema:
    """The table, when it is one by itself."""
    table = finding.table_of(schema, name)
    if table.children:
        raise UnableError(
            f"{name} is partitioned or inherits, and a row that its trigger changes may belong to"
            " another partition",
            "write the phases of this change in SQL",
        )
    return table


def column_of(table: TableSchema, name: str) -> Column:
    """A column that a trigger may write."""
    column = table.column(name)
    if column is None:
        raise UnableError(
            f"{table.name} has no column {name}", "name a column that the table has by then"
        )
    if column.generated is not None:
        raise UnableError(
            f"{name} of {table.name} is generated, so neither a server nor a trigger can write it",
            "change the columns that it is computed from, or write the change in SQL",
        )
    return column


def require_free(table: TableSchema, name: str) -> None:
    """Raise UnableError where a new column's name is taken."""
    if table.column(name) is not None:
        raise UnableError(
            f"{table.name} has a column {name} already",
            "choose another name; both forms stand in the table until the contract",
        )


def require_plain_writes(table: TableSchema, columns: tuple[str, ...]) -> None:
    """Raise UnableError where something looks at what a statement writes, before any trigger."""
    if table.rules:
        raise UnableError(
            f"the rule {table.rules[0]} of {table.name} rewrites a statement before a trigger could"
            " say in the other form what it writes",
            "replace the rule by a trigger in an earlier change",
        )
    for trigger in table.triggers:
        for name in sorted(set(trigger.columns) & set(columns)):
            raise UnableError(
                f"the trigger {trigger.name} of {table.name} is UPDATE OF {name}, and does not fire"
                " when a statement writes the other form",
                "make it an UPDATE trigger WHEN the column IS DISTINCT, in an earlier change",
            )


def require_unfiltered(table: TableSchema, so: str) -> None:
    """Raise UnableError where policies say who sees which rows; `so` is what comes of it."""
    if table.row_security or table.policies:
        raise UnableError(
            f"{table.name} has row security, and {so}",
            "write the phases of this change in SQL, or take the row security away in an earlier"
            " change",
        )


def require_settled(table: TableSchema, columns: Iterable[str]) -> None:
    """Raise UnableError where a column belongs to another change that has no contract yet.

    Its trigger and this one would each have to come after the other.
    """
    used = frozenset(columns)
    for check in table.checks:
        if check.name.startswith(f"{PREFIX}_") and used & check.columns:
            raise UnableError(
                f"{', '.join(sorted(used & check.columns))} of {table.name} belongs to another"
                f" change ({check.name}), whose contract is still to come",
                "expand this change after that contract",
            )


def publication_note(schema: Schema, table: TableSchema) -> str:
    """A comment for whoever replicates the table."""
    names = (*table.publications, *schema.whole_publications)
    if not names:
        return ""
    return comment(
        f"{table.name} is published by {', '.join(names)}: a subscriber needs the new columns"
        " before this runs, unless the publication lists columns."
    )


def walk_key(table: TableSchema) -> str:
    """The one column by which the migration walks over the table."""
    if table.row_security and table.row_security_forced:
        raise UnableError(
            f"{table.name} has FORCE ROW LEVEL SECURITY, so the role that runs the migration may"
            " not see every row that it must fill",
            "say NO FORCE ROW LEVEL SECURITY in an earlier change, and FORCE after the contract",
        )
    keys = sorted(table.keys, key=lambda key: not key.primary)
    for key in keys:
        column = table.column(key.columns[0])
        if len(key.columns) == 1 and column is not None and (key.primary or column.not_null):
            return key.columns[0]
    raise UnableError(
        f"{table.name} has no primary key of one column, by which old rows could be filled in"
        " batches",
        "give it a unique NOT NULL column in an earlier change, or write the change in SQL",
    )
