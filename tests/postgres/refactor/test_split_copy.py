"""A table split into real tables that triggers keep equal, on a real PostgreSQL."""

import psycopg2.errors
import pytest

from tests.postgres.conftest import Database
from tests.postgres.refactor.site import (
    Site,
    query,
    session,
    shape,
    start,
    told,
    wait_until_blocked,
)
from toolchain.model.refactoring import Part, SplitTable, Strategy
from toolchain.model.relation_name import RelationName
from toolchain.refactor.split.table import phases

TABLE = """
CREATE TABLE host (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    n integer CONSTRAINT host_n_check CHECK (n >= 0),
    address text CONSTRAINT host_address_key UNIQUE,
    facts json
);
INSERT INTO host VALUES (1, 'a', 1, 'x', '{}'), (2, 'b', NULL, NULL, NULL), (3, 'c', 3, 'y', NULL);
"""
OLD = "SELECT id, n, address, facts::text FROM host ORDER BY id"
NEW = "SELECT host_id, n, address, facts::text FROM part ORDER BY host_id"


@pytest.fixture
def copied(database: Database) -> Site:
    database.execute(TABLE)
    split = SplitTable(
        table=RelationName.parse("host"),
        into=(Part(table=RelationName.parse("part"), columns=("n", "address", "facts")),),
        strategy=Strategy.COPY,
    )
    site = Site(database=database, phases=phases("split-host", split, told(TABLE)))
    site.expand()
    return site


def equal(database: Database) -> bool:
    """Whether the part is what the table says of it."""
    return database.rows(NEW) == [row for row in database.rows(OLD) if row[1:] != (None,) * 3]


def test_a_migration_copies_what_is_there(copied: Site) -> None:
    copied.migrate()
    assert equal(copied.database)
    assert len(copied.database.rows(NEW)) == 2


def test_undo_leaves_the_old_form(copied: Site) -> None:
    copied.migrate()
    copied.database.execute("UPDATE part SET n = 7 WHERE host_id = 1")
    copied.undo_expand()
    assert copied.database.rows("SELECT n FROM host WHERE id = 1") == [(7,)]
    after = shape(copied.database)
    copied.database.execute("DROP TABLE host;" + TABLE)
    assert after == shape(copied.database)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE host SET n = 9",
        "UPDATE host SET n = NULL, address = NULL, facts = NULL",
        "UPDATE host SET facts = '[1]'",
        "UPDATE host SET id = id + 10",
        "INSERT INTO host VALUES (4, 'd', 4)",
        "DELETE FROM host WHERE id <= 2",
        "TRUNCATE host CASCADE",
        "UPDATE part SET n = n + 1",
        "UPDATE part SET n = NULL, address = NULL, facts = NULL",
        "UPDATE part SET facts = '[1]'",
        "UPDATE part SET host_id = 2 WHERE host_id = 1",
        "INSERT INTO part VALUES (2, 2)",
        "INSERT INTO part VALUES (2)",
        "INSERT INTO part VALUES (1, 5) ON CONFLICT (host_id) DO UPDATE SET n = part.n + 1",
        "INSERT INTO part VALUES (1, 5) ON CONFLICT DO NOTHING",
        "DELETE FROM part",
        "INSERT INTO host VALUES (5, 'e'); INSERT INTO part VALUES (5, 1); DELETE FROM host",
    ],
)
@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_a_write_of_either_form_is_a_write_of_both(
    copied: Site, statement: str, isolation: str
) -> None:
    copied.migrate()
    before = copied.database.rows(OLD)
    copied.database.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}; {statement}")
    assert equal(copied.database)
    same = "DO NOTHING" in statement or statement.endswith("(2)")
    assert (copied.database.rows(OLD) == before) is same


def test_truncate_of_a_part_is_followed_where_all_rows_are_seen(copied: Site) -> None:
    copied.migrate()
    with pytest.raises(psycopg2.errors.FeatureNotSupported):
        copied.database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; TRUNCATE part")
    copied.database.execute("TRUNCATE part")
    assert equal(copied.database)
    assert copied.database.rows("TABLE part") == []


@pytest.mark.parametrize("statement", ["UPDATE host SET n = 9", "DELETE FROM host WHERE id = 1"])
def test_a_write_before_the_batch_is_not_undone_by_it(copied: Site, statement: str) -> None:
    copied.database.execute(statement)
    copied.migrate()
    assert equal(copied.database)


def test_an_increment_of_each_form_counts(copied: Site) -> None:
    copied.migrate()
    with session(copied.database) as old, session(copied.database) as new:
        query(old, "UPDATE host SET n = n + 1 WHERE id = 1")
        waiting = start(new, "UPDATE part SET n = n + 1 WHERE host_id = 1")
        wait_until_blocked(copied.database)
        old.commit()
        waiting.result()
        new.commit()
        query(new, "UPDATE part SET n = n + 1 WHERE host_id = 1")
        waiting = start(old, "UPDATE host SET n = n + 1 WHERE id = 1")
        wait_until_blocked(copied.database)
        new.commit()
        waiting.result()
        old.commit()
    assert copied.database.rows("SELECT n FROM host WHERE id = 1") == [(5,)]
    assert equal(copied.database)


@pytest.mark.parametrize("statement", ["UPDATE part SET n = 5", "DELETE FROM part"])
def test_a_writer_of_the_part_does_not_wait_for_the_table(copied: Site, statement: str) -> None:
    copied.migrate()
    with session(copied.database) as old, session(copied.database) as new:
        query(new, "SET lock_timeout = '2s'")
        query(old, "UPDATE host SET name = 'z' WHERE id = 1")
        with pytest.raises(psycopg2.errors.SerializationFailure, match="holds the row of host"):
            query(new, statement)


def test_an_insert_of_the_part_waits_for_the_table(copied: Site) -> None:
    copied.migrate()
    with session(copied.database) as old, session(copied.database) as new:
        query(old, "UPDATE host SET n = 7 WHERE id = 2")
        waiting = start(
            new,
            "INSERT INTO part VALUES (2, 1) ON CONFLICT (host_id) DO UPDATE SET n = part.n + 1",
        )
        wait_until_blocked(copied.database)
        old.commit()
        waiting.result()
        new.commit()
    assert copied.database.rows("SELECT n FROM host WHERE id = 2") == [(8,)]
    assert equal(copied.database)


def test_an_old_snapshot_does_not_leave_a_copy_behind(copied: Site) -> None:
    with session(copied.database) as old:
        query(old, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        query(old, "SELECT FROM host")
        copied.migrate()
        with pytest.raises(psycopg2.errors.SerializationFailure):
            query(old, "UPDATE host SET n = NULL, address = NULL, facts = NULL")
    assert equal(copied.database)


def test_a_contract_leaves_the_tables_as_by_hand(copied: Site) -> None:
    copied.migrate()
    rows = copied.database.rows(NEW)
    copied.contract()
    assert copied.database.rows(NEW) == rows
    after = shape(copied.database)
    copied.database.execute("""
        DROP TABLE part, host;
        CREATE TABLE host (id bigint PRIMARY KEY, name text NOT NULL);
        CREATE TABLE part (
            host_id bigint PRIMARY KEY REFERENCES host ON UPDATE CASCADE ON DELETE CASCADE,
            n integer CONSTRAINT part_n_check CHECK (n >= 0),
            address text CONSTRAINT part_address_key UNIQUE,
            facts json
        )
    """)
    assert after == shape(copied.database)


def test_a_required_column_is_asked_for_at_the_end(database: Database) -> None:
    table = """
        CREATE TABLE host (a integer, b integer, cpu text NOT NULL, note text, walk integer,
            PRIMARY KEY (a, b), UNIQUE (walk));
        ALTER TABLE host ALTER walk SET NOT NULL;
        INSERT INTO host VALUES (1, 1, 'EPYC', 'x', 1), (1, 2, 'Xeon', NULL, 2);
    """
    database.execute(table)
    split = SplitTable(
        table=RelationName.parse("host"),
        into=(
            Part(
                table=RelationName.parse("part"), columns=("cpu", "note"), rename=("host_a", "host")
            ),
        ),
        strategy=Strategy.COPY,
    )
    before = shape(database)
    site = Site(database=database, phases=phases("split-host", split, told(table)))
    site.expand()
    site.undo_expand()
    assert shape(database) == before
    site.expand()
    site.migrate(rows=1)
    with session(database) as new:
        query(new, "INSERT INTO host (a, b, walk) VALUES (2, 1, 3)")
        query(new, "INSERT INTO part (host_a, host, cpu) VALUES (2, 1, 'ARM')")
        new.commit()
        query(new, "UPDATE host SET b = 5 WHERE a = 2")
        query(new, "UPDATE part SET note = cpu WHERE host = 5")
        new.commit()
        query(new, "DELETE FROM part WHERE host = 5")
        with pytest.raises(psycopg2.errors.NotNullViolation, match="a row without cpu"):
            new.commit()
    rows = "SELECT a, b, cpu, note FROM host ORDER BY 1, 2"
    assert database.rows(rows)[2] == (2, 5, "ARM", "ARM")
    old = database.rows(rows)
    site.contract()
    assert database.rows("SELECT * FROM part ORDER BY 1, 2") == old
