"""Nothing is dropped that is not proved to stand in the new form, and nothing is passed by."""

from collections.abc import Callable
from typing import Any

import psycopg2
import psycopg2.errors
import pytest

from tests.postgres.conftest import Database
from tests.postgres.refactor.row_support import schema_of
from tests.postgres.refactor.site import Site
from toolchain.model.refactoring import (
    ChangeColumns,
    MergeTables,
    MoveColumns,
    NewColumn,
    OldColumn,
    Part,
    SplitTable,
    Strategy,
)
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Schema
from toolchain.refactor.merge import tables
from toolchain.refactor.move import columns
from toolchain.refactor.phases import Phases
from toolchain.refactor.row import change_columns
from toolchain.refactor.split import table

HOST = RelationName("public", "host")
JOB = RelationName("public", "job")
OWNER = "every_tables_owner"
TABLES = """
CREATE TABLE public.host (id bigint PRIMARY KEY, name text);
CREATE TABLE public.job (id bigint PRIMARY KEY, host_id bigint NOT NULL REFERENCES host, site text);
CREATE INDEX job_host ON public.job (host_id);
CREATE TABLE public.odd (id bigint PRIMARY KEY, other text);
CREATE TABLE public.disk (
    id bigint PRIMARY KEY REFERENCES public.host ON DELETE CASCADE, size integer NOT NULL
);
"""
ROWS = """
INSERT INTO public.host SELECT each, 'host ' || each FROM generate_series(1, 4) AS each;
INSERT INTO public.job SELECT each, each % 2 + 1, 'site ' || each % 2
FROM generate_series(1, 4) AS each;
INSERT INTO public.odd SELECT each, 'x' FROM generate_series(1, 4) AS each;
INSERT INTO public.disk SELECT each, each FROM generate_series(1, 3) AS each;
"""
# By change: its generator, what it is, and a write that no trigger of it follows.
CASES: dict[str, tuple[Callable[[str, Any, Schema], Phases], object, str]] = {
    "move": (
        columns.phases,
        MoveColumns(table=JOB, columns=("site",), along=("host_id",), to=HOST),
        "UPDATE public.host SET site = NULL WHERE id = 2",
    ),
    "key": (
        table.phases,
        SplitTable(
            table=JOB,
            into=(Part(table=HOST.beside("site"), columns=("site",), key=("host_id",)),),
        ),
        "DELETE FROM public.site WHERE host_id = 2",
    ),
    "merge": (
        tables.phases,
        MergeTables(tables=(HOST.beside("disk"),), into=HOST),
        "UPDATE public.host SET size = NULL WHERE id = 2",
    ),
    "merge, too much": (
        tables.phases,
        MergeTables(tables=(HOST.beside("disk"),), into=HOST),
        "UPDATE public.host SET size = 4 WHERE id = 4",
    ),
    "change, of names like the proof's own": (
        change_columns.phases,
        ChangeColumns(
            table=HOST.beside("odd"),
            old=(OldColumn(name="other", value="lower(entry)"),),
            new=(NewColumn(name="entry", type="text", value="upper(other)"),),
        ),
        "UPDATE public.odd SET entry = NULL WHERE id = 2",
    ),
    "change": (
        change_columns.phases,
        ChangeColumns(
            table=HOST,
            old=(OldColumn(name="name", value="lower(title)"),),
            new=(NewColumn(name="title", type="text", value="upper(name)"),),
        ),
        "UPDATE public.host SET title = NULL WHERE id = 2",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_row_that_differs_stops_the_contract(database: Database, case: str) -> None:
    generate, refactoring, write = CASES[case]
    database.execute(TABLES + ROWS)
    site = Site(database=database, phases=generate("it", refactoring, schema_of(TABLES)))
    site.expand()
    site.migrate()
    database.execute(f"SET session_replication_role = replica; {write}")
    with pytest.raises(psycopg2.errors.RaiseException, match=r"^it: rows of public\."):
        site.contract()


@pytest.mark.parametrize("case", CASES)
def test_equal_rows_do_not(database: Database, case: str) -> None:
    generate, refactoring, _ = CASES[case]
    database.execute(TABLES + ROWS)
    site = Site(database=database, phases=generate("it", refactoring, schema_of(TABLES)))
    site.expand()
    site.migrate()
    site.contract()


COPIES = SplitTable(
    table=HOST,
    into=(Part(table=HOST.beside("part"), columns=("name",)),),
    strategy=Strategy.COPY,
)


@pytest.mark.parametrize(
    ("generate", "refactoring", "write"),
    [
        (*CASES["move"][:2], "UPDATE public.job SET site = 'lost' WHERE host_id = 2"),
        (table.phases, COPIES, "DELETE FROM public.part WHERE host_id = 2"),
    ],
    ids=["a function", "a trigger"],
)
def test_a_trigger_fails_where_a_policy_hides_rows_from_it(
    database: Database,
    generate: Callable[[str, Any, Schema], Phases],
    refactoring: object,
    write: str,
) -> None:
    """It would find no row to write, and so lose what the server has written."""
    if not database.rows(f"SELECT FROM pg_roles WHERE rolname = '{OWNER}'"):
        database.execute(f"CREATE ROLE {OWNER} LOGIN")
    database.execute(f"GRANT CREATE ON SCHEMA public TO {OWNER}")
    database.execute(f"SET ROLE {OWNER}; {TABLES}{ROWS}")
    as_owner = Database(name=database.name, dsn=database.dsn_as(OWNER), tcp_dsn=database.tcp_dsn)
    site = Site(database=as_owner, phases=generate("it", refactoring, schema_of(TABLES)))
    site.expand()
    site.migrate()
    database.execute("ALTER TABLE host ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="row-level security"):
        database.execute(write)
