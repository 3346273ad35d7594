"""What goes wrong around a migration: PostgreSQL, the wire, other runners, other transactions."""

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2.extensions import connection

from tests.postgres.conftest import running_cluster
from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import CHAIN, ROWS, Package, Result, release, step
from tests.postgres.runner.proxy import proxied
from toolchain.runner.core.config import read_shards
from toolchain.runner.core.options import Settings
from toolchain.runner.core.session import open_session
from toolchain.runner.ledger.lock import lock_key
from toolchain.runner.phases.limits import hindrance

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster, Database

# Marks each row exactly once, about a second in all, in many small batches.
MARK = step(
    "mark.migrate",
    "",
    batch={
        "table": "host",
        "key": "id",
        "statements": [
            "UPDATE host SET os = os || '!' WHERE id BETWEEN $1 AND $2",
            "SELECT pg_sleep(0.001) FROM host WHERE id BETWEEN $1 AND $2",
        ],
    },
)
MARKED = "SELECT count(*) FILTER (WHERE os ~ '^[^!]*!$'), count(*) FROM host"
QUICK = "batch_time = 30ms\nreconnect_patience = 20s\nlock_timeout = 200ms\nlock_patience = 2s"


@pytest.fixture(scope="module")
def own_cluster() -> Iterator["Cluster"]:
    """A cluster that may crash without disturbing other tests."""
    with running_cluster() as running:
        yield running


@contextmanager
def in_background(package: Package, *arguments: str) -> Iterator[Callable[[], Result]]:
    """Run a command in a thread; the value waits for its end."""
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(package.run(*arguments)))
    thread.start()

    def finish() -> Result:
        thread.join(60)
        return results[0]

    yield finish
    thread.join(60)


@contextmanager
def busy_writer(database: "Database", statement: str) -> Iterator[list[float]]:
    """An application that writes all the time; the value holds how long each write took."""
    took, stop = [0.0], threading.Event()

    def write() -> None:
        with closing(psycopg2.connect(database.dsn)) as connection:
            connection.autocommit = True
            while not stop.is_set():
                began = time.monotonic()
                connection.cursor().execute(statement)
                took.append(time.monotonic() - began)
                time.sleep(0.005)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield took
    finally:
        stop.set()
        writer.join()


# A write behind a statement that waits for a lock has to wait for one lock_timeout of 200 ms; half
# a second on a quiet machine. Without the time-out it is the reader's two seconds.
SOON = 1.5
BLOCKED = (
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def wait_for(probe: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def moving(database: "Database") -> bool:
    """Whether the batches are under way, well before their end."""
    query = "SELECT rows FROM interlock.steps WHERE id = 'mark.migrate'"
    try:
        rows = database.rows(query)
    except psycopg2.Error:
        return False
    return bool(rows) and 0 < rows[0][0] < ROWS


def marked(make_package: MakePackage, **options: Any) -> Package:
    return make_package(CHAIN[0], release("1.1.0", 2, MARK), settings=QUICK, **options)


def test_postgresql_crashes_in_the_middle_of_a_batch(
    make_package: MakePackage, own_cluster: "Cluster"
) -> None:
    database = own_cluster.create_database()
    package = marked(make_package, shards={"north": database.dsn})
    package.done("apply", "--to", "1.0.0")
    with in_background(package, "apply") as finish:
        for _ in range(2):
            wait_for(lambda: moving(database))
            own_cluster.stop(signal.SIGQUIT)
            own_cluster.start()
        result = finish()
    assert result.code == 0, result
    assert result.err.count("connects again") == 2
    assert database.rows(MARKED) == [(ROWS, ROWS)]
    assert package.done("verify").out.startswith("north: in order")


def test_postgresql_stays_away(make_package: MakePackage, own_cluster: "Cluster") -> None:
    database = own_cluster.create_database()
    package = marked(make_package, shards={"north": database.dsn})
    package.settings = "batch_time = 30ms\nreconnect_patience = 1s"
    package.write()
    package.done("apply", "--to", "1.0.0")
    with in_background(package, "apply") as finish:
        wait_for(lambda: moving(database))
        own_cluster.stop(signal.SIGQUIT)
        result = finish()
    own_cluster.start()
    assert result.code == 4
    assert re.match("north: cannot connect: ", result.err.splitlines()[-1])
    package.done("apply")
    assert database.rows(MARKED) == [(ROWS, ROWS)]


def test_a_step_that_brings_postgresql_down(
    make_package: MakePackage, own_cluster: "Cluster"
) -> None:
    """Five losses in a row are the step's doing; nobody wants a sixth crash."""
    database = own_cluster.create_database()
    deadly = step("deadly.expand", "SELECT pg_terminate_backend(pg_backend_pid());")
    package = make_package(release("1.0.0", 1, deadly), shards={"north": database.dsn})
    result = package.run("apply")
    assert result.code == 4
    assert "5 times in a row; see PostgreSQL's log" in result.err.splitlines()[-1]


def test_the_wire_is_cut_in_the_middle_of_a_batch(
    make_package: MakePackage, database: "Database", cluster: "Cluster"
) -> None:
    with proxied(cluster.port) as proxy:
        dsn = database.tcp_dsn.replace(f"port={cluster.port}", f"port={proxy.port}")
        package = marked(make_package, shards={"north": dsn})
        package.done("apply", "--to", "1.0.0")
        with in_background(package, "apply") as finish:
            for _ in range(3):
                wait_for(lambda: moving(database))
                proxy.cut()
            result = finish()
    assert result.code == 0, result
    assert "connects again" in result.err
    assert database.rows(MARKED) == [(ROWS, ROWS)]


def test_two_runners_at_once(make_package: MakePackage, database: "Database") -> None:
    package = marked(make_package)
    package.done("apply", "--to", "1.0.0")
    with in_background(package, "apply") as finish:
        wait_for(lambda: moving(database))
        other = Package(package.folder, package.releases, package.shards, package.settings)
        codes = [other.quietly("apply"), other.quietly("apply", "--wait", "30")]
        result = finish()
    assert (codes, result.code) == ([1, 0], 0)
    assert database.rows(MARKED) == [(ROWS, ROWS)]
    with closing(psycopg2.connect(database.dsn, application_name="colleague")) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT pg_advisory_lock(%s)", (lock_key("product:fleetdesk"),))
        refused = package.run("apply")
    assert refused.code == 1
    assert re.fullmatch(
        r"north: another runner works on this shard: colleague on this host \(server process \d+\)"
        r" since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC; wait for it, or give this one --wait SECONDS",
        refused.sentence,
    )


def test_a_long_reader_never_makes_the_application_queue(
    make_package: MakePackage, database: "Database"
) -> None:
    """A report holds the table for two seconds; each write waits one lock_timeout at most."""
    package = make_package(*CHAIN[:2], settings="lock_timeout = 200ms\nlock_patience = 30s")
    package.done("apply", "--to", "1.0.0")
    with (
        closing(psycopg2.connect(database.dsn, application_name="report")) as reader,
        busy_writer(database, "UPDATE host SET os = 'x' WHERE id = 7") as writes,
    ):
        reader.cursor().execute("SELECT count(*) FROM host")
        with in_background(package, "apply", "--phase", "expand") as finish:
            wait_for(lambda: database.rows(BLOCKED))
            time.sleep(2.0)
            reader.rollback()
            result = finish()
    assert result.code == 0, result
    assert re.search(
        r"os\.expand \(1\.1\.0\) has to wait: report of interlock_test on this host"
        r" \(server process \d+, idle in transaction for [\d.]+ s\) blocks public\.host",
        result.err,
    )
    assert 0.05 < max(writes) < SOON


VACUUMED = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'autovacuum: VACUUM% public.host%'"


@pytest.mark.parametrize(("superuser", "lock_timeout"), [(True, "200ms"), (False, "1s")])
def test_autovacuum_yields(
    make_package: MakePackage, own_cluster: "Cluster", *, superuser: bool, lock_timeout: str
) -> None:
    """It is at work on a table that has just been migrated, and would be for hours."""
    own_cluster.database("postgres").execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
    own_cluster.database("postgres").execute("SELECT pg_reload_conf()")
    database = own_cluster.create_database()
    database.execute(
        "DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN; GRANT CREATE ON SCHEMA public TO plain;"
        f'GRANT CREATE ON DATABASE "{database.name}" TO plain'
    )
    package = make_package(
        *CHAIN[:2],
        shards={"north": database.dsn if superuser else database.dsn_as("plain")},
        settings=f"lock_timeout = {lock_timeout}\nlock_patience = 4s",
    )
    package.done("apply", "--to", "1.0.0")
    database.execute(
        "INSERT INTO host SELECT n, repeat('x', 100) FROM generate_series(1000, 100000) AS n"
    )
    database.execute(
        "ALTER TABLE host SET"
        " (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);"
        "UPDATE host SET os = os || 'y'"
    )
    wait_for(lambda: database.rows(VACUUMED), seconds=120)
    package.done("apply", "--phase", "expand")
    own_cluster.drop_database(database.name)
    own_cluster.database("postgres").execute("DROP ROLE plain")


def test_patience_ends_with_the_blockers_name(
    make_package: MakePackage, database: "Database"
) -> None:
    package = make_package(*CHAIN[:2], settings="lock_timeout = 200ms\nlock_patience = 500ms")
    package.done("apply", "--to", "1.0.0")
    with closing(psycopg2.connect(database.dsn, application_name="report")) as reader:
        reader.cursor().execute("SELECT count(*) FROM host")
        result = package.run("apply")
    assert result.code == 4
    assert re.search(
        r"north: os\.expand \(1\.1\.0\) gave up after \d tries in [\d.]+ s: report of interlock_test"
        r" .* blocks public\.host; end what stands in the way and run it again",
        result.err.splitlines()[-1],
    )
    package.done("apply")


def test_an_invalid_index_is_built_again(make_package: MakePackage, database: "Database") -> None:
    index = step(
        "name.expand",
        'CREATE UNIQUE INDEX CONCURRENTLY "Odd name" ON public.host (os);',
        transaction=False,
    )
    package = make_package(CHAIN[0], release("1.1.0", 2, index))
    package.done("apply", "--to", "1.0.0")
    database.execute("UPDATE host SET os = 'same' WHERE id IN (1, 2)")
    failed = package.run("apply")
    assert failed.code == 4
    assert "could not create unique index" in failed.err
    assert "Key (os)=(same) is duplicated" in failed.err
    found = package.run("verify")
    assert found.code == 1
    assert 'north: invalid index public."Odd name" on public.host' in found.out
    database.execute("UPDATE host SET os = 'other' WHERE id = 2")
    again = package.done("apply")
    assert 'drops the invalid index "Odd name"' in again.err
    assert package.done("verify").out.startswith("north: in order")
    kinds = {event["kind"] for event in package.done("history", "--json").shard["events"]}
    assert "repaired" in kinds


def test_an_index_that_somebody_else_made(make_package: MakePackage, database: "Database") -> None:
    package = make_package(*CHAIN[:2])
    package.done("apply", "--to", "1.0.0")
    database.execute("CREATE INDEX host_os_name ON host (os)")
    failed = package.run("apply")
    assert failed.code == 4
    assert failed.err.splitlines()[-1] == (
        "north: step os-index.expand (1.1.0): the index host_os_name exists already, and not from"
        " this step; drop it, or rename it"
    )
    database.execute("DROP INDEX host_os_name")
    package.done("apply")


def test_a_deadlock_with_the_application(make_package: MakePackage, database: "Database") -> None:
    """The application locks row 2 and then waits for row 1, which the batch holds."""
    database.execute("ALTER DATABASE " + database.name + " SET deadlock_timeout = '50ms'")
    slow = step(
        "slow.migrate",
        "",
        batch={
            "table": "host",
            "key": "id",
            "statements": [
                "UPDATE host SET os = os || '!' WHERE id BETWEEN $1 AND $2 AND id = 1",
                "SELECT pg_sleep(0.4) WHERE 1 BETWEEN $1 AND $2",
                "UPDATE host SET os = os || '!' WHERE id BETWEEN $1 AND $2 AND id > 1",
            ],
        },
    )
    package = make_package(CHAIN[0], release("1.1.0", 2, slow), settings="lock_timeout = 5s")
    package.done("apply", "--to", "1.0.0")
    with closing(psycopg2.connect(database.dsn)) as connection:
        cursor = connection.cursor()
        cursor.execute("SET deadlock_timeout = '10s'")
        with in_background(package, "apply") as finish:
            cursor.execute("SELECT FROM host WHERE id = 2 FOR UPDATE")
            time.sleep(0.2)
            cursor.execute("SELECT FROM host WHERE id = 1 FOR UPDATE")
            connection.rollback()
            result = finish()
    assert result.code == 0, result
    assert database.rows(MARKED) == [(ROWS, ROWS)]


def full_until(tries: int) -> "dict[str, Any]":
    """PostgreSQL's answer to a full disk, played by a sequence that no rollback sets back."""
    return release(
        "1.0.0",
        1,
        step(
            "full.expand",
            f"DO $$ BEGIN IF nextval('public.tries') < {tries} THEN"
            " RAISE 'no space left on device' USING ERRCODE = 'disk_full'; END IF; END $$;",
        ),
    )


def test_a_lack_of_space_passes(make_package: MakePackage, database: "Database") -> None:
    database.execute("CREATE SEQUENCE public.tries")
    result = make_package(full_until(3)).done("apply")
    assert "has to wait: no space left on device [53100]" in result.err
    database.execute("DROP SCHEMA interlock CASCADE; ALTER SEQUENCE public.tries RESTART")
    package = make_package(full_until(99), settings="reconnect_patience = 200ms")
    assert "gave up after" in package.run("apply").err.splitlines()[-1]


def test_pauses(make_package: MakePackage, database: "Database") -> None:
    package = marked(make_package)
    package.done("apply", "--to", "1.0.0")
    package.settings = QUICK + "\nlong_transaction_limit = 1s"
    package.write()
    with closing(psycopg2.connect(database.dsn, application_name="forgotten")) as connection:
        connection.cursor().execute("SELECT 1")
        time.sleep(1.1)
        with in_background(package, "apply") as finish:
            wait_for(lambda: database.rows("SELECT FROM interlock.steps WHERE id = 'mark.migrate'"))
            time.sleep(0.5)
            assert not moving(database)
            connection.rollback()
            result = finish()
    assert re.search(
        r"north: mark\.migrate \(1\.1\.0\) pauses: a transaction of forgotten \(server process \d+\)"
        r" is open for [\d.]+ s",
        result.err,
    )
    assert "goes on" in result.err


def test_no_connection_is_free(
    make_package: MakePackage, database: "Database", cluster: "Cluster"
) -> None:
    """A server that is there but takes nobody in is waited for."""
    database.execute(
        "DROP ROLE IF EXISTS narrow; CREATE ROLE narrow LOGIN CONNECTION LIMIT 0;"
        f'GRANT CREATE ON DATABASE "{database.name}" TO narrow; GRANT CREATE ON SCHEMA public TO narrow'
    )
    package = make_package(*CHAIN[:1], shards={"north": database.dsn_as("narrow")})
    with in_background(package, "apply") as finish:
        refused = 'too many connections for role "narrow"'
        wait_for(lambda: refused in (cluster.directory / "postgres.log").read_text())
        database.execute("ALTER ROLE narrow CONNECTION LIMIT 5")
        result = finish()
    assert result.code == 0, result
    assert 'too many connections for role "narrow"; tries again' in result.err
    package.settings = "reconnect_patience = 300ms"
    package.write()
    database.execute("ALTER ROLE narrow CONNECTION LIMIT 0")
    assert package.run("apply").code == 4
    database.execute("DROP OWNED BY narrow CASCADE; DROP ROLE narrow")


def test_a_pooler_stands_between(make_package: MakePackage) -> None:
    class Pooled(connection):
        @property
        def info(self) -> Any:
            return SimpleNamespace(backend_pid=1)

    def connect(**parameters: Any) -> Any:
        return psycopg2.connect(**parameters, connection_factory=Pooled)

    refused = make_package().run("apply", connect=connect)
    assert refused.code == 4
    assert refused.sentence == (
        "north: a connection pooler stands between, and a session's lock does not survive there;"
        " point its dsn at PostgreSQL itself"
    )


def test_hindrances_in_words(make_package: MakePackage, database: "Database") -> None:
    (shard,) = read_shards(make_package().config)
    session = open_session(shard, "test", psycopg2.connect)
    assert hindrance(session, Settings(connection_reserve=1)) is None
    reason = hindrance(session, Settings(connection_reserve=9999))
    assert reason is not None
    assert re.fullmatch(r"only \d+ connections free", reason)
    session.close()
