"""The schema of a database as its catalogue tells it: what the SQL of a chain would have told."""

from collections.abc import Sequence

from tests.postgres.conftest import Database
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import (
    Check,
    Column,
    ForeignKey,
    Index,
    Key,
    Schema,
    TableSchema,
    Trigger,
)

ACTIONS = {"a": "no action", "c": "cascade", "n": "set null", "r": "restrict", "d": "set default"}
EVENTS = {4: "insert", 8: "delete", 16: "update", 32: "truncate"}


def known(database: Database) -> Schema:
    """All that lies in the schema public."""
    tables = {}
    for oid, name, kind, secure in database.rows(
        "SELECT oid::int, relname::text, relkind::text, relrowsecurity FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    ):
        tables[RelationName("public", name)] = _table(database, oid, name, kind, secure)
    views = database.rows(
        "SELECT relname::text FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'"
    )
    return Schema(tables=tables, views=frozenset(RelationName("public", name) for (name,) in views))


def _numbers(database: Database, oid: int) -> dict[int, str]:
    return dict(
        database.rows(
            "SELECT attnum::int, attname::text FROM pg_attribute"
            f" WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
    )


def _table(database: Database, oid: int, name: str, kind: str, secure: bool) -> TableSchema:
    numbers = _numbers(database, oid)

    def names(found: Sequence[int]) -> tuple[str, ...]:
        return tuple(numbers[number] for number in found if number)

    constraints = database.rows(
        "SELECT conname::text, contype::text, conkey::int[], pg_get_expr(conbin, conrelid),"
        " condeferrable, convalidated"
        f" FROM pg_constraint WHERE conrelid = {oid} AND contype IN ('p', 'u', 'c')"
    )
    foreign_keys = database.rows(
        "SELECT conname::text, conkey::int[], relname::text, confrelid::int, confkey::int[],"
        " confdeltype::text, confupdtype::text, condeferrable, convalidated"
        " FROM pg_constraint JOIN pg_class ON pg_class.oid = confrelid"
        f" WHERE conrelid = {oid} AND contype = 'f'"
    )
    indexes = database.rows(
        "SELECT relname::text, indkey::int[], pg_get_indexdef(indexrelid), indisunique"
        f" FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = {oid}"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"
    )
    triggers = database.rows(
        "SELECT tgname::text, tgtype::int, tgattr::int[] FROM pg_trigger"
        f" WHERE tgrelid = {oid} AND NOT tgisinternal"
    )
    return TableSchema(
        name=RelationName("public", name),
        columns=_columns(database, oid),
        keys=tuple(
            Key(name=row[0], columns=names(row[2]), primary=row[1] == "p", deferrable=row[4])
            for row in constraints
            if row[1] in "pu"
        ),
        checks=tuple(
            Check(name=row[0], expression=row[3], columns=frozenset(names(row[2])), valid=row[5])
            for row in constraints
            if row[1] == "c"
        ),
        foreign_keys=tuple(
            ForeignKey(
                name=row[0],
                columns=names(row[1]),
                table=RelationName("public", row[2]),
                references=tuple(_numbers(database, row[3])[number] for number in row[4]),
                on_delete=ACTIONS[row[5]],
                on_update=ACTIONS[row[6]],
                deferrable=row[7],
                valid=row[8],
            )
            for row in foreign_keys
        ),
        indexes=tuple(
            Index(
                name=RelationName("public", row[0]),
                columns=names(row[1]),
                definition=row[2],
                unique=row[3],
            )
            for row in indexes
        ),
        triggers=tuple(
            Trigger(
                name=row[0],
                timing="before" if row[1] & 2 else "after",
                events=frozenset(word for bit, word in EVENTS.items() if row[1] & bit),
                each_row=bool(row[1] & 1),
                columns=names(row[2]),
            )
            for row in triggers
        ),
        row_security=secure,
        children=kind == "p",
    )


def _columns(database: Database, oid: int) -> tuple[Column, ...]:
    columns = database.rows(
        "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull,"
        " pg_get_expr(adbin, adrelid), attidentity::text, attgenerated::text"
        " FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
        f" WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    return tuple(
        Column(
            name=row[0],
            type=row[1],
            not_null=row[2],
            default=None if row[5] else row[3],
            identity={"a": "always", "d": "by default"}.get(row[4]),
            generated=row[3] if row[5] else None,
        )
        for row in columns
    )
