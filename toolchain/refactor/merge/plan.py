"""Merges that would break somebody, each with the cure, and the layout of all others."""

from collections.abc import Iterator

from toolchain.model.refactoring import MergeTables
from toolchain.model.schema import ForeignKey, Schema, TableSchema
from toolchain.refactor.finding import default_of, holders, readers, table_of
from toolchain.refactor.merge.layout import MergeLayout, PartLayout
from toolchain.refactor.phases import UnableError
from toolchain.refactor.sql import named

_BY_HAND = "merge it by SQL of your own"


def layout(change: str, merge: MergeTables, schema: Schema) -> MergeLayout:
    """The layout of a merge; raises UnableError where somebody would break."""
    into = table_of(schema, merge.into)
    if not merge.tables:
        raise UnableError("no table is to be merged", "name one or more in 'tables'")
    for message, cure in _complaints_of_target(into):
        raise UnableError(message, cure)
    key = _one_key(into)
    for name in merge.tables:
        for message, cure in _complaints(table_of(schema, name), into, schema):
            raise UnableError(message, cure)
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


def _one_key(table: TableSchema) -> str:
    key = table.primary_key
    if key is None or len(key.columns) != 1 or key.deferrable:
        raise UnableError(
            f"{table.name} has no plain primary key of one column, by which rows are copied",
            _BY_HAND,
        )
    return key.columns[0]


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


def _reference(part: TableSchema, into: TableSchema) -> ForeignKey | None:
    key, target = part.primary_key, into.primary_key
    if key is None or target is None:
        return None
    ends = (into.name, key.columns, target.columns)
    found = (
        each for each in part.foreign_keys if (each.table, each.columns, each.references) == ends
    )
    return next(found, None)


def _complaints(part: TableSchema, into: TableSchema, schema: Schema) -> Iterator[tuple[str, str]]:
    name = part.name
    reference = _reference(part, into)
    if reference is None:
        yield (
            f"the primary key of {name} does not refer to the primary key of {into.name}",
            "merge a table whose primary key is its foreign key to the other one",
        )
        return
    if reference.on_delete != "cascade":
        yield (
            f"{reference.name} keeps a row of {into.name} from being deleted while it has a row"
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
            f" write to {into.name}",
            "drop it in an earlier release",
        )
    if part.rules:
        yield f"{name} has the rule {part.rules[0]}, which a view cannot keep", "drop it first"
    if part.row_security or part.policies:
        yield (
            f"{name} has row level security, which does not hold for columns of {into.name}",
            "take it away in an earlier release",
        )
    for kind, reader in readers(part):
        yield (
            f"the {kind} {reader} reads {name}, which ends",
            f"drop it in an earlier release, and create it on {into.name} later",
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
            f"let it refer to {into.name} in an earlier release",
        )
    for holder, column in holders(schema, part):
        yield (
            f"{column.name} of {holder} needs {name}, by its type or a sequence that it owns",
            f"change {column.name} in an earlier release",
        )
    yield from _of_columns(part, reference)
    for each in part.columns:
        default = default_of(schema, each)
        if default is not None and each.name not in reference.columns:
            yield (
                f"{each.name} of {name} has the default {default}, which would give every row of"
                f" {into.name} that part",
                "let servers write the value, and take the default away in an earlier release",
            )


def _of_columns(part: TableSchema, reference: ForeignKey) -> Iterator[tuple[str, str]]:
    name = part.name
    for column in part.columns:
        if column.generated is not None or column.identity is not None:
            what = "generated" if column.generated is not None else "an identity"
            yield f"{column.name} of {name} is {what}", _BY_HAND
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
    for check in part.checks:
        if not check.valid:
            yield (
                f"{check.name} is NOT VALID, and rows that it was never checked for would not fit"
                f" into {reference.table}",
                f"VALIDATE CONSTRAINT {check.name} in an earlier release, or drop it",
            )
        if check.columns & set(reference.columns) and reference.columns != reference.references:
            yield (
                f"the check {check.name} reads {reference.columns[0]}, which is called"
                f" {reference.references[0]} in {reference.table}",
                "drop it with drop_constraint in an earlier release",
            )
    for foreign in part.foreign_keys:
        if foreign != reference and not foreign.valid:
            yield (
                f"{foreign.name} is NOT VALID, and rows that it was never checked for would not fit"
                f" into {reference.table}",
                f"VALIDATE CONSTRAINT {foreign.name} in an earlier release, or drop it",
            )
        if foreign != reference and foreign.on_delete not in {"no action", "restrict"}:
            yield (
                f"{foreign.name} is ON DELETE {foreign.on_delete.upper()}, which would mean the"
                f" whole row of {reference.table}",
                "drop it with drop_constraint in an earlier release",
            )
        if foreign != reference and foreign.on_update not in {"no action", "restrict"}:
            yield (
                f"{foreign.name} is ON UPDATE {foreign.on_update.upper()}, which would change the"
                f" table behind the view of {name} alone",
                "drop it with drop_constraint in an earlier release",
            )


def _part(change: str, table: TableSchema) -> PartLayout:
    key = _one_key(table)
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
