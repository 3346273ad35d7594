"""Killed between any two statements and run again, a shard ends as if nothing had happened."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import (
    CHAIN,
    FRAMED,
    PYTHON,
    ROWS,
    TRAILING,
    Package,
    release,
    step,
)

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

Ask = Callable[..., dict[str, Any]]
SIGKILL, SIGALRM = -9, -14

# All that a shard holds, less times and the traces of repairs.
STATE = (
    "SELECT schema, oldest_server, servers_below, ready_release, closed_release"
    " FROM interlock.handshake",
    "SELECT id, release, phase, position, checksum, state, adopted, batch_walk, cursor, rows"
    " FROM interlock.steps ORDER BY position",
    "SELECT object, digest FROM interlock.snapshot ORDER BY 1",
    "SELECT kind, subject FROM interlock.events WHERE kind <> 'repaired' ORDER BY id",
    "SELECT relname, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
    " WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
    "TABLE host ORDER BY id",
)


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Run a package's command in a process of its own, killed before a statement if wanted."""
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        (PYTHON, "-m", "tests.postgres.runner.killer"),
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(
            package: Package, *arguments: str, before: int | None = None, alarm: float = 0
        ) -> dict[str, Any]:
            request = {
                "manifest": str(package.manifest),
                "config": str(package.config),
                "arguments": [*arguments, "--wait", "10", "--quiet"],
                "before": before,
                "alarm": alarm,
            }
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return dict(json.loads(process.stdout.readline()))

        yield run
        process.stdin.close()


def state(database: "Database") -> list[Any]:
    with closing(psycopg2.connect(database.dsn)) as connection, connection.cursor() as cursor:
        found = []
        for query in STATE:
            cursor.execute(query)
            found.append(cursor.fetchall())
        return found


def clear(database: "Database") -> None:
    database.execute("DROP SCHEMA IF EXISTS interlock CASCADE; DROP TABLE IF EXISTS host")


def readying(package: Package) -> list[set[str]]:
    """For each schema, from 1 on, the steps that it waits for."""
    names: set[str] = set()
    needed: dict[int, set[str]] = {}
    for past in package.releases:
        steps = [item for item in past["steps"] if item["phase"] != "contract" and item["readies"]]
        names |= {item["id"] for item in steps}
        needed.setdefault(past["schema"], set(names))
    return list(needed.values())


def assert_true_words(package: Package, database: "Database", *, forward: bool) -> None:
    """What a shard says when its runner was killed: never more than its steps have made.

    Going forward it says no less either, because the last step raises the schema by itself.
    """
    if database.rows("SELECT to_regclass('interlock.handshake')") == [(None,)]:
        return
    done = {row[0] for row in database.rows("SELECT id FROM interlock.steps WHERE state = 'done'")}
    made = sum(steps <= done for steps in readying(package))
    assert "os.contract" not in done or "os.migrate" in done
    for schema, oldest in database.rows("SELECT schema, oldest_server FROM interlock.handshake"):
        assert schema == made if forward else schema <= made
        assert "os.contract" not in done or oldest == "1.1.0"


def kill_everywhere(
    ask: Ask, package: Package, database: "Database", prepare: Callable[[], None], *arguments: str
) -> None:
    """Run once undisturbed, then killed after each statement that leaves a trace, and resumed."""
    prepare()
    whole = ask(package, *arguments)
    assert whole["code"] == 0
    wanted = state(database)
    assert len(whole["effects"]) > 10
    # The place after the last statement is the end of the run: nothing is left to kill.
    for before in whole["effects"][:-1]:
        prepare()
        assert ask(package, *arguments, before=before)["code"] == SIGKILL, before
        assert_true_words(package, database, forward=arguments[0] != "undo")
        assert ask(package, *arguments)["code"] == 0, before
        assert state(database) == wanted, before


def test_apply(ask: Ask, package: Package, database: "Database") -> None:
    kill_everywhere(ask, package, database, lambda: clear(database), "apply", "--phase", "contract")
    assert package.done("verify").out.startswith("north: in order")


def test_what_runs_once_around_batches_and_behind_a_ready_schema(
    ask: Ask, make_package: MakePackage, database: "Database"
) -> None:
    package = make_package(*TRAILING)
    kill_everywhere(ask, package, database, lambda: clear(database), "apply", "--phase", "contract")
    assert database.rows(FRAMED) == [("begun and finished",)]
    assert package.done("verify").out.startswith("north: in order")


def test_undo_of_what_trails(ask: Ask, make_package: MakePackage, database: "Database") -> None:
    package = make_package(*TRAILING[:2])

    def prepare() -> None:
        clear(database)
        package.done("apply")

    kill_everywhere(ask, package, database, prepare, "undo", "--to", "1.0.0")
    package.done("apply")
    assert database.rows(FRAMED) == [("begun and finished",)]


def test_undo(ask: Ask, make_package: MakePackage, database: "Database") -> None:
    package = make_package(*CHAIN[:2])

    def prepare() -> None:
        clear(database)
        package.done("apply")

    kill_everywhere(ask, package, database, prepare, "undo", "--to", "1.0.0")
    assert database.rows("SELECT state FROM interlock.steps WHERE id LIKE 'os%'") == [
        ("undone",), ("undone",), ("undone",),
    ]  # fmt: skip


def test_baseline(ask: Ask, package: Package, database: "Database") -> None:
    def prepare() -> None:
        clear(database)
        database.execute("CREATE TABLE host (id bigint PRIMARY KEY, os_name text)")

    kill_everywhere(ask, package, database, prepare, "baseline", "1.1.0")


SLOW = {
    "expand": step("slow.expand", "CREATE TABLE slow (id int); SELECT pg_sleep(1.2);"),
    "migrate": step(
        "slow.migrate",
        "",
        batch={
            "table": "host",
            "key": "id",
            "statements": [
                "UPDATE host SET os = os || '!' WHERE id BETWEEN $1 AND $2",
                "SELECT pg_sleep(1.2) FROM host WHERE id BETWEEN $1 AND $2 AND id = 500",
            ],
        },
    ),
    "contract": step("slow.contract", "ALTER TABLE host DROP COLUMN os; SELECT pg_sleep(1.2);"),
}


@pytest.mark.parametrize("phase", SLOW)
def test_under_way(ask: Ask, make_package: MakePackage, database: "Database", phase: str) -> None:
    """Killed while PostgreSQL works on a statement: it may go on for a while, but never ends it."""
    package = make_package(CHAIN[0], release("1.1.0", 2, SLOW[phase]))
    arguments = ("apply", "--phase", phase)
    assert ask(package, *arguments, alarm=0.6)["code"] == SIGALRM
    unfinished = package.done("status", "--json").shard["pending"]
    assert unfinished or phase == "contract"
    assert ask(package, *arguments)["code"] == 0
    wanted = {"migrate": [(ROWS, ROWS)]}.get(phase)
    if wanted:
        marked = "SELECT count(*), count(*) FILTER (WHERE os ~ '^[^!]*!$') FROM host"
        assert database.rows(marked) == wanted
    assert package.done("verify").out.startswith("north: in order")


def test_index_under_way(ask: Ask, make_package: MakePackage, database: "Database") -> None:
    """An index build that waits for an old transaction is killed, and built again."""
    index = step(
        "index.expand", "CREATE INDEX CONCURRENTLY host_os ON host (os)", transaction=False
    )
    package = make_package(CHAIN[0], release("1.1.0", 2, index))
    package.done("apply", "--to", "1.0.0")
    with closing(psycopg2.connect(database.dsn)) as connection:
        connection.cursor().execute("UPDATE host SET os = 'held' WHERE id = 1")
        assert ask(package, "apply", alarm=1.0)["code"] == SIGALRM
        assert database.rows("SELECT indisvalid FROM pg_index WHERE NOT indisvalid") == [(False,)]
        connection.rollback()
    assert ask(package, "apply")["code"] == 0
    assert database.rows("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert database.rows("SELECT to_regclass('host_os') IS NOT NULL") == [(True,)]
