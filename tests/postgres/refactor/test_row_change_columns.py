"""ChangeColumns: old and new writers of one row, from the expand to the contract or its undo."""

from collections.abc import Callable

import psycopg2
import pytest

from tests.postgres.conftest import Database
from tests.postgres.refactor.row_support import Undone, by_hand, copy_in, site
from tests.postgres.refactor.site import Site, shape
from toolchain.model.refactoring import ChangeColumns, NewColumn, OldColumn
from toolchain.model.relation_name import RelationName
from toolchain.refactor.row import change_columns

SYSTEMS = """
CREATE TABLE public.host (
    id integer PRIMARY KEY,
    os text NOT NULL,
    note text
);
CREATE INDEX host_os ON public.host (os);
"""
OS_NAME = ChangeColumns(
    table=RelationName("public", "host"),
    old=(
        OldColumn(
            name="os",
            value="concat_ws(' ', nullif(os_name, ''), nullif(os_version, ''))",
        ),
    ),
    new=(
        NewColumn(
            name="os_name",
            type="text",
            value="regexp_replace(os, '\\s+[0-9].*$', '')",
            not_null=True,
        ),
        NewColumn(
            name="os_version",
            type="varchar(20)",
            value="coalesce(substring(os from '\\s+([0-9].*)$'), '')",
            not_null=True,
        ),
    ),
)
ROWS = "INSERT INTO public.host VALUES (1, 'Debian  12'), (2, 'Windows'), (3, 'SLES 15.5')"
BOTH = "SELECT id, os, os_name, os_version FROM public.host ORDER BY id"

PRICES = """
CREATE TABLE public.price (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "Amount" numeric(10,2),
    label text DEFAULT 'none',
    doubled numeric GENERATED ALWAYS AS (id * 2) STORED
);
"""
CENTS = ChangeColumns(
    table=RelationName("public", "price"),
    old=(OldColumn(name="Amount", value="cents / 100.0"),),
    new=(NewColumn(name="cents", type="bigint", value='"Amount" * 100'),),
)
AMOUNTS = 'SELECT id, "Amount", cents FROM public.price ORDER BY id'


@pytest.fixture
def systems(database: Database) -> Site:
    made = site(database, SYSTEMS, change_columns.phases, OS_NAME)
    database.execute(ROWS)
    return made


@pytest.fixture
def prices(database: Database) -> Site:
    return site(database, PRICES, change_columns.phases, CENTS)


def test_rows_of_before_are_filled_in_batches(systems: Site) -> None:
    systems.expand()
    systems.migrate()
    assert systems.database.rows(BOTH) == [
        (1, "Debian  12", "Debian", "12"),
        (2, "Windows", "Windows", ""),
        (3, "SLES 15.5", "SLES", "15.5"),
    ]


def test_batches_touch_no_row_twice(systems: Site) -> None:
    systems.expand()
    systems.migrate()
    before = systems.database.rows("SELECT ctid::text FROM public.host ORDER BY id")
    for _ in systems.batches():
        pass
    assert systems.database.rows("SELECT ctid::text FROM public.host ORDER BY id") == before


@pytest.mark.parametrize("migrated", [False, True])
def test_old_writers(systems: Site, migrated: bool) -> None:
    systems.expand()
    if migrated:
        systems.migrate()
    systems.database.execute("INSERT INTO public.host (id, os) VALUES (4, 'RHEL 9.4 (Plow)')")
    systems.database.execute("UPDATE public.host SET os = 'Debian 13', id = 5 WHERE id = 1")
    systems.database.execute("UPDATE public.host SET note = 'seen' WHERE id IN (2, 3)")
    systems.database.execute(
        "INSERT INTO public.host (id, os) VALUES (2, 'BSD'), (6, 'OS 2')"
        " ON CONFLICT (id) DO UPDATE SET os = excluded.os"
    )
    systems.database.execute("DELETE FROM public.host WHERE id = 3")
    copy_in(systems.database, "public.host (id, os)", ["7\tQNX 8"])
    assert systems.database.rows(BOTH) == [
        (2, "BSD", "BSD", ""),
        (4, "RHEL 9.4 (Plow)", "RHEL", "9.4 (Plow)"),
        (5, "Debian 13", "Debian", "13"),
        (6, "OS 2", "OS", "2"),
        (7, "QNX 8", "QNX", "8"),
    ]


def test_new_writers(systems: Site) -> None:
    systems.expand()
    systems.migrate()
    execute = systems.database.execute
    execute("INSERT INTO public.host (id, os_name, os_version) VALUES (4, 'RHEL', '9')")
    execute("UPDATE public.host SET os_version = '16' WHERE id = 3")
    execute(
        "INSERT INTO public.host (id, os_name, os_version) VALUES (2, 'BSD', '14'), (6, 'QNX', '')"
        " ON CONFLICT (id) DO UPDATE SET os_name = excluded.os_name"
    )
    copy_in(systems.database, "public.host (id, os_name, os_version)", ["7\tHaiku\t1"])
    assert systems.database.rows(BOTH) == [
        (1, "Debian  12", "Debian", "12"),
        (2, "BSD", "BSD", ""),
        (3, "SLES 16", "SLES", "16"),
        (4, "RHEL 9", "RHEL", "9"),
        (6, "QNX", "QNX", ""),
        (7, "Haiku 1", "Haiku", "1"),
    ]
    with pytest.raises(psycopg2.errors.CheckViolation):
        execute("UPDATE public.host SET os_name = NULL WHERE id = 3")


def test_the_new_form_wins_where_one_statement_writes_both(systems: Site) -> None:
    systems.expand()
    systems.migrate()
    systems.database.execute(
        "UPDATE public.host SET os = 'x 1', os_name = 'y', os_version = '2' WHERE id = 1;"
        "UPDATE public.host SET os = 'a   1', os_name = 'a', os_version = '1' WHERE id = 2;"
    )
    assert systems.database.rows(BOTH)[:2] == [(1, "y 2", "y", "2"), (2, "a   1", "a", "1")]


def test_a_write_of_neither_form_moves_nothing(systems: Site) -> None:
    systems.expand()
    systems.migrate()
    before = systems.database.rows(BOTH)
    for _ in range(3):
        systems.database.execute("UPDATE public.host SET note = note || '.', os = os")
    assert systems.database.rows(BOTH) == before  # two spaces still, which the way back has not


def test_contract_leaves_what_one_would_write_by_hand(
    systems: Site, make_database: Callable[..., Database]
) -> None:
    systems.expand()
    systems.migrate()
    systems.contract()
    assert shape(systems.database) == by_hand(
        make_database,
        "CREATE TABLE public.host (id integer PRIMARY KEY, note text, os_name text NOT NULL,"
        " os_version varchar(20) NOT NULL)",
    )
    with pytest.raises(psycopg2.errors.NotNullViolation):
        systems.database.execute("INSERT INTO public.host (id, os_name) VALUES (9, 'x')")


def test_undo(systems: Site) -> None:
    Undone.of(systems, "SELECT id, os, note FROM public.host ORDER BY id").check()


def test_an_old_row_is_filled_by_whoever_writes_it(systems: Site) -> None:
    """The check binds from the expand on, so a batch that comes late must not stop a writer."""
    systems.expand()
    systems.database.execute("UPDATE public.host SET note = 'x' WHERE id = 2")
    assert systems.database.rows(BOTH)[1] == (2, "Windows", "Windows", "")


def test_null_may_be_what_a_server_wrote(prices: Site) -> None:
    prices.database.execute('INSERT INTO public.price ("Amount") VALUES (1.5), (NULL)')
    prices.expand()
    prices.migrate()
    prices.database.execute("UPDATE public.price SET cents = NULL WHERE id = 1")
    prices.database.execute("INSERT INTO public.price (cents) VALUES (7), (NULL)")
    prices.database.execute("UPDATE public.price SET label = label || '.'")
    assert [(row[0], row[1] and float(row[1]), row[2]) for row in prices.database.rows(AMOUNTS)] == [
        (1, None, None), (2, None, None), (3, 0.07, 7), (4, None, None),
    ]  # fmt: skip
    prices.contract()
    assert ("Amount",) not in prices.database.rows(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = 'public.price'::regclass"
    )


def test_null_that_the_old_form_says_in_a_word(database: Database) -> None:
    known = ChangeColumns(
        table=RelationName("public", "host"),
        old=(OldColumn(name="os", value="coalesce(system, 'unknown')"),),
        new=(NewColumn(name="system", type="text", value="os"),),
    )
    hosts = site(database, SYSTEMS, change_columns.phases, known)
    database.execute(ROWS)
    hosts.expand()
    hosts.migrate()
    database.execute("UPDATE public.host SET system = NULL WHERE id = 1")
    database.execute("UPDATE public.host SET note = 'x'")
    assert database.rows("SELECT os, system FROM public.host ORDER BY id") == [
        ("unknown", None),
        ("Windows", "Windows"),
        ("SLES 15.5", "SLES 15.5"),
    ]


OWN_TRIGGER = """
CREATE TABLE public.host (id integer PRIMARY KEY, os text NOT NULL, note text);
CREATE FUNCTION public.tidy() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.note := 'os ' || NEW.os; NEW.os := replace(NEW.os, 'Debain', 'Debian');
    RETURN NEW; END $$;
CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON public.host
    FOR EACH ROW EXECUTE FUNCTION public.tidy();
"""


def test_the_tables_own_trigger_sees_what_new_servers_write(database: Database) -> None:
    tidied = site(database, OWN_TRIGGER, change_columns.phases, OS_NAME)
    tidied.expand()
    database.execute("INSERT INTO public.host (id, os) VALUES (1, 'Debain 12')")
    database.execute("INSERT INTO public.host (id, os_name, os_version) VALUES (2, 'Debain', '13')")
    database.execute("INSERT INTO public.host (id, os_name, os_version) VALUES (3, 'BSD', '1')")
    database.execute("UPDATE public.host SET os_version = '2' WHERE id = 3")
    assert database.rows("SELECT id, os, os_name, os_version, note FROM host ORDER BY id") == [
        (1, "Debian 12", "Debian", "12", "os Debain 12"),
        (2, "Debian 13", "Debian", "13", "os Debain 13"),
        (3, "BSD 2", "BSD", "2", "os BSD 2"),
    ]
    tidied.undo_expand()
    own = "SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'public.host'::regclass"
    assert database.rows(own) == [("tidy",)]
