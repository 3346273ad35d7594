"""Merges that would break somebody, each with the cure."""

from collections.abc import Iterator

from toolchain.model.schema import ForeignKey, Schema, TableSchema
from toolchain.refactor.finding import default_of, holders, readers
from toolchain.refactor.phases import UnableError

_BY_HAND = "merge it by SQL of your own"
_HARMLESS = frozenset({"no action", "restrict"})


def one_key(table: TableSchema) -> str:
    """The column of the primary key, by which rows are copied; raises UnableError."""
    key = table.primary_key
    if key is None or len(key.columns) != 1 or key.deferrable:
        raise UnableError(
            f"{table.name} has no plain primary key of one column, by which rows are copied",
            _BY_HAND,
        )
    return key.columns[0]


def refuse_target(into: TableSchema) -> None:
    """Raise UnableError for a table that cannot take others in."""
    for message, cure in _complaints_of_target(into):
        raise UnableError(message, cure)


def refuse(part: TableSchema, into: TableSchema, schema: Schema) -> None:
    """Raise UnableError for a table that cannot be merged into the other one."""
    for message, cure in _complaints(part, into, schema):
        raise UnableError(message, cure)


def _complaints_of_target(into: TableSchema) -> Iterator[tuple[str, str]]:
    if into.children:
        yield f"{into.name} is partitioned, or inherits", _BY_HAND
    if into.row_security or into.policies:
        yield (
            f"{into.name} has row level security, which did not hold for the tables to merge",
            "take it away in an earlier release",
        )
    if into.rules:
        yield f"{into.name} has rules, which would see the copied rows", "drop them first"
    for trigger in into.triggers:
        if "update" in trigger.events and not trigger.columns:
            yield (
                f"the trigger {trigger.name} of {into.name} fires at each UPDATE, so also when"
                " a part is copied, or written by an old server",
                "let it fire AFTER or BEFORE UPDATE OF the columns that it is about",
            )


def _complaints(part: TableSchema, into: TableSchema, schema: Schema) -> Iterator[tuple[str, str]]:
    reference = _reference(part, into)
    if reference is None:
        yield (
            f"the primary key of {part.name} does not refer to the primary key of {into.name}",
            "merge a table whose primary key is its foreign key to the other one",
        )
        return
    yield from _of_rows(part, reference)
    yield from _of_readers(part, reference, schema)
    yield from _of_values(part)
    yield from _of_uniqueness(part, reference)
    yield from _of_checks(part, reference)
    yield from _of_foreign_keys(part, reference)
    yield from _of_defaults(part, reference, schema)


def _reference(part: TableSchema, into: TableSchema) -> ForeignKey | None:
    key, target = part.primary_key, into.primary_key
    if key is None or target is None:
        return None
    ends = (into.name, key.columns, target.columns)
    found = (
        each for each in part.foreign_keys if (each.table, each.columns, each.references) == ends
    )
    return next(found, None)


def _of_rows(part: TableSchema, reference: ForeignKey) -> Iterator[tuple[str, str]]:
    """What happens to the table's rows that would not happen to those of the other one."""
    name, into = part.name, reference.table
    if reference.on_delete != "cascade":
        yield (
            f"{reference.name} keeps a row of {into} from being deleted while it has a row"
            f" in {name}; in one table they go together",
            "make it ON DELETE CASCADE in an earlier release",
        )
    if len(part.columns) < 2:
        yield f"{name} has no column to merge", "drop it with drop_table"
    if part.children:
        yield f"{name} is partitioned, or inherits", _BY_HAND
    if part.triggers:
        yield (
            f"{name} has the trigger {part.triggers[0].name}, which does not see what servers"
            f" write to {into}",
            "drop it in an earlier release",
        )
    if part.rules:
        yield f"{name} has the rule {part.rules[0]}, which a view cannot keep", "drop it first"
    if part.row_security or part.policies:
        yield (
            f"{name} has row level security, which does not hold for columns of {into}",
            "take it away in an earlier release",
        )


def _of_readers(
    part: TableSchema, reference: ForeignKey, schema: Schema
) -> Iterator[tuple[str, str]]:
    """Who else knows the table, which becomes a view and ends."""
    name, into = part.name, reference.table
    for kind, reader in readers(part):
        yield (
            f"the {kind} {reader} reads {name}, which ends",
            f"drop it in an earlier release, and create it on {into} later",
        )
    if part.publications or schema.whole_publications:
        publication = (*part.publications, *schema.whole_publications)[0]
        yield (
            f"{name} is published by {publication}, and a view cannot be",
            "take it out of the publication, or merge it by SQL of your own",
        )
    for other, foreign in schema.referencing(name):
        yield (
            f"{foreign.name} of {other} refers to {name}, and no foreign key may refer to a view",
            f"let it refer to {into} in an earlier release",
        )
    for holder, column in holders(schema, part):
        yield (
            f"{column.name} of {holder} needs {name}, by its type or a sequence that it owns",
            f"change {column.name} in an earlier release",
        )


def _of_values(part: TableSchema) -> Iterator[tuple[str, str]]:
    for column in part.columns:
        if column.generated is not None or column.identity is not None:
            what = "generated" if column.generated is not None else "an identity"
            yield f"{column.name} of {part.name} is {what}", _BY_HAND


def _of_uniqueness(part: TableSchema, reference: ForeignKey) -> Iterator[tuple[str, str]]:
    for key in part.keys:
        if not key.primary:
            yield (
                f"{key.name} keeps the values of {', '.join(key.columns)} unique, and an index on"
                f" {reference.table} cannot be built in the steps of a merge",
                f"drop it with drop_constraint before, and give {reference.table} one with"
                " add_unique after the migration",
            )
    for index in part.indexes:
        if index.unique:
            yield (
                f"{index.name} keeps values unique, and cannot be built in the steps of a merge",
                f"drop it before, and give {reference.table} one after the migration",
            )


def _of_checks(part: TableSchema, reference: ForeignKey) -> Iterator[tuple[str, str]]:
    for check in part.checks:
        if not check.valid:
            yield _unproved(check.name, reference)
        if check.columns & set(reference.columns) and reference.columns != reference.references:
            yield (
                f"the check {check.name} reads {reference.columns[0]}, which is called"
                f" {reference.references[0]} in {reference.table}",
                "drop it with drop_constraint in an earlier release",
            )


def _of_foreign_keys(part: TableSchema, reference: ForeignKey) -> Iterator[tuple[str, str]]:
    for foreign in part.foreign_keys:
        if foreign == reference:
            continue
        if not foreign.valid:
            yield _unproved(foreign.name, reference)
        if foreign.on_delete not in _HARMLESS:
            yield (
                f"{foreign.name} is ON DELETE {foreign.on_delete.upper()}, which would mean the"
                f" whole row of {reference.table}",
                "drop it with drop_constraint in an earlier release",
            )
        if foreign.on_update not in _HARMLESS:
            yield (
                f"{foreign.name} is ON UPDATE {foreign.on_update.upper()}, which would change the"
                f" table behind the view of {part.name} alone",
                "drop it with drop_constraint in an earlier release",
            )


def _unproved(constraint: str, reference: ForeignKey) -> tuple[str, str]:
    return (
        f"{constraint} is NOT VALID, and rows that it was never checked for would not fit"
        f" into {reference.table}",
        f"VALIDATE CONSTRAINT {constraint} in an earlier release, or drop it",
    )


def _of_defaults(
    part: TableSchema, reference: ForeignKey, schema: Schema
) -> Iterator[tuple[str, str]]:
    for column in part.columns:
        default = default_of(schema, column)
        if default is not None and column.name not in reference.columns:
            yield (
                f"{column.name} of {part.name} has the default {default}, which would give every"
                f" row of {reference.table} that part",
                "let servers write the value, and take the default away in an earlier release",
            )
