"""Moves that would break somebody, each with the cure."""

from collections.abc import Iterator, Sequence

from toolchain.model.schema import Column, TableSchema
from toolchain.refactor.expressions import inputs
from toolchain.refactor.finding import readers
from toolchain.refactor.phases import UnableError

_BY_HAND = "move it by SQL of your own"
# The group's lock is told by the key's text, so equal keys must have the same text.
_KEYS = frozenset({"smallint", "integer", "bigint", "text", "character varying", "uuid", "boolean"})
_NOT_COMPARED = frozenset(
    {"json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle"}
)


def child_key(child: TableSchema) -> Column:
    """The column of the primary key, by which the migration walks."""
    key = child.primary_key
    if key is None or len(key.columns) != 1 or key.deferrable:
        raise UnableError(
            f"{child.name} has no plain primary key of one column, by which the migration walks",
            _BY_HAND,
        )
    (column,) = (each for each in child.columns if each.name == key.columns[0])
    return column


def columns_of(table: TableSchema, names: Sequence[str]) -> tuple[Column, ...]:
    """The columns of these names; raises UnableError where one is missing or named twice."""
    found = []
    for name in names:
        column = table.column(name)
        if column is None or names.count(name) > 1:
            what = "has no column" if column is None else "is asked twice for its column"
            raise UnableError(f"{table.name} {what} {name}", "name each column once, as it is")
        found.append(column)
    if not found:
        raise UnableError(f"no column of {table.name} is named", "name one or more")
    return tuple(found)


def refuse(child: TableSchema, columns: Sequence[Column], reference: Sequence[Column]) -> None:
    """Raise UnableError for columns that cannot move along this reference."""
    for message, cure in _complaints(child, columns, reference):
        raise UnableError(message, cure)


def refuse_triggers(table: TableSchema, columns: frozenset[str]) -> None:
    """Raise UnableError for a trigger that would fire when the other form is written, and such."""
    for trigger in table.triggers:
        if "update" in trigger.events and (not trigger.columns or columns & set(trigger.columns)):
            raise UnableError(
                f"the trigger {trigger.name} of {table.name} would fire when a row follows another"
                " that a server has changed",
                "let it fire UPDATE OF other columns only, or drop it in an earlier release",
            )
    if table.row_security or table.policies:
        raise UnableError(
            f"{table.name} has row security, and the values that move would be seen by other rules"
            " there, or not be found at all",
            "take it away in an earlier release, or move them by SQL of your own",
        )
    if table.rules or table.children:
        raise UnableError(f"{table.name} is partitioned, inherits, or has rules", _BY_HAND)


def _complaints(
    child: TableSchema, columns: Sequence[Column], reference: Sequence[Column]
) -> Iterator[tuple[str, str]]:
    names = frozenset(column.name for column in columns)
    for column in columns:
        yield from _of_column(child, column)
    yield from _of_reference(child, names, reference)
    yield from _of_constraints(child, names)
    yield from _of_readers(child, names)


def _of_reference(
    child: TableSchema, names: frozenset[str], reference: Sequence[Column]
) -> Iterator[tuple[str, str]]:
    """What is wrong with the columns that lead to the other table."""
    for column in reference:
        if column.name in names:
            yield f"{column.name} leads to the other table, and so must stay", "leave it out"
        if not column.not_null:
            yield (
                f"{column.name} of {child.name} may be NULL, and then the row's values have no"
                " place to go to",
                "make it NOT NULL with set_not_null in an earlier release",
            )
        if column.type.split("(")[0] not in _KEYS or column.collation is not None:
            yield (
                f"{column.name} of {child.name} is of the type {column.type}, whose equal values"
                " may be written differently",
                _BY_HAND,
            )
    wanted = [column.name for column in reference]
    if not any(_leads(each, wanted) for each in _indexed(child)):
        yield (
            f"no index of {child.name} begins with {', '.join(wanted)}, so each change would read"
            " the whole table to find the rows that follow",
            "add one with add_index in this release or an earlier one, before this change",
        )


def _of_constraints(child: TableSchema, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What of the table's own rules would not survive the columns' leaving."""
    for key in child.keys:
        if names & set(key.needs):
            yield (
                f"{key.name} of {child.name} is a key with {min(names & set(key.needs))}, which"
                " the contract would drop",
                "drop it with drop_constraint in an earlier release",
            )
    for index in child.indexes:
        if index.unique and names & set(index.columns):
            yield (
                f"{index.name} of {child.name} keeps values unique that many rows will share",
                "drop it with drop_index in an earlier release",
            )
    for foreign in child.foreign_keys:
        if names & set(foreign.columns):
            yield (
                f"{foreign.name} of {child.name} refers from {min(names & set(foreign.columns))}",
                "drop it with drop_constraint, and add it to the other table after the contract",
            )
    for check in child.checks:
        if check.columns & names and not check.columns <= names:
            yield (
                f"the check {check.name} of {child.name} reads columns that move and such that"
                " stay",
                "drop it with drop_constraint in an earlier release",
            )


def _of_readers(child: TableSchema, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Who reads these columns where they are now."""
    for other in child.columns:
        for name in names:
            if other.generated is not None and name in inputs(other.generated):
                yield f"{other.name} of {child.name} is generated from {name}", _BY_HAND
    for trigger in child.triggers:
        if names & trigger.condition:
            yield (
                f"the WHEN of the trigger {trigger.name} of {child.name} reads"
                f" {min(names & trigger.condition)}, which the contract would drop",
                "let the trigger's function ask for that, in an earlier release",
            )
    if names & child.published:
        yield (
            f"a publication of {', '.join(child.publications)} names"
            f" {min(names & child.published)} of {child.name}, which the contract would drop",
            "publish the table without a list of columns in an earlier release",
        )
    if child.policies:
        yield (
            f"{child.name} has the policy {child.policies[0]}, which may read what moves",
            "drop it in an earlier release",
        )
    for kind, reader in readers(child):
        yield (
            f"the {kind} {reader} reads {child.name}, and may read what moves",
            "drop it in an earlier release, and create it anew after the contract",
        )


def _of_column(child: TableSchema, column: Column) -> Iterator[tuple[str, str]]:
    where = f"{column.name} of {child.name}"
    if column.generated is not None or column.identity is not None:
        yield f"{where} is generated, or an identity", _BY_HAND
    elif column.default is not None:
        yield (
            f"{where} has the default {column.default}, which cannot be told from a value that a"
            " server has written",
            "take it away with drop_default in an earlier release",
        )
    if column.type.split("[")[0] in _NOT_COMPARED:
        yield f"{where} is of the type {column.type}, which PostgreSQL cannot compare", _BY_HAND


def _indexed(child: TableSchema) -> Iterator[tuple[str, ...]]:
    yield from (key.columns for key in child.keys)
    yield from (index.columns for index in child.indexes if " WHERE " not in index.definition)


def _leads(index: Sequence[str], wanted: Sequence[str]) -> bool:
    return set(index[: len(wanted)]) == set(wanted)
