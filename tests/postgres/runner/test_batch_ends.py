"""What a migrate step runs once, before its first batch and after its last."""

import re
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import (
    BEGIN,
    CHAIN,
    FINISH,
    FRAMED,
    MOVE,
    ROWS,
    TRAILING,
    Package,
    framed,
    release,
    step,
)
from tests.postgres.runner.test_faults import SOON, busy_writer, in_background, wait_for

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

RECORD = "SELECT state, batch_walk, cursor, rows FROM interlock.steps WHERE id = 'os.migrate'"
HASTE = "lock_timeout = 100ms\nlock_patience = 400ms"


def packaged(make_package: MakePackage, migrate: dict[str, Any], **options: Any) -> Package:
    """A shard at 1.0.0, before a release whose migration is this one."""
    package = make_package(CHAIN[0], release("1.1.0", 2, CHAIN[1]["steps"][0], migrate), **options)
    package.done("apply", "--to", "1.0.0")
    return package


@pytest.mark.parametrize("readies", [True, False])
def test_once_each(make_package: MakePackage, database: "Database", *, readies: bool) -> None:
    package = packaged(make_package, framed(readies=readies))
    shard = package.done("apply", "--json").shard
    assert (shard["ready"], shard["schema"]) == ("1.1.0", 2)
    assert database.rows(FRAMED) == [("begun and finished",)]
    assert database.rows(RECORD) == [("done", "host(id)", str(ROWS), ROWS + 1)]


def test_batches_may_name_what_begin_makes_and_finish_may_lock_it_all(
    make_package: MakePackage, database: "Database"
) -> None:
    """Neither the settings nor the role that begin takes on reach the batches."""
    migrate = framed(
        begin=[
            "CREATE TABLE moved (id bigint, who text, patience text)",
            "SET ROLE pg_monitor",
            "SET search_path = pg_catalog; SET lock_timeout = 0",
            "DO $$ BEGIN PERFORM 100 % 7; END $$",
        ],
        finish=[
            "ALTER TABLE moved ALTER who SET NOT NULL",
            "ALTER TABLE host SET (fillfactor = 90)",
        ],
    )
    migrate["batch"]["statements"].append(
        "INSERT INTO moved SELECT id, current_user, current_setting('lock_timeout') FROM host"
        " WHERE id BETWEEN $1 AND $2"
    )
    packaged(make_package, migrate).done("apply")
    assert database.rows(
        "SELECT count(*), count(DISTINCT id), bool_and(who = current_user), min(patience),"
        " max(patience) FROM moved"
    ) == [(ROWS, ROWS, True, "200ms", "200ms")]


def test_an_empty_table_has_ends_too(make_package: MakePackage, database: "Database") -> None:
    made = ["CREATE TABLE framed (what text)", "INSERT INTO framed VALUES ('begun')"]
    package = packaged(
        make_package, framed(begin=made, finish=["INSERT INTO framed VALUES ('finished')"])
    )
    database.execute("TRUNCATE host")
    package.done("apply")
    assert database.rows("TABLE framed") == [("begun",), ("finished",)]


def test_a_begin_that_fails_leaves_nothing(make_package: MakePackage, database: "Database") -> None:
    package = packaged(make_package, framed(begin=[*BEGIN, "CREATE TABLE in_the_way ()"]))
    database.execute("CREATE TABLE in_the_way ()")
    failed = package.run("apply")
    assert failed.code == 4
    assert failed.err.splitlines()[-1] == (
        "north: the begin of os.migrate (1.1.0) failed at sql/1.1.0/os.migrate.sql: relation"
        ' "in_the_way" already exists [42P07]; nothing of it remains'
    )
    assert database.rows(FRAMED) == database.rows(RECORD) == []
    assert database.rows("SELECT schema FROM interlock.handshake") == [(2,)]
    database.execute("DROP TABLE in_the_way")
    package.done("apply")
    assert database.rows(FRAMED) == [("begun and finished",)]


def test_a_finish_that_fails_leaves_the_batches(
    make_package: MakePackage, database: "Database"
) -> None:
    package = packaged(make_package, framed(finish=[*FINISH, "CREATE TABLE in_the_way ()"]))
    database.execute("CREATE TABLE in_the_way ()")
    failed = package.run("apply")
    assert failed.code == 4
    assert failed.err.splitlines()[-1] == (
        "north: the finish of os.migrate (1.1.0) failed at sql/1.1.0/os.migrate.sql: relation"
        ' "in_the_way" already exists [42P07]; run it again once the cause is gone'
    )
    assert database.rows(FRAMED) == [("begun",)]
    assert database.rows(RECORD) == [("running", "host(id)", str(ROWS), ROWS + 1)]
    assert f"os.migrate (1.1.0) has stopped after {ROWS + 1} rows" in package.done("status").out
    database.execute("DROP TABLE in_the_way; INSERT INTO host VALUES (2000, 'later')")
    package.done("apply")
    assert database.rows(FRAMED) == [("begun and finished",)]
    assert database.rows("SELECT os_name FROM host WHERE id = 2000") == [("later",)]


@pytest.mark.parametrize("part", ["begin", "finish"])
@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        ((), "the SQL of the {part} of os.migrate (1.1.0) ended the transaction by itself"),
        (("SELECT 1/0",), "the {part} of os.migrate (1.1.0) failed at {file}: division by zero"),
    ],
)
def test_an_end_that_commits_by_itself_is_not_taken_for_done(
    make_package: MakePackage,
    database: "Database",
    part: str,
    after: tuple[str, ...],
    sentence: str,
) -> None:
    package = packaged(make_package, framed(**{part: ("SELECT 1", "COMMIT", *after)}))  # type: ignore[arg-type]
    failed = package.run("apply")
    assert failed.code == 4
    last = failed.err.splitlines()[-1]
    assert sentence.format(part=part, file="sql/1.1.0/os.migrate.sql") in last
    assert not after or last.endswith("by itself, so look what of it is there")
    before = database.rows("TABLE interlock.steps"), database.rows("TABLE host")
    again = package.run("apply")
    assert again.code == 5
    assert "step os.migrate (1.1.0) ended its own transaction" in again.sentence
    assert (database.rows("TABLE interlock.steps"), database.rows("TABLE host")) == before


def test_a_finish_gives_up_with_the_blockers_name_and_is_tried_again(
    make_package: MakePackage, database: "Database"
) -> None:
    package = packaged(make_package, framed(), settings=HASTE)
    with closing(psycopg2.connect(database.dsn, application_name="report")) as reader:
        # Rows can be written beside the report; the lock of the finish cannot be had.
        package.done("apply", "--phase", "expand")
        reader.cursor().execute("SELECT count(*) FROM host")
        failed = package.run("apply")
        assert database.rows(RECORD) == [("running", "host(id)", str(ROWS), ROWS + 1)]
    assert failed.code == 4
    assert re.search(
        r"north: finish of os\.migrate \(1\.1\.0\) gave up after \d tries in [\d.]+ m?s: report of"
        r" interlock_test .* blocks public\.host; end what stands in the way and run it again",
        failed.err.splitlines()[-1],
    )
    package.done("apply")
    assert database.rows(FRAMED) == [("begun and finished",)]


def test_before_each_try_of_a_finish_the_batch_runs_without_a_range(
    make_package: MakePackage, database: "Database"
) -> None:
    """So what was written behind the walk does not pile up while the finish has to wait."""
    migrate = framed()
    swept = "INSERT INTO swept SELECT clock_timestamp() WHERE coalesce($1, $2) IS NULL"
    migrate["batch"]["statements"].append(swept)
    package = packaged(make_package, migrate, settings=HASTE)
    database.execute("CREATE TABLE swept (at timestamptz)")
    with closing(psycopg2.connect(database.dsn)) as reader:
        package.done("apply", "--phase", "expand")
        reader.cursor().execute("SELECT count(*) FROM host")
        assert package.run("apply").code == 4
    ((tries,),) = database.rows("SELECT count(*) FROM swept")
    assert tries > 1
    package.done("apply")
    assert database.rows("SELECT count(*) FROM swept") == [(tries + 1,)]


def test_a_finish_waits_for_a_reader_to_leave(
    make_package: MakePackage, database: "Database"
) -> None:
    package = packaged(make_package, framed(), settings="lock_timeout = 100ms")
    package.done("apply", "--phase", "expand")
    with closing(psycopg2.connect(database.dsn, application_name="report")) as reader:
        reader.cursor().execute("SELECT count(*) FROM host")
        with in_background(package, "apply") as finish:
            asked = (
                "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'host'::regclass"
                " AND mode = 'AccessExclusiveLock'"
            )
            wait_for(lambda: database.rows(asked))
            wait_for(lambda: not database.rows(asked))
            reader.rollback()
            result = finish()
    assert result.code == 0, result
    assert re.search(
        r"finish of os\.migrate \(1\.1\.0\) has to wait: report of .* blocks public\.host",
        result.err,
    )
    assert database.rows(FRAMED) == [("begun and finished",)]


@pytest.mark.parametrize(
    ("finish", "read"),
    [
        (FINISH, "host"),
        # What was had already is given back at once, so that its writers wait for nobody.
        (("LOCK TABLE host", "LOCK TABLE other NOWAIT", FINISH[1]), "other"),
    ],
)
def test_a_finish_never_makes_the_application_queue(
    make_package: MakePackage, database: "Database", finish: tuple[str, ...], read: str
) -> None:
    """Rows come all the time and a report reads for two seconds; no write waits for its end."""
    package = packaged(
        make_package, framed(finish=finish), settings="lock_timeout = 200ms\nlock_patience = 30s"
    )
    database.execute("CREATE TABLE other (); CREATE SEQUENCE later START 10000")
    package.done("apply", "--phase", "expand")
    insert = "INSERT INTO host VALUES (nextval('later'), 'later')"
    with (
        closing(psycopg2.connect(database.dsn, application_name="report")) as reader,
        busy_writer(database, insert) as writes,
    ):
        reader.cursor().execute(f"SELECT count(*) FROM {read}")
        with in_background(package, "apply") as finished:
            moved = "SELECT FROM host HAVING bool_and(os_name IS NOT NULL OR id >= 10000)"
            wait_for(lambda: database.rows(moved))
            time.sleep(2.0)
            reader.rollback()
            result = finished()
    assert result.code == 0, result
    assert "finish of os.migrate (1.1.0) has to wait" in result.err
    assert database.rows(FRAMED) == [("begun and finished",)]
    assert max(writes) < SOON
    assert len(writes) > 50


def test_a_walk_ends_though_newer_rows_come_without_end(
    make_package: MakePackage, database: "Database"
) -> None:
    """They are the business of those who write them, be it a server or a trigger."""
    migrate = step(
        "os.migrate",
        "",
        batch={
            "table": "host",
            "key": "id",
            "statements": [MOVE, "INSERT INTO host SELECT max(id) + 1, 'new' FROM host"],
        },
    )
    packaged(make_package, migrate).done("apply")
    assert database.rows("SELECT count(*) FROM host WHERE os_name IS NULL") == [(1,)]


def test_all_of_it_is_shown(make_package: MakePackage) -> None:
    shown = packaged(make_package, TRAILING[1]["steps"][1]).done("apply", "--dry-run").out
    places = [shown.index(text) for text in (*BEGIN, MOVE, *FINISH)]
    assert places == sorted(places)
