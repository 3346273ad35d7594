"""Catalogue changes on a real PostgreSQL: run, undone, run again, contracted, and quiet."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg2
import psycopg2.extensions
import pytest

from tests.postgres.conftest import Database
from toolchain.edge.postgres.schema import read_schema
from toolchain.model.refactoring import (
    AddConstraint,
    AddEnumValue,
    AddIndex,
    DropConstraint,
    DropIndex,
    DropTable,
    SetDefault,
)
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Check, Column, ForeignKey, Index, Key, Schema, TableSchema
from toolchain.refactor.catalog import (
    add_constraint,
    add_enum_value,
    add_index,
    drop_constraint,
    drop_index,
    drop_table,
    set_default,
)
from toolchain.refactor.phases import Phases

pytestmark = pytest.mark.postgres

HOST = RelationName("public", "Host")
JOB = RelationName("public", "job")
OLD = RelationName("public", "old")
STATE = RelationName("public", "state")

SETUP = """
CREATE TYPE public.state AS ENUM ('waiting', 'done');
CREATE TABLE public."Host" (
    id bigint PRIMARY KEY,
    name text NOT NULL CONSTRAINT host_name_key UNIQUE,
    "order" integer DEFAULT 7,
    state public.state,
    CONSTRAINT host_order CHECK ("order" >= 0)
);
CREATE TABLE public.job (
    id bigint PRIMARY KEY,
    host bigint CONSTRAINT job_host REFERENCES public."Host" (id),
    other bigint CONSTRAINT job_other REFERENCES public."Host" (id) ON DELETE CASCADE,
    plain integer
);
CREATE INDEX job_plain ON public.job (plain);
CREATE TABLE public.old (id bigint PRIMARY KEY);
INSERT INTO public."Host" VALUES (1, 'one', 1, 'waiting'), (2, 'two', 2, 'done');
INSERT INTO public.job VALUES (1, 1, 1, 1), (2, 2, 2, 2);
"""
SCHEMA = Schema(
    tables={
        HOST: TableSchema(
            name=HOST,
            columns=(
                Column(name="id", type="bigint", not_null=True),
                Column(name="name", type="text", not_null=True),
                Column(name="order", type="integer", default="7"),
                Column(name="state", type="public.state"),
            ),
            keys=(
                Key(name="Host_pkey", columns=("id",), primary=True),
                Key(name="host_name_key", columns=("name",)),
            ),
            checks=(
                Check(name="host_order", expression='"order" >= 0', columns=frozenset({"order"})),
            ),
        ),
        JOB: TableSchema(
            name=JOB,
            columns=tuple(
                Column(name=name, type="bigint", not_null=name == "id")
                for name in ("id", "host", "other", "plain")
            ),
            keys=(Key(name="job_pkey", columns=("id",), primary=True),),
            foreign_keys=(
                ForeignKey(name="job_host", columns=("host",), table=HOST, references=("id",)),
                ForeignKey(
                    name="job_other",
                    columns=("other",),
                    table=HOST,
                    references=("id",),
                    on_delete="cascade",
                ),
            ),
            indexes=(
                Index(
                    name=JOB.beside("job_plain"),
                    columns=("plain",),
                    definition="CREATE INDEX job_plain ON public.job (plain)",
                ),
            ),
        ),
        OLD: TableSchema(name=OLD, columns=(Column(name="id", type="bigint", not_null=True),)),
    },
    enums={STATE: ("waiting", "done")},
)
A_CHECK = AddConstraint(table=HOST, name="small", check='"order" < 100')
A_REFERENCE = AddConstraint(table=JOB, name="plain_host", columns=("plain",), references=HOST)
A_KEY = AddConstraint(table=HOST, name="Host_order_key", unique=("order",))
A_LABEL = AddEnumValue(type=STATE, value="it's late", after="waiting")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A change, the statements that PostgreSQL refuses while it is there, and after its contract.

    `returns` says that an undo after the expand leaves the schema as it was.
    """

    phases: Phases
    expanded: Sequence[str] = ()
    contracted: Sequence[str] = ()
    returns: bool = True


LARGE = """INSERT INTO public."Host" VALUES (9, 'nine', 900)"""
TWIN = """INSERT INTO public."Host" VALUES (9, 'nine', 1)"""
LOST = "INSERT INTO public.job VALUES (9, NULL, NULL, 99)"
NAMESAKE = """INSERT INTO public."Host" VALUES (9, 'one', 9) ON CONFLICT (name) DO NOTHING"""
READ_OLD = "SELECT FROM public.old"
NEW_DEFAULT = SetDefault(table=HOST, column="order", default="8")
NO_DEFAULT = SetDefault(table=HOST, column="order", default=None)
EXPRESSION = AddIndex(
    table=HOST, name="Odd one", on=('"order"', "(lower(name))"), where='"order" > 0', unique=True
)

CASES = {
    "index": Case(
        phases=add_index.phases("c", AddIndex(table=HOST, name="i", on=('"order"',)), SCHEMA)
    ),
    "unique-index": Case(phases=add_index.phases("c", EXPRESSION, SCHEMA)),
    "drop-index": Case(
        phases=drop_index.phases("c", DropIndex(index=JOB.beside("job_plain")), SCHEMA)
    ),
    "check": Case(
        phases=add_constraint.phases("c", A_CHECK, SCHEMA), expanded=[LARGE], contracted=[LARGE]
    ),
    "reference": Case(
        phases=add_constraint.phases("c", A_REFERENCE, SCHEMA), expanded=[LOST], contracted=[LOST]
    ),
    "unique": Case(
        phases=add_constraint.phases("c", A_KEY, SCHEMA), expanded=[TWIN], contracted=[TWIN]
    ),
    "drop-check": Case(
        phases=drop_constraint.phases("c", DropConstraint(table=HOST, name="host_order"), SCHEMA),
        returns=False,
    ),
    "drop-reference": Case(
        phases=drop_constraint.phases("c", DropConstraint(table=JOB, name="job_host"), SCHEMA),
        returns=False,
    ),
    "drop-cascade": Case(
        phases=drop_constraint.phases("c", DropConstraint(table=JOB, name="job_other"), SCHEMA)
    ),
    "drop-unique": Case(
        phases=drop_constraint.phases(
            "c", DropConstraint(table=HOST, name="host_name_key"), SCHEMA
        ),
        contracted=[NAMESAKE],
    ),
    "default": Case(phases=set_default.phases("c", NEW_DEFAULT, SCHEMA)),
    "no-default": Case(phases=set_default.phases("c", NO_DEFAULT, SCHEMA)),
    "label": Case(phases=add_enum_value.phases("c", A_LABEL, SCHEMA), returns=False),
    "drop-table": Case(
        phases=drop_table.phases("c", DropTable(table=OLD), SCHEMA), contracted=[READ_OLD]
    ),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture
def shop(database: Database) -> Database:
    database.execute(SETUP)
    return database


def definitions(database: Database) -> dict[str, str]:
    return dict(read_schema(psycopg2.extensions.parse_dsn(database.dsn)))


def refused(database: Database, statement: str) -> bool:
    try:
        database.execute(f"BEGIN; {statement}; ROLLBACK")
    except psycopg2.Error:
        return True
    return False


@every_case
def test_a_change_runs_is_undone_and_runs_again(shop: Database, case: Case) -> None:
    phases = case.phases
    before = definitions(shop)
    shop.execute(phases.expand.sql)
    expanded = definitions(shop)
    assert all(refused(shop, each) for each in case.expanded)
    assert phases.expand.undo is not None
    shop.execute(phases.expand.undo)
    assert (definitions(shop) == before) == case.returns
    assert not any(refused(shop, each) for each in case.expanded)
    shop.execute(phases.expand.sql)
    assert definitions(shop) == expanded
    assert not any(refused(shop, each) for each in set(case.contracted) - set(case.expanded))
    if phases.contract is not None:
        shop.execute(phases.contract)
        assert definitions(shop) != expanded
        assert all(refused(shop, each) for each in case.contracted)
    else:
        assert expanded != before


LOUD = frozenset({"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"})


def loud_scan(database: Database, sql: str) -> list[str]:
    """Tables whose rows were read, or written anew, under a lock that blocks somebody."""
    with closing(psycopg2.connect(database.dsn)) as connection, connection.cursor() as cursor:
        facts = """
            SELECT oid::regclass::text, oid, pg_relation_filenode(oid),
                   pg_stat_get_xact_numscans(oid)
            FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"""
        cursor.execute(facts)
        before = {row[1]: row for row in cursor.fetchall()}
        cursor.execute(sql)
        cursor.execute(facts)
        touched = {row[1]: row[0] for row in cursor.fetchall() if row != before.get(row[1])}
        cursor.execute("SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid()")
        locks = cursor.fetchall()
        return [touched[oid] for oid, mode in locks if oid in touched and mode in LOUD]


@every_case
def test_nothing_is_read_under_a_lock_that_blocks(shop: Database, case: Case) -> None:
    """What runs outside a transaction is CONCURRENTLY, which PostgreSQL itself keeps quiet."""
    expand = case.phases.expand
    if expand.transaction:
        assert loud_scan(shop, expand.sql) == []
        shop.execute(expand.sql)
        assert loud_scan(shop, expand.undo or "") == []
    else:
        assert "INDEX CONCURRENTLY" in expand.sql
        shop.execute(expand.sql)
    if case.phases.contract is not None:
        assert loud_scan(shop, case.phases.contract) == []


def test_the_measurement_sees_a_loud_scan(shop: Database) -> None:
    """The same constraint, written as one would without thinking."""
    loud = """ALTER TABLE public."Host" ADD CONSTRAINT small CHECK ("order" < 100)"""
    assert loud_scan(shop, loud) == ['"Host"']


def test_the_expand_of_a_removal_says_when_there_is_nothing_to_remove(database: Database) -> None:
    database.execute(SETUP.replace("job_other", "another").replace("job_plain", "something"))
    with pytest.raises(psycopg2.errors.UndefinedTable, match="job_plain"):
        database.execute(CASES["drop-index"].phases.expand.sql)
    with pytest.raises(psycopg2.errors.UndefinedObject, match=r"public\.job has no constraint"):
        database.execute(CASES["drop-cascade"].phases.expand.sql)


@pytest.mark.parametrize("name", ["check", "reference"])
def test_an_old_row_that_violates_stops_the_contract_alone(shop: Database, name: str) -> None:
    shop.execute("INSERT INTO public.job VALUES (8, NULL, NULL, 99)")
    shop.execute("""INSERT INTO public."Host" VALUES (8, 'eight', 900)""")
    phases = CASES[name].phases
    shop.execute(phases.expand.sql)
    assert phases.contract is not None
    with pytest.raises(psycopg2.errors.IntegrityError):
        shop.execute(phases.contract)
    shop.execute("""DELETE FROM public.job WHERE id = 8; DELETE FROM public."Host" WHERE id = 8""")
    shop.execute(phases.contract)


def test_what_a_dropped_check_refused_survives_its_return(shop: Database) -> None:
    """New servers are free of it at once; after an undo it binds what is written from then on."""
    phases = CASES["drop-check"].phases
    shop.execute(phases.expand.sql)
    shop.execute("""INSERT INTO public."Host" VALUES (8, 'eight', -8)""")
    shop.execute(phases.expand.undo or "")
    assert shop.rows("""SELECT "order" FROM public."Host" WHERE id = 8""") == [(-8,)]
    with pytest.raises(psycopg2.errors.CheckViolation):
        shop.execute("""INSERT INTO public."Host" VALUES (9, 'nine', -9)""")


def test_a_default_is_new_at_the_expand_and_old_after_the_undo(shop: Database) -> None:
    phases = CASES["default"].phases
    for number, sql in enumerate(("", phases.expand.sql, phases.expand.undo), start=10):
        shop.execute(sql or "SELECT")
        shop.execute(f"""INSERT INTO public."Host" (id, name) VALUES ({number}, '{number}')""")
    assert shop.rows("""SELECT "order" FROM public."Host" WHERE id >= 10 ORDER BY id""") == [
        (7,), (8,), (7,),
    ]  # fmt: skip


def test_a_label_stands_where_it_was_asked_for(shop: Database) -> None:
    shop.execute(CASES["label"].phases.expand.sql)
    assert shop.rows("SELECT unnest(enum_range(NULL::public.state))::text") == [
        ("waiting",), ("it's late",), ("done",),
    ]  # fmt: skip
