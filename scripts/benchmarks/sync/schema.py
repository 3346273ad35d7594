"""The table that is split, the part that it is split into, and what Interlock is told of them."""

from benchmarks.cluster import Database
from toolchain.model.refactoring import Part, SplitTable, Strategy
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Check, Column, Key, Schema, TableSchema

HOST = RelationName("public", "host")
HARDWARE = RelationName("public", "host_hardware")
# The columns that move, and their types.
MOVED = {"cpu_model": "text", "cpu_count": "integer", "reboots": "bigint"}
CHECK = "cpu_count >= 0"
TABLE = """
CREATE TABLE public.host (
    id bigint CONSTRAINT host_pkey PRIMARY KEY,
    name text NOT NULL,
    scans bigint NOT NULL DEFAULT 0,
    cpu_model text,
    cpu_count integer,
    reboots bigint,
    CONSTRAINT host_cpu_count_check CHECK (cpu_count >= 0)
)
"""
FILL = """
INSERT INTO public.host (id, name, cpu_model, cpu_count, reboots)
SELECT n, 'host-' || n, 'Xeon ' || n % 50, n % 64, 0 FROM generate_series(1, {rows}) AS n
"""
# What a developer would write by hand.
PART = """
CREATE TABLE public.host_hardware (
    host_id bigint PRIMARY KEY REFERENCES public.host (id) ON DELETE CASCADE,
    cpu_model text,
    cpu_count integer,
    reboots bigint,
    CHECK (cpu_count >= 0)
)
"""
# As long as nobody writes.
FILL_PART = """
INSERT INTO public.host_hardware (host_id, cpu_model, cpu_count, reboots)
SELECT id, cpu_model, cpu_count, reboots FROM public.host
"""


def fill(database: Database, rows: int) -> None:
    """Give a database the table, with so many hosts."""
    database.execute(TABLE, FILL.format(rows=rows), "VACUUM (FREEZE, ANALYZE) public.host")


def known() -> Schema:
    """The schema as a generator sees it."""
    table = TableSchema(
        name=HOST,
        columns=(
            Column(name="id", type="bigint", not_null=True),
            Column(name="name", type="text", not_null=True),
            Column(name="scans", type="bigint", not_null=True, default="0"),
            *(Column(name=name, type=type_) for name, type_ in MOVED.items()),
        ),
        keys=(Key(name="host_pkey", columns=("id",), primary=True),),
        checks=(
            Check(name="host_cpu_count_check", expression=CHECK, columns=frozenset({"cpu_count"})),
        ),
    )
    return Schema(tables={HOST: table})


def split(strategy: Strategy) -> SplitTable:
    """The refactoring that is measured."""
    part = Part(table=HARDWARE, columns=tuple(MOVED))
    return SplitTable(table=HOST, into=(part,), strategy=strategy)
