"""The form that most cases have at least once: everything in one table."""

from dataclasses import replace

from tests.postgres.laws.case import OWNER, Copy, Form
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Column, ForeignKey, Index, Key, Schema, TableSchema

ITEM = (
    OWNER
    + """
CREATE TABLE public.item (
    id integer CONSTRAINT item_pkey PRIMARY KEY,
    owner integer NOT NULL
        CONSTRAINT item_owner_fkey REFERENCES public.owner (id) ON DELETE CASCADE,
    m integer NOT NULL DEFAULT 0,
    n integer,
    label text
);
CREATE INDEX item_owner ON public.item (owner);
"""
)
RANGE = "BETWEEN %(low)s AND %(high)s"


def wide(
    table: str = "public.item",
    *,
    key: str = "id",
    n: str = "n",
    text: str = "label",
    owner: str = "owner",
    m: str = "m",
) -> Form:
    """A form of one table, or of one view that passes for a table."""
    columns = f"{key}, {owner}, {m}, {n}, {text}"
    insert = f"INSERT INTO {table} ({columns}) SELECT key, key / 10, m, n, text FROM {{rows}}"
    return Form(
        read=f"SELECT {key} AS key, {n} AS n, {m} AS m, {text} AS text FROM {table}",
        insert=(insert,),
        add=(f"UPDATE {table} SET {n} = {n} + %(by)s WHERE {key} {RANGE}",),
        add_rest=(f"UPDATE {table} SET {m} = {m} + %(by)s WHERE {key} {RANGE}",),
        write=(f"UPDATE {table} SET {text} = %(text)s WHERE {key} {RANGE} AND {n} IS NOT NULL",),
        delete=(f"DELETE FROM {table} WHERE {key} {RANGE}",),
        upsert=(
            f"{insert} ON CONFLICT ({key}) DO UPDATE SET {m} = excluded.{m},"
            f" {text} = excluded.{text}, {n} = COALESCE({table.rpartition('.')[2]}.{n}, 0) + excluded.{n}",
        ),
        rekey=(
            f"UPDATE {table} SET {key} = %(to)s, {owner} = %(to)s / 10 WHERE {key} = %(low)s",
        ),
        clear=(f"UPDATE {table} SET {n} = NULL, {text} = NULL WHERE {key} {RANGE}",),
        clear_low=(
            f"UPDATE {table} SET {n} = NULL, {text} = NULL WHERE {key} {RANGE} AND {n} < %(by)s",
        ),
        truncate=(f"TRUNCATE {table}",),
        copy=(Copy(into=f"{table} ({columns})", fields=("key", "owner", "m", "n", "text")),),
    )  # fmt: skip


PUBLIC = "public"


def name(table: str) -> RelationName:
    """A relation of public."""
    return RelationName(PUBLIC, table)


OWNERS = TableSchema(
    name=name("owner"),
    columns=(Column(name="id", type="integer", not_null=True),),
    keys=(Key(name="owner_pkey", columns=("id",), primary=True),),
)
ITEMS = TableSchema(
    name=name("item"),
    columns=(
        Column(name="id", type="integer", not_null=True),
        Column(name="owner", type="integer", not_null=True),
        Column(name="m", type="integer", not_null=True, default="0"),
        Column(name="n", type="integer"),
        Column(name="label", type="text"),
    ),
    keys=(Key(name="item_pkey", columns=("id",), primary=True),),
    foreign_keys=(
        ForeignKey(
            name="item_owner_fkey",
            columns=("owner",),
            table=name("owner"),
            references=("id",),
            on_delete="cascade",
        ),
    ),
    indexes=(
        Index(
            name=name("item_owner"),
            columns=("owner",),
            definition="CREATE INDEX item_owner ON public.item USING btree (owner)",
        ),
    ),
)


def known(*tables: TableSchema) -> Schema:
    """What the generators are told of the tables."""
    return Schema(tables={table.name: table for table in (OWNERS, *tables)})


def parted(main: str, part: str, key: str) -> Form:
    """A form of two tables: n and text are in the part, which has the same key."""
    whole = wide(main)
    rows = f"INSERT INTO {main} (id, owner, m) SELECT key, key / 10, m FROM {{rows}}"
    parts = f"INSERT INTO {part} ({key}, n, label) SELECT key, n, text FROM {{rows}}"
    return replace(
        whole,
        read=f"SELECT whole.id AS key, part.n AS n, whole.m AS m, part.label AS text"
        f" FROM {main} AS whole LEFT JOIN {part} AS part ON part.{key} = whole.id",
        insert=(rows, parts),
        add=(f"UPDATE {part} SET n = n + %(by)s WHERE {key} {RANGE}",),
        write=(f"UPDATE {part} SET label = %(text)s WHERE {key} {RANGE} AND n IS NOT NULL",),
        clear=(f"DELETE FROM {part} WHERE {key} {RANGE}",),
        clear_low=(f"DELETE FROM {part} WHERE {key} {RANGE} AND n < %(by)s",),
        rekey=None,
        truncate=None,
        copy=(
            Copy(into=f"{main} (id, owner, m)", fields=("key", "owner", "m")),
            Copy(into=f"{part} ({key}, n, label)", fields=("key", "n", "text")),
        ),
        upsert=(
            f"{rows} ON CONFLICT (id) DO UPDATE SET m = excluded.m",
            f"{parts} ON CONFLICT ({key}) DO UPDATE SET label = excluded.label,"
            f" n = COALESCE({part.rpartition('.')[2]}.n, 0) + excluded.n",
        ),
    )
