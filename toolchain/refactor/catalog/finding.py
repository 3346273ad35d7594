"""What catalogue changes ask of a schema first: whether a thing is there, and a name is free."""

from collections.abc import Iterable
from typing import NoReturn

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Check, Column, ForeignKey, Index, Key, Schema, TableSchema
from toolchain.refactor.finding import relations
from toolchain.refactor.phases import Expand, UnableError
from toolchain.refactor.sql import comment, literal, relation, script

_NAME_BYTES = 63  # NAMEDATALEN - 1
_NOT_YET = (
    "Nothing goes before the contract, since servers of the release before still use it. Until"
    " then this step only makes sure that it is there."
)
_UNCHANGED = "The step has changed nothing, so there is nothing to take back."


def column_of(table: TableSchema, name: str) -> Column:
    """The column of that name; raises UnableError."""
    found = table.column(name)
    if found is None:
        known = ", ".join(column.name for column in table.columns)
        raise UnableError(f"{table.name} has no column {name}", f"name one of its columns: {known}")
    return found


def columns_of(table: TableSchema, names: Iterable[str]) -> tuple[Column, ...]:
    """The columns of those names; raises UnableError."""
    return tuple(column_of(table, name) for name in names)


def constraints(table: TableSchema) -> tuple[Key | Check | ForeignKey, ...]:
    """Every constraint of a table."""
    return (*table.keys, *table.checks, *table.foreign_keys)


def constraint_of(table: TableSchema, name: str) -> Key | Check | ForeignKey | None:
    """The constraint of that name, where the table has one."""
    return next((each for each in constraints(table) if each.name == name), None)


def exclusion_of(table: TableSchema, name: str) -> Index | None:
    """The exclusion constraint of that name, where the table has one."""
    return next((i for i in table.indexes if i.excludes and i.name.name == name), None)


def require_single(table: TableSchema, what: str) -> None:
    """Refuse what PostgreSQL does to one table alone; raises UnableError."""
    if table.children:
        raise UnableError(
            f"{table.name} is partitioned, is a partition, or inherits, and {what} does not work"
            " for such a table in one step without blocking its writers",
            "write the SQL by hand, partition by partition",
        )


def require_free_relation(schema: Schema, name: RelationName) -> None:
    """Tables, views, sequences and indexes share their names; raises UnableError."""
    if name in relations(schema):
        _taken(f"{name.schema} has a relation {name.name} already", name.name)
    _require_short(name.name)


def require_free_constraint(table: TableSchema, name: str) -> None:
    """A table's constraints share their names; raises UnableError."""
    if constraint_of(table, name) is not None or exclusion_of(table, name) is not None:
        _taken(f"{table.name} has a constraint {name} already", name)
    _require_short(name)


def _taken(message: str, name: str) -> NoReturn:
    raise UnableError(message, f"give it another name than {name}")


def _require_short(name: str) -> None:
    if len(name.encode()) > _NAME_BYTES:
        raise UnableError(
            f"the name {name} has more than {_NAME_BYTES} bytes, and PostgreSQL would cut it",
            "give it a shorter name",
        )


def nothing(why: str) -> str:
    """An undo that has nothing to do; without one a shard could not go back past the step."""
    return script(f"{comment(why)}\nSELECT;")


def relation_is_there(name: RelationName) -> Expand:
    """The expand of a change whose contract removes a table or an index."""
    sql = f"{comment(_NOT_YET)}\nSELECT {literal(relation(name))}::regclass;"
    return Expand(sql=script(sql), undo=nothing(_UNCHANGED))


def constraint_is_there(table: RelationName, name: str) -> Expand:
    """The expand of a change whose contract removes a constraint."""
    sql = f"""\
{comment(_NOT_YET)}
DO $block$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_constraint
        WHERE conrelid = {literal(relation(table))}::regclass AND conname = {literal(name)}
    ) THEN
        RAISE undefined_object USING
            MESSAGE = {literal(f"{table} has no constraint {name}")};
    END IF;
END
$block$;"""
    return Expand(sql=script(sql), undo=nothing(_UNCHANGED))
