"""Columns moved along a foreign key, on a real PostgreSQL: two forms, nobody waits, nothing lost."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg2.errors
import pytest
from psycopg2.extensions import connection

from tests.postgres.conftest import Database
from tests.postgres.refactor.site import (
    Site,
    query,
    run_batch,
    session,
    shape,
    start,
    wait_until_blocked,
)
from tests.postgres.refactor.two_table_support import told
from toolchain.model.refactoring import MoveColumns
from toolchain.model.relation_name import RelationName
from toolchain.refactor.move.columns import phases

SCHEMA = """
CREATE TABLE customer (id bigint PRIMARY KEY, name text);
CREATE TABLE invoice (
    id bigint PRIMARY KEY,
    customer bigint NOT NULL REFERENCES customer ON UPDATE CASCADE,
    email text CHECK (email LIKE '%@%'),
    phone text,
    amount integer NOT NULL DEFAULT 0
);
CREATE INDEX invoice_customer ON invoice (customer);
INSERT INTO customer SELECT number, 'customer ' || number FROM generate_series(1, 4) AS number;
INSERT INTO invoice (id, customer, email)
SELECT number, number % 3 + 1, number % 3 + 1 || '@old' FROM generate_series(1, 9) AS number;
"""
INVOICES = "SELECT id, email FROM invoice WHERE customer = 1 ORDER BY id"
STRAYS = """
SELECT invoice.id FROM invoice JOIN customer ON customer.id = invoice.customer
WHERE (invoice.email, invoice.phone) IS DISTINCT FROM (customer.email, customer.phone)
"""


def plan(database: Database) -> Site:
    move = MoveColumns(
        table=RelationName("public", "invoice"),
        columns=("email", "phone"),
        along=("customer",),
        to=RelationName("public", "customer"),
    )
    return Site(database=database, phases=phases("move-email", move, told(SCHEMA)))


@pytest.fixture
def site(database: Database) -> Site:
    database.execute(SCHEMA)
    return plan(database)


@pytest.fixture
def ready(site: Site) -> Site:
    site.expand()
    site.migrate()
    return site


@pytest.fixture
def sessions(site: Site) -> Iterator[tuple[connection, connection]]:
    with ExitStack() as stack:
        one, other = (stack.enter_context(session(site.database)) for _ in range(2))
        yield one, other


def emails(site: Site, customer: int = 1) -> set[str]:
    (found,) = site.database.rows(f"SELECT email FROM customer WHERE id = {customer}")
    rows = site.database.rows(f"SELECT email FROM invoice WHERE customer = {customer}")
    return {row[0] for row in [found, *rows]}


def test_the_migration_gives_each_parent_what_its_children_say(ready: Site) -> None:
    assert ready.database.rows("SELECT id, email FROM customer ORDER BY id") == [
        (1, "1@old"),
        (2, "2@old"),
        (3, "3@old"),
        (4, None),
    ]


def test_before_the_migration_old_servers_are_left_alone(site: Site) -> None:
    site.expand()
    site.database.execute("UPDATE invoice SET email = 'alone@old' WHERE id = 3")
    assert [row[1] for row in site.database.rows(INVOICES)] == ["alone@old", "1@old", "1@old"]


def test_rows_that_disagree_stop_the_migration(site: Site) -> None:
    site.expand()
    site.database.execute("UPDATE invoice SET phone = '1' WHERE id = 3")
    with pytest.raises(psycopg2.errors.DataException, match="though customer is 1 in all of them"):
        site.begin()


def test_rows_that_disagree_since_the_begin_stop_their_batch(site: Site) -> None:
    site.expand()
    assert site.phases.migrate is not None
    with session(site.database) as server, session(site.database) as runner:
        query(server, "UPDATE invoice SET phone = '1' WHERE id = 3; SET CONSTRAINTS ALL IMMEDIATE")
        waiting = start(runner, site.phases.migrate.begin)
        wait_until_blocked(site.database)
        server.commit()
        waiting.result(10)
        runner.commit()
    with pytest.raises(psycopg2.errors.DataException, match="though customer is 1 in all of them"):
        list(site.batches())
    site.database.execute("UPDATE invoice SET phone = '2' WHERE id = 3")
    list(site.batches())
    site.finish()
    assert site.database.rows(STRAYS) == []


def test_a_contract_drops_nothing_that_is_in_the_old_form_alone(ready: Site) -> None:
    ready.database.execute("""
        SET session_replication_role = replica;
        UPDATE invoice SET email = 'unheard@' WHERE id = 3;
    """)
    with pytest.raises(psycopg2.errors.RaiseException, match="differ from public.customer"):
        ready.contract()
    assert "unheard@" in emails(ready)
    ready.undo_migrate()
    ready.database.execute("UPDATE invoice SET email = 'unheard@' WHERE customer = 1")
    ready.migrate()
    ready.contract()
    assert ready.database.rows("SELECT email FROM customer WHERE id = 1") == [("unheard@",)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoice SET email = 'new@' WHERE id = 3",
        "UPDATE invoice SET email = 'new@' WHERE customer = 1",
        "UPDATE customer SET email = 'new@' WHERE id = 1",
        "INSERT INTO invoice (id, customer, email) VALUES (10, 1, 'new@')",
        "UPDATE invoice SET email = 'x@' WHERE id = 3; UPDATE invoice SET email = 'new@' WHERE id = 6",
        "UPDATE invoice SET email = 'x@' WHERE id = 3; UPDATE invoice SET email = 'new@' WHERE id = 3",
        "UPDATE invoice SET email = 'x@' WHERE id = 3; UPDATE customer SET email = 'new@' WHERE id = 1",
        "UPDATE customer SET email = 'x@' WHERE id = 1; UPDATE invoice SET email = 'new@' WHERE id = 3",
        "UPDATE invoice SET email = 'new@' WHERE id = 3; DELETE FROM invoice WHERE id = 3",
        "UPDATE invoice SET customer = 1, email = 'new@' WHERE id = 4",
    ],
)
def test_the_last_write_holds_for_the_whole_group(ready: Site, statement: str) -> None:
    ready.database.execute(statement)
    assert emails(ready) == {"new@"}
    assert ready.database.rows(STRAYS) == []


@pytest.mark.parametrize(
    ("statement", "customer"),
    [
        ("INSERT INTO invoice (id, customer) VALUES (10, 1)", 1),
        ("UPDATE invoice SET customer = 1 WHERE id = 4", 1),
        ("INSERT INTO invoice (id, customer) VALUES (10, 4)", 4),
        ("INSERT INTO invoice (id, customer, email) VALUES (10, 4, 'first@')", 4),
        ("UPDATE customer SET id = 40, email = 'moved@' WHERE id = 1", 40),
        (
            "UPDATE customer SET email = 'm@' WHERE id = 1; UPDATE customer SET id = 40 WHERE id = 1",
            40,
        ),
        ("UPDATE invoice SET email = NULL WHERE id = 3", 1),
    ],
)
def test_a_row_has_what_its_group_has(ready: Site, statement: str, customer: int) -> None:
    ready.database.execute(statement)
    assert len(emails(ready, customer)) == 1
    assert ready.database.rows(STRAYS) == []


def test_a_batch_leaves_a_held_parent_to_the_finish(
    site: Site, sessions: tuple[connection, connection]
) -> None:
    server, runner = sessions
    site.expand()
    site.begin()
    assert site.phases.migrate is not None
    query(server, "UPDATE customer SET name = 'held' WHERE id = 1")
    query(runner, "SET lock_timeout = '1s'")
    run_batch(runner, site.phases.migrate, 1, 9)
    runner.commit()
    with pytest.raises(psycopg2.errors.LockNotAvailable):
        site.finish()
    server.commit()
    site.finish()
    assert site.database.rows(STRAYS) == []


OLD = "UPDATE invoice SET email = 'old-' || email WHERE id = 3"
OLD_TOO = "UPDATE invoice SET email = 'too-' || email WHERE id = 6"
NEW = "UPDATE customer SET email = 'new-' || email WHERE id = 1"
FILLED = "INSERT INTO invoice (id, customer) VALUES (10, 1)"
MOVED = "UPDATE invoice SET customer = 1 WHERE id = 4"
STRANGER = "UPDATE invoice SET amount = 1 WHERE id = 9"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (OLD, NEW),
        (NEW, OLD),
        (OLD, OLD_TOO),
        (OLD, FILLED),
        (NEW, FILLED),
        (NEW, MOVED),
        (OLD, STRANGER),
        (NEW, STRANGER),
    ],
)
def test_a_writer_that_would_overlook_another_is_to_try_again(
    ready: Site, sessions: tuple[connection, connection], first: str, second: str
) -> None:
    """Both have written, none has ended: the first to end cannot, the other can."""
    one, other = sessions
    query(one, first)
    query(other, second)
    with pytest.raises(psycopg2.errors.SerializationFailure):
        one.commit()
    other.commit()
    query(one, first)
    one.commit()
    assert ready.database.rows(STRAYS) == []
    (email,) = emails(ready)
    for statement, mark in ((OLD, "old-"), (OLD_TOO, "too-"), (NEW, "new-")):
        assert email.count(mark) == (statement in {first, second})


@pytest.mark.parametrize(
    "coming",
    [
        "INSERT INTO invoice (id, customer, email)"
        " SELECT 10, customer, email FROM invoice WHERE id = 3",
        "UPDATE invoice SET customer = 1, email = '1@old' WHERE id = 4",
    ],
)
def test_a_row_that_repeats_what_was_read_does_not_overwrite_a_change(
    ready: Site, sessions: tuple[connection, connection], coming: str
) -> None:
    one, other = sessions
    query(one, coming)
    query(other, NEW)
    with pytest.raises(psycopg2.errors.SerializationFailure):
        other.commit()
    one.commit()
    query(other, NEW)
    other.commit()
    assert ready.database.rows(STRAYS) == []
    assert emails(ready) == {"new-1@old"}


def test_writers_of_other_columns_of_the_parent_do_not_disturb_inserts(
    ready: Site, sessions: tuple[connection, connection]
) -> None:
    one, other = sessions
    query(one, "UPDATE customer SET name = 'held' WHERE id = 1")
    query(other, FILLED)
    query(other, "INSERT INTO invoice (id, customer, email) VALUES (11, 1, '1@old')")
    other.commit()
    one.commit()
    assert ready.database.rows(STRAYS) == []


def test_two_that_go_on_to_each_others_rows_do_not_deadlock(
    ready: Site, sessions: tuple[connection, connection]
) -> None:
    """What a trigger took at once would be in the way here: 40P01, although each has its order."""
    one, other = sessions
    for each in sessions:
        query(each, "SET lock_timeout = '5s'")
    query(one, NEW)
    query(other, "UPDATE invoice SET amount = 2 WHERE id = 4")
    query(other, "UPDATE invoice SET amount = 2 WHERE id = 6")  # of the group that one has changed
    query(one, "UPDATE invoice SET amount = 3 WHERE id = 5")
    other.commit()
    one.commit()
    assert ready.database.rows(STRAYS) == []


def test_a_row_of_an_old_snapshot_is_refused(
    ready: Site, sessions: tuple[connection, connection]
) -> None:
    one, other = sessions
    for each in sessions:
        each.set_session(isolation_level="REPEATABLE READ")
    query(one, "SELECT 1 FROM customer")
    ready.database.execute(NEW)
    with pytest.raises(psycopg2.errors.SerializationFailure):
        query(one, FILLED)
    query(other, OLD)
    with pytest.raises(psycopg2.errors.FeatureNotSupported):
        other.commit()
    assert ready.database.rows(STRAYS) == []


@pytest.mark.parametrize("migrated", [False, True])
def test_the_undo_leaves_what_old_servers_see(site: Site, migrated: bool) -> None:
    before = shape(site.database)
    site.expand()
    if migrated:
        site.migrate()
        site.database.execute(NEW)
    else:
        site.begin()
        next(site.batches())
    seen = site.database.rows("TABLE invoice")
    site.undo_migrate()
    site.database.execute("UPDATE invoice SET phone = 'own' WHERE id = 3")
    assert len(site.database.rows("SELECT DISTINCT phone FROM invoice WHERE customer = 1")) == 2
    site.database.execute("UPDATE invoice SET phone = NULL WHERE id = 3")
    site.undo_expand()
    assert sorted(site.database.rows("TABLE invoice")) == sorted(seen)
    assert shape(site.database) == before


def test_the_contract_leaves_the_new_form_alone(ready: Site) -> None:
    ready.contract()
    assert [row for row in shape(ready.database) if row[0] in {"trigger", "function"}] == []
    assert ready.database.rows("SELECT email FROM customer WHERE id = 1") == [("1@old",)]
    with pytest.raises(psycopg2.errors.CheckViolation):
        ready.database.execute("UPDATE customer SET email = 'nowhere'")
    with pytest.raises(psycopg2.errors.UndefinedColumn):
        ready.database.execute("SELECT email FROM invoice")
