"""RenameColumn: two names in one row, and at the contract all that the column had, renamed."""

from collections.abc import Callable

import psycopg2
import pytest

from tests.postgres.conftest import Database
from tests.postgres.refactor.row_support import Undone, by_hand, copy_in, site
from tests.postgres.refactor.site import Site, shape
from toolchain.model.refactoring import RenameColumn
from toolchain.model.relation_name import RelationName
from toolchain.refactor.phases import Act
from toolchain.refactor.row import rename_column

ORDERS = """
CREATE TABLE public.customer (id integer PRIMARY KEY);
INSERT INTO public.customer VALUES (1), (2), (3);
CREATE TABLE public."Order" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "Select" integer NOT NULL UNIQUE REFERENCES public.customer ON DELETE CASCADE
        ON UPDATE CASCADE CHECK ("Select" > 0),
    twice integer GENERATED ALWAYS AS ("Select" * 2) STORED,
    data json,
    state text DEFAULT 'open'
);
CREATE INDEX order_twice ON public."Order" (twice, "Select");
CREATE TABLE public.line (owner integer REFERENCES public."Order" ("Select") ON UPDATE CASCADE);
CREATE VIEW public.orders AS SELECT id, "Select" FROM public."Order";
"""
ORDER = RelationName("public", "Order")
SELECT = RenameColumn(table=ORDER, column="Select", to="owner")
STATE = RenameColumn(table=ORDER, column="state", to="status")
DATA = RenameColumn(table=ORDER, column="data", to="NEW")
KEY = RenameColumn(table=ORDER, column="id", to="number")
BOTH = 'SELECT "Select", owner, twice FROM public."Order" ORDER BY id'


@pytest.fixture
def orders(database: Database) -> Site:
    made = site(database, ORDERS, rename_column.phases, SELECT)
    database.execute('INSERT INTO public."Order" ("Select") VALUES (1), (2)')
    return made


@pytest.mark.parametrize("migrated", [False, True])
def test_writers_of_both_names(orders: Site, migrated: bool) -> None:
    orders.expand()
    execute = orders.database.execute
    if migrated:
        orders.migrate(rows=1)
    execute('INSERT INTO public."Order" (owner) VALUES (3)')
    execute('UPDATE public."Order" SET "Select" = 30 - 29 WHERE "Select" = 1')
    execute("UPDATE public.customer SET id = id + 10")  # the reference cascades
    execute('INSERT INTO public."Order" ("Select") VALUES (11) ON CONFLICT ("Select") DO NOTHING')
    execute('DELETE FROM public."Order" WHERE "Select" = 12')
    copy_in(orders.database, 'public."Order" (owner, state)', ["12\tdone"])
    assert orders.database.rows(BOTH) == [(11, 11, 22), (13, 13, 26), (12, 12, 24)]
    execute('UPDATE public."Order" SET owner = 12 + 1 - 1 WHERE owner = 12')
    with pytest.raises(psycopg2.errors.UniqueViolation):
        execute('UPDATE public."Order" SET owner = 11 WHERE owner = 12')
    with pytest.raises(psycopg2.errors.NotNullViolation):
        execute('UPDATE public."Order" SET owner = NULL WHERE owner = 12')
    with pytest.raises(psycopg2.errors.CheckViolation):
        execute('INSERT INTO public."Order" (owner) VALUES (-1)')


def test_rolled_back_is_as_before(orders: Site) -> None:
    orders.expand()
    orders.migrate()
    with pytest.raises(psycopg2.errors.DivisionByZero):
        orders.database.execute('UPDATE public."Order" SET owner = 3 WHERE owner = 1; SELECT 1 / 0')
    assert orders.database.rows(BOTH) == [(1, 1, 2), (2, 2, 4)]


def test_contract_leaves_what_one_would_write_by_hand(
    orders: Site, make_database: Callable[..., Database]
) -> None:
    orders.expand()
    orders.migrate()
    orders.contract()
    renamed = 'ALTER TABLE public."Order" RENAME COLUMN "Select" TO owner'
    assert shape(orders.database) == by_hand(make_database, ORDERS, renamed)
    assert orders.database.rows('SELECT id, owner FROM public."Order"') == [(1, 1), (2, 2)]


@pytest.mark.parametrize("refactoring", [SELECT, STATE, DATA, KEY])
def test_undo(database: Database, refactoring: RenameColumn) -> None:
    orders = site(database, ORDERS, rename_column.phases, refactoring)
    database.execute(
        """INSERT INTO public."Order" ("Select", data, state)
        VALUES (1, '{"a": 1}', NULL), (2, NULL, 'x')"""
    )
    Undone.of(orders, 'SELECT * FROM public."Order" ORDER BY id').check()


def test_null_can_be_written_where_the_column_has_a_default(database: Database) -> None:
    orders = site(database, ORDERS, rename_column.phases, STATE)
    orders.expand()
    database.execute("""
        INSERT INTO public."Order" ("Select", state) VALUES (1, NULL);
        INSERT INTO public."Order" ("Select", status) VALUES (2, NULL);
        INSERT INTO public."Order" ("Select") VALUES (3);
    """)
    assert database.rows('SELECT state, status FROM public."Order" ORDER BY id') == [
        (None, None),
        (None, None),
        ("open", "open"),
    ]


def test_types_without_equality(database: Database) -> None:
    orders = site(database, ORDERS, rename_column.phases, DATA)
    database.execute("""INSERT INTO public."Order" ("Select", data) VALUES (1, '{"a": 1}')""")
    orders.expand()
    orders.migrate()
    database.execute("""UPDATE public."Order" SET "NEW" = '{"a":1}'""")
    assert database.rows('SELECT data::text, "NEW"::text FROM public."Order"') == [
        ('{"a":1}', '{"a":1}')
    ]


def test_identity_key(database: Database, make_database: Callable[..., Database]) -> None:
    orders = site(database, ORDERS, rename_column.phases, KEY)
    database.execute('INSERT INTO public."Order" ("Select") VALUES (1)')
    orders.expand()
    orders.migrate()
    database.execute('INSERT INTO public."Order" ("Select") VALUES (2)')
    assert database.rows('SELECT id, number FROM public."Order" ORDER BY id') == [(1, 1), (2, 2)]
    orders.contract()
    renamed = 'ALTER TABLE public."Order" RENAME COLUMN id TO number'
    assert shape(database) == by_hand(make_database, ORDERS, renamed)
    (limit,) = orders.phases.limits
    assert (limit.act, limit.columns) == (Act.ON_CONFLICT, frozenset({"number"}))


def test_a_row_that_bypassed_the_trigger_stops_the_migration(orders: Site) -> None:
    """The contract throws one of the columns away, so they are proved equal before."""
    orders.expand()
    orders.database.execute(
        'ALTER TABLE public."Order" DROP CONSTRAINT interlock_the_change;'
        "SET session_replication_role = replica;"
        'UPDATE public."Order" SET owner = 3 WHERE "Select" = 1;'
        'ALTER TABLE public."Order" ADD CONSTRAINT interlock_the_change'
        ' CHECK (ROW(owner)::record *= ROW("Select")::record) NOT VALID'
    )
    with pytest.raises(psycopg2.errors.CheckViolation):
        orders.migrate()


def test_rights_on_the_column_alone(orders: Site) -> None:
    orders.database.execute(
        "DROP ROLE IF EXISTS row_reader; CREATE ROLE row_reader;"
        'GRANT SELECT ("Select"), UPDATE ("Select") ON public."Order" TO row_reader'
    )
    rights = (
        "SELECT attname::text, attacl::text FROM pg_attribute"
        " WHERE attrelid = 'public.\"Order\"'::regclass AND attacl IS NOT NULL AND NOT attisdropped ORDER BY attnum"
    )
    ((_, granted),) = orders.database.rows(rights)
    orders.expand()
    assert orders.database.rows(rights) == [("Select", granted), ("owner", granted)]
    orders.migrate()
    orders.database.execute('GRANT REFERENCES (owner) ON public."Order" TO row_reader')
    ((_, later),) = orders.database.rows(f"SELECT * FROM ({rights}) AS each OFFSET 1")
    orders.contract()
    assert orders.database.rows(rights) == [("owner", later)]
    assert later != granted
    orders.database.execute("DROP OWNED BY row_reader; DROP ROLE row_reader")


OWN_TRIGGER = """
CREATE TABLE public.page (id integer PRIMARY KEY, title text, search text);
CREATE FUNCTION public.find() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.search := lower(NEW.title); NEW.title := trim(NEW.title); RETURN NEW; END $$;
CREATE TRIGGER find BEFORE INSERT OR UPDATE ON public.page
    FOR EACH ROW EXECUTE FUNCTION public.find();
"""


def test_the_tables_own_trigger_sees_what_new_servers_write(database: Database) -> None:
    title = RenameColumn(table=RelationName("public", "page"), column="title", to="headline")
    pages = site(database, OWN_TRIGGER, rename_column.phases, title)
    database.execute("INSERT INTO public.page VALUES (0, 'Zero')")
    Undone.of(pages, "SELECT * FROM public.page").check()
    pages.expand()
    pages.migrate()
    database.execute("INSERT INTO public.page (id, headline) VALUES (1, ' A ')")
    database.execute("INSERT INTO public.page (id, title) VALUES (2, ' B ')")
    database.execute("UPDATE public.page SET headline = ' C ' WHERE id = 0")
    assert database.rows("SELECT title, headline, search FROM public.page ORDER BY id") == [
        ("C", "C", " c "),
        ("A", "A", " a "),
        ("B", "B", " b "),
    ]
