"""Tables merged into the table that they belong to, on a real PostgreSQL."""

from dataclasses import replace

import psycopg2.errors
import pytest

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
from toolchain.model.refactoring import MergeTables
from toolchain.model.relation_name import RelationName
from toolchain.refactor.merge.tables import phases

SCHEMA = """
CREATE TABLE host (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE hardware (
    host_id bigint PRIMARY KEY REFERENCES host (id) ON DELETE CASCADE,
    cpu text,
    memory integer CHECK (memory >= 0)
);
CREATE TABLE network (
    fqdn text NOT NULL,
    host_id bigint PRIMARY KEY REFERENCES host (id) ON DELETE CASCADE,
    address text
);
INSERT INTO host SELECT number, 'host ' || number FROM generate_series(1, 6) AS number;
INSERT INTO hardware SELECT id, 'cpu ' || id, id FROM host WHERE id <> 4;
INSERT INTO hardware VALUES (4, NULL, NULL);
INSERT INTO network SELECT 'fqdn ' || id, id, NULL FROM host WHERE id > 2;
"""
HARDWARE = "SELECT host_id, cpu, memory FROM hardware ORDER BY 1"
NETWORK = "SELECT fqdn, host_id, address FROM network ORDER BY 2"


@pytest.fixture
def site(database: Database) -> Site:
    database.execute(SCHEMA)
    tables = (RelationName("public", "hardware"), RelationName("public", "network"))
    merge = MergeTables(tables=tables, into=RelationName("public", "host"))
    return Site(database=database, phases=phases("merge-host", merge, told(SCHEMA)))


def old_form(site: Site) -> list[list[tuple[object, ...]]]:
    return [site.database.rows(text) for text in (HARDWARE, NETWORK)]


def test_old_servers_see_the_same_at_every_point(site: Site) -> None:
    before = old_form(site)
    site.expand()
    assert old_form(site) == before
    site.migrate()
    assert old_form(site) == before
    assert site.database.rows(
        "SELECT cpu, memory, fqdn FROM host WHERE id IN (1, 4) ORDER BY id"
    ) == [
        ("cpu 1", 1, None),
        (None, None, "fqdn 4"),
    ]


def test_the_contract_leaves_one_table(site: Site) -> None:
    site.expand()
    site.migrate()
    site.contract()
    assert [row[:2] for row in shape(site.database) if row[0] == "relation"] == [
        ("relation", "host"),
        ("relation", "host_pkey"),
    ]
    assert [row for row in shape(site.database) if row[0] in {"trigger", "function"}] == []
    with pytest.raises(psycopg2.errors.CheckViolation):
        site.database.execute("UPDATE host SET memory = -1")
    with pytest.raises(psycopg2.errors.CheckViolation):
        site.database.execute("UPDATE host SET fqdn = NULL, address = 'here'")


@pytest.mark.parametrize("migrated", [False, True])
def test_the_undo_restores_the_old_schema_and_what_old_servers_see(
    site: Site, migrated: bool
) -> None:
    before = shape(site.database)
    site.expand()
    if migrated:
        site.migrate()
        site.database.execute("UPDATE host SET cpu = 'new', fqdn = NULL WHERE id = 5")
        site.database.execute("DELETE FROM hardware WHERE host_id = 1")
    else:
        site.begin()
        next(site.batches())
    seen = old_form(site)
    site.undo_migrate()
    assert old_form(site) == seen
    site.undo_expand()
    assert old_form(site) == seen
    assert shape(site.database) == before


def test_a_merge_can_be_migrated_again_after_its_undo(site: Site) -> None:
    site.expand()
    site.migrate()
    site.undo_migrate()
    site.database.execute("DELETE FROM network WHERE host_id = 3; UPDATE hardware SET memory = 8")
    seen = old_form(site)
    site.migrate()
    assert old_form(site) == seen
    assert site.database.rows("SELECT fqdn, memory FROM host WHERE id = 3") == [(None, 8)]


def test_old_servers_write_the_view_as_they_wrote_the_table(site: Site) -> None:
    site.expand()
    site.migrate()
    database = site.database
    database.execute("INSERT INTO network (host_id, fqdn) VALUES (1, 'one')")
    database.execute("UPDATE hardware SET cpu = NULL, memory = NULL WHERE host_id = 2")
    database.execute("UPDATE hardware SET memory = 2 WHERE host_id = 2")
    database.execute("DELETE FROM hardware WHERE host_id = 3")
    database.execute("INSERT INTO hardware (host_id) VALUES (3)")
    assert database.rows("SELECT cpu, memory, fqdn FROM host WHERE id < 4 ORDER BY id") == [
        ("cpu 1", 1, "one"),
        (None, 2, None),
        (None, None, "fqdn 3"),
    ]
    with pytest.raises(psycopg2.errors.UniqueViolation):
        database.execute("INSERT INTO network (host_id, fqdn) VALUES (1, 'one')")
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        database.execute("INSERT INTO network (host_id, fqdn) VALUES (99, 'one')")
    with pytest.raises(psycopg2.errors.NotNullViolation):
        database.execute("INSERT INTO network (host_id, fqdn) VALUES (2, NULL)")
    with pytest.raises(psycopg2.errors.WithCheckOptionViolation):
        database.execute("UPDATE network SET fqdn = NULL WHERE host_id = 1")
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):  # it would be the key of the host
        database.execute("UPDATE hardware SET host_id = 99 WHERE host_id = 2")
    database.execute("DELETE FROM host WHERE id = 1")
    assert [row for row in old_form(site)[0] if row[0] == 1] == []


def test_old_servers_see_the_parts_of_new_servers(site: Site) -> None:
    site.expand()
    site.migrate()
    site.database.execute("DELETE FROM hardware WHERE host_id = 2")
    site.database.execute("""
        INSERT INTO host (id, name, memory) VALUES (7, 'seven', 7), (8, 'eight', NULL);
        UPDATE host SET cpu = 'x' WHERE id = 2;
        UPDATE host SET cpu = NULL, memory = NULL WHERE id = 3;
    """)
    assert [row for row in old_form(site)[0] if row[0] in {2, 3, 7, 8}] == [
        (2, "x", None),
        (3, None, None),
        (7, None, 7),
    ]


def test_the_table_behind_the_view_stays_equal_to_it(site: Site) -> None:
    site.expand()
    site.migrate()
    site.database.execute("""
        INSERT INTO host (id, name, memory) VALUES (7, 'seven', 7);
        UPDATE host SET cpu = 'x' WHERE id = 4;
        UPDATE host SET fqdn = NULL WHERE id = 5;
        DELETE FROM host WHERE id = 6;
        DELETE FROM hardware WHERE host_id = 3;
    """)
    for name in ("hardware", "network"):
        assert site.database.rows(f"TABLE {name} EXCEPT TABLE {name}_merged") == []
        assert site.database.rows(f"TABLE {name}_merged EXCEPT TABLE {name}") == []


def test_changes_behind_the_walk_reach_the_new_form(site: Site) -> None:
    site.expand()
    site.begin()
    for number, _ in enumerate(site.batches()):
        if number == 1:
            site.database.execute("""
                UPDATE hardware SET memory = 100 WHERE host_id = 1;
                DELETE FROM network WHERE host_id = 3;
                INSERT INTO network (host_id, fqdn) VALUES (2, 'two');
                DELETE FROM host WHERE id = 4;
            """)
    site.database.execute("UPDATE hardware SET memory = 200 WHERE host_id = 2")
    seen = old_form(site)
    site.finish()
    assert old_form(site) == seen
    assert site.database.rows("SELECT id, memory, fqdn FROM host WHERE id < 5 ORDER BY id") == [
        (1, 100, None),
        (2, 200, "two"),
        (3, 3, None),
    ]


def test_truncate_of_a_part_is_followed(site: Site) -> None:
    site.expand()
    site.begin()
    for _ in site.batches():
        pass
    site.database.execute("TRUNCATE hardware")
    site.finish()
    assert old_form(site)[0] == []


def test_truncate_is_refused_where_it_does_not_see_all_rows(site: Site) -> None:
    site.expand()
    site.begin()
    with pytest.raises(psycopg2.errors.FeatureNotSupported):
        site.database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; TRUNCATE hardware")


def notes(site: Site) -> int:
    (row,) = site.database.rows("SELECT count(*) FROM merge_host_host_changed")
    return int(row[0])


def sweep(site: Site) -> None:
    """What the runner does before each try of the finish."""
    assert site.phases.migrate is not None
    with session(site.database) as runner:
        run_batch(runner, site.phases.migrate, None, None)
        runner.commit()


def test_what_the_walk_will_read_is_not_noted(site: Site) -> None:
    site.expand()
    site.database.execute("UPDATE hardware SET memory = 7")
    assert notes(site) == 0
    site.migrate()
    assert site.database.rows("SELECT DISTINCT memory FROM host") == [(7,)]


def test_the_begin_waits_for_a_writer_who_noted_nothing(site: Site) -> None:
    site.expand()
    assert site.phases.migrate is not None
    with session(site.database) as server, session(site.database) as runner:
        query(server, "UPDATE hardware SET memory = 7")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            query(runner, site.phases.migrate.begin)
        server.commit()


def test_a_batch_without_a_range_copies_what_is_noted_and_walks_no_row(site: Site) -> None:
    site.expand()
    site.begin()
    site.database.execute("UPDATE hardware SET memory = 7 WHERE host_id IN (1, 6)")
    sweep(site)
    assert notes(site) == 0
    assert site.database.rows("SELECT id, memory FROM host WHERE memory IS NOT NULL") == [
        (1, 7),
        (6, 7),
    ]


def test_a_note_that_says_nothing_new_locks_nothing(site: Site) -> None:
    """So a busy table of few differences lets the finish pass."""
    site.expand()
    site.begin()
    list(site.batches())
    site.database.execute("UPDATE hardware SET memory = memory")
    with session(site.database) as server:
        query(server, "UPDATE host SET name = 'held'")
        sweep(site)
        assert notes(site) == 0
        site.database.execute("UPDATE hardware SET memory = memory")
        site.finish()
        server.commit()


def test_all_notes_of_a_key_go_with_one_copy(site: Site) -> None:
    site.expand()
    site.begin()
    list(site.batches())
    for _ in range(3):
        site.database.execute("UPDATE hardware SET memory = memory + 1 WHERE host_id = 1")
    with session(site.database) as server, session(site.database) as runner:
        query(server, "UPDATE hardware SET memory = memory + 1 WHERE host_id = 1")
        assert site.phases.migrate is not None
        run_batch(runner, site.phases.migrate, None, None)
        runner.commit()
        server.commit()
    assert notes(site) == 1
    site.finish()
    assert site.database.rows("SELECT memory FROM host WHERE id = 1") == [(5,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT memory FROM hardware WHERE host_id = 1",
        "UPDATE hardware SET memory = memory + 5",
        "DELETE FROM hardware",
    ],
)
def test_an_older_snapshot_does_not_find_the_view_empty(site: Site, statement: str) -> None:
    site.expand()
    with session(site.database) as server:
        query(server, "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        server.commit()
        query(server, "SELECT FROM pg_class LIMIT 1")
        site.migrate()
        with pytest.raises(psycopg2.errors.SerializationFailure):
            query(server, statement)
        server.rollback()
        query(server, statement)
        server.commit()


def test_the_table_behind_the_view_has_the_row_as_other_triggers_left_it(
    database: Database,
) -> None:
    schema = (
        SCHEMA
        + """
        CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE hardware SET memory = memory + 1000 WHERE host_id = NEW.id AND memory < 1000;
            DELETE FROM network WHERE host_id = NEW.id;
            RETURN NULL;
        END $$;
        CREATE TRIGGER again AFTER UPDATE OF name ON host
            FOR EACH ROW EXECUTE FUNCTION again();
    """
    )
    database.execute(schema)
    tables = (RelationName("public", "hardware"), RelationName("public", "network"))
    merge = MergeTables(tables=tables, into=RelationName("public", "host"))
    site = Site(database=database, phases=phases("merge-host", merge, told(schema)))
    site.expand()
    site.migrate()
    database.execute("UPDATE host SET name = 'again', memory = 20, fqdn = 'y' WHERE id = 3")
    seen = old_form(site)
    assert (3, "cpu 3", 1020) in seen[0]
    site.undo_migrate()
    assert old_form(site) == seen


def test_a_batch_waits_for_no_server_and_forgets_nothing(site: Site) -> None:
    site.expand()
    site.begin()
    assert site.phases.migrate is not None
    with session(site.database) as server, session(site.database) as runner:
        query(server, "UPDATE host SET name = 'held' WHERE id = 2")
        query(runner, "SET lock_timeout = '1s'")
        run_batch(runner, site.phases.migrate, 1, 6)
        query(server, "UPDATE hardware SET memory = 20 WHERE host_id = 2")
        runner.commit()
        assert site.database.rows("SELECT memory FROM host WHERE id = 2") == [(None,)]
        server.commit()
    site.finish()
    assert site.database.rows("SELECT memory FROM host WHERE id = 2") == [(20,)]


def test_a_change_that_a_batch_did_not_see_is_copied_later(site: Site) -> None:
    site.expand()
    site.begin()
    assert site.phases.migrate is not None
    with session(site.database) as server, session(site.database) as runner:
        query(server, "UPDATE hardware SET memory = 20 WHERE host_id = 2")
        run_batch(runner, site.phases.migrate, 1, 6)
        runner.commit()
        server.commit()
    site.finish()
    assert site.database.rows("SELECT memory FROM host WHERE id = 2") == [(20,)]


def test_finish_gives_way_to_a_server_that_holds_a_row(site: Site) -> None:
    site.expand()
    site.begin()
    for _ in site.batches():
        pass
    site.database.execute("UPDATE hardware SET memory = 30 WHERE host_id = 3")
    with session(site.database) as server:
        query(server, "UPDATE host SET name = 'held' WHERE id = 3")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            site.finish()
        query(server, "UPDATE hardware SET memory = 31 WHERE host_id = 3")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            site.finish()
        server.commit()
    site.finish()
    assert site.database.rows("SELECT memory FROM host WHERE id = 3") == [(31,)]


def test_a_server_that_waits_for_the_swap_writes_the_view(site: Site) -> None:
    site.expand()
    site.begin()
    for _ in site.batches():
        pass
    assert site.phases.migrate is not None
    with session(site.database) as runner, session(site.database) as server:
        query(server, "PREPARE write AS UPDATE hardware SET memory = memory + $1 WHERE host_id = 1")
        query(server, "EXECUTE write (1)")
        server.commit()
        query(runner, site.phases.migrate.finish)
        waiting = start(server, "EXECUTE write (1)")
        wait_until_blocked(site.database)
        runner.commit()
        waiting.result(10)
        server.commit()
    assert site.database.rows("SELECT memory FROM host WHERE id = 1") == [(3,)]


def test_no_update_is_lost_between_the_two_forms(site: Site) -> None:
    site.expand()
    site.migrate()
    with session(site.database) as old, session(site.database) as new:
        query(new, "UPDATE host SET memory = memory + 10 WHERE id = 1")
        waiting = start(old, "UPDATE hardware SET memory = memory + 100 WHERE host_id = 1")
        wait_until_blocked(site.database)
        new.commit()
        waiting.result(10)
        old.commit()
    assert site.database.rows("SELECT memory FROM host WHERE id = 1") == [(111,)]


def test_a_delete_that_has_overlooked_a_change_is_to_be_tried_again(site: Site) -> None:
    site.expand()
    site.migrate()
    with session(site.database) as old, session(site.database) as new:
        query(new, "UPDATE host SET memory = 50 WHERE id = 1")
        waiting = start(old, "DELETE FROM hardware WHERE memory = 1")
        wait_until_blocked(site.database)
        new.commit()
        with pytest.raises(psycopg2.errors.SerializationFailure):
            waiting.result(10)
    assert site.database.rows("SELECT memory FROM host WHERE id = 1") == [(50,)]


def test_rights_go_over_to_the_view(site: Site) -> None:
    site.database.execute("""
        DROP ROLE IF EXISTS merge_server;
        CREATE ROLE merge_server LOGIN;
        GRANT SELECT, UPDATE, INSERT ON hardware TO merge_server;
    """)
    site.expand()
    site.migrate()
    as_server = replace(site.database, dsn=site.database.dsn_as("merge_server"))
    as_server.execute("UPDATE hardware SET memory = 5")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        as_server.execute("DELETE FROM hardware")
    site.database.execute("DROP OWNED BY merge_server; DROP ROLE merge_server")


def test_a_foreign_key_of_a_part_comes_along(database: Database) -> None:
    schema = """
        CREATE TABLE site (id bigint PRIMARY KEY);
        CREATE TABLE host (id bigint PRIMARY KEY);
        CREATE TABLE place (
            host_id bigint PRIMARY KEY REFERENCES host ON DELETE CASCADE,
            site bigint CONSTRAINT at REFERENCES site
        );
    """
    database.execute(schema)
    database.execute("""
        INSERT INTO site VALUES (1); INSERT INTO host VALUES (1); INSERT INTO place VALUES (1, 1);
    """)
    merge = MergeTables(
        tables=(RelationName("public", "place"),), into=RelationName("public", "host")
    )
    site = Site(database=database, phases=phases("merge-place", merge, told(schema)))
    site.expand()
    site.migrate()
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        database.execute("UPDATE host SET site = 2")
    site.contract()
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        database.execute("UPDATE host SET site = 2")
