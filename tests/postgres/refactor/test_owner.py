"""The owner of a table, who needs no grant, works with the new form as with the old one."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2
import psycopg2.errors
import pytest

from tests.postgres.conftest import SUPERUSER, Database
from tests.postgres.refactor.row_support import schema_of
from tests.postgres.refactor.site import Site, query, shape
from toolchain.model.refactoring import (
    ExtractLookup,
    MergeTables,
    Part,
    RenameTable,
    SplitTable,
    Strategy,
)
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Schema
from toolchain.refactor import rename_table
from toolchain.refactor.merge import tables
from toolchain.refactor.phases import Phases
from toolchain.refactor.row import extract_lookup
from toolchain.refactor.split import table

HOST = RelationName("public", "host")
OWNER, MAKER = "table_owner", "step_runner"
TABLES = """
CREATE TABLE public.host (id bigint PRIMARY KEY, os text, site text, cpu integer);
CREATE INDEX host_site ON public.host (site);
INSERT INTO public.host VALUES (1, 'linux', 'a', 4);
CREATE TABLE public.disk (
    id bigint PRIMARY KEY REFERENCES public.host ON DELETE CASCADE, size integer NOT NULL
);
INSERT INTO public.disk VALUES (1, 10);
"""
NEW = RelationName("public", "new")
CASES: dict[str, tuple[Callable[[str, Any, Schema], Phases], object, str]] = {
    "rename": (
        rename_table.phases,
        RenameTable(table=HOST, to="new"),
        "UPDATE public.new SET cpu = 5; SELECT cpu FROM public.new",
    ),
    "views": (
        table.phases,
        SplitTable(table=HOST, into=(Part(table=NEW, columns=("cpu",)),)),
        "UPDATE public.new SET cpu = 5; SELECT cpu FROM public.new",
    ),
    "copies": (
        table.phases,
        SplitTable(
            table=HOST, into=(Part(table=NEW, columns=("cpu",)),), strategy=Strategy.COPY
        ),
        "INSERT INTO public.new VALUES (1, 4) ON CONFLICT DO NOTHING;"
        "UPDATE public.new SET cpu = 5; SELECT cpu FROM public.new",
    ),
    "lookup": (
        extract_lookup.phases,
        ExtractLookup(table=HOST, column="os", into=NEW, reference="os_id", key="id", label="name"),
        "INSERT INTO public.new (name) VALUES ('bsd'); SELECT 5",
    ),
}  # fmt: skip
OWNERS = "SELECT relname::text FROM pg_class WHERE relname LIKE 'new%' AND relkind IN ('r', 'v')"


@pytest.fixture
def owned(database: Database) -> Database:
    """A database whose tables belong to another role than the one that runs the steps."""
    for role in (OWNER, MAKER):
        if not database.rows(f"SELECT FROM pg_roles WHERE rolname = '{role}'"):
            database.execute(f"CREATE ROLE {role} LOGIN")
    database.execute(f"GRANT {OWNER} TO {MAKER}; GRANT CREATE ON SCHEMA public TO {MAKER}")
    database.execute(TABLES)
    database.execute(f"ALTER TABLE host OWNER TO {OWNER}; ALTER TABLE disk OWNER TO {OWNER}")
    return database


def site(database: Database, case: str, runner: str = SUPERUSER) -> Site:
    generate, refactoring, _ = CASES[case]
    phases = generate("it", refactoring, schema_of(TABLES))
    as_runner = Database(name=database.name, dsn=database.dsn_as(runner), tcp_dsn=database.tcp_dsn)
    return Site(database=as_runner, phases=phases)


def as_owner(database: Database, statements: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(database.dsn_as(OWNER))) as connection:
        found = query(connection, statements)
        connection.commit()
    return found


@pytest.mark.parametrize("runner", [SUPERUSER, MAKER])
@pytest.mark.parametrize("case", CASES)
def test_the_owner_writes_the_new_form(owned: Database, case: str, runner: str) -> None:
    """A step's role that is no superuser may not give ownership away: the owner gets rights."""
    statements = CASES[case][2]
    place = site(owned, case, runner)
    place.expand()
    if case != "lookup":
        assert as_owner(owned, statements) == [(5,)]
    place.migrate()
    place.contract()
    assert as_owner(owned, statements.replace("'bsd'", "'mac'")) == [(5,)]


@pytest.mark.parametrize("creates", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_the_new_form_is_the_owners(owned: Database, case: str, creates: bool) -> None:
    """PostgreSQL lets a role own only what it might have made there."""
    if creates:
        owned.execute(f"GRANT CREATE ON SCHEMA public TO {OWNER}")
    place = site(owned, case, MAKER)
    place.expand()
    place.migrate()
    place.contract()
    table_owner = owned.rows(
        "SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE oid = 'public.new'::regclass"
    )
    own = OWNER if creates or case == "rename" else MAKER
    assert table_owner == [(own,)]


def test_the_owner_writes_a_merged_table(owned: Database) -> None:
    """The view of it belongs to who may write what is behind it."""
    phases = tables.phases(
        "it", MergeTables(tables=(HOST.beside("disk"),), into=HOST), schema_of(TABLES)
    )
    place = Site(database=owned, phases=phases)
    before = shape(owned)
    place.expand()
    place.migrate()
    changed = "UPDATE public.disk SET size = 5; SELECT size FROM public.disk"
    assert as_owner(owned, changed) == [(5,)]
    place.undo_migrate()
    place.undo_expand()
    assert as_owner(owned, "SELECT size FROM public.disk") == [(5,)]
    assert shape(owned) == before
