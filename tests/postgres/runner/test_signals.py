"""SIGINT and SIGTERM: once ends between two batches, twice cancels what runs."""

import signal
import subprocess
import time
from typing import TYPE_CHECKING

import psycopg2
import pytest

from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import CHAIN, ROWS, release, step

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

SLOW_MARK = step(
    "mark.migrate",
    "",
    batch={
        "table": "host",
        "key": "id",
        "statements": [
            "UPDATE host SET os = os || '!' WHERE id BETWEEN $1 AND $2",
            "SELECT pg_sleep(0.002) FROM host WHERE id BETWEEN $1 AND $2",
        ],
    },
)


def wait_until(database: "Database", query: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if database.rows(query):
                return
        except psycopg2.Error:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.02)


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_once_ends_between_two_batches(
    make_package: MakePackage, database: "Database", number: signal.Signals
) -> None:
    package = make_package(CHAIN[0], release("1.1.0", 2, SLOW_MARK), settings="batch_time = 50ms")
    package.done("apply", "--to", "1.0.0")
    process = package.start("apply")
    wait_until(database, "SELECT 1 FROM interlock.steps WHERE id = 'mark.migrate' AND rows > 0")
    process.send_signal(number)
    code, out, err = finish(process)
    assert (code, out) == (130, "")
    first, last = err.splitlines()[-2:]
    assert first == (
        f"{number.name}: stopping after the running statements; once more cancels them"
    )
    assert last == "north: stopped on request; run it again and it goes on where it was"
    ((rows,),) = database.rows("SELECT rows FROM interlock.steps WHERE id = 'mark.migrate'")
    assert 0 < rows < ROWS
    package.done("apply")
    marked = "SELECT count(*) FROM host WHERE os ~ '^[^!]*!$'"
    assert database.rows(marked) == [(ROWS,)]


def test_twice_cancels(make_package: MakePackage, database: "Database") -> None:
    endless = step("endless.expand", "SELECT pg_sleep(600);")
    package = make_package(release("1.0.0", 1, endless))
    process = package.start("apply")
    active = "SELECT 1 FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep' AND state = 'active'"
    wait_until(database, active)
    process.send_signal(signal.SIGINT)
    # Two signals before it has seen the first would be one.
    assert process.stderr is not None
    while "once more cancels them" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130
    assert "cancelling the running statements" in err
    assert "Traceback" not in err
    assert database.rows("SELECT count(*) FROM interlock.steps") == [(0,)]


def test_a_reader_that_has_gone(make_package: MakePackage, database: "Database") -> None:
    """`… | head` closes the pipe early."""
    package = make_package()
    process = package.start("apply", "--dry-run")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(20) == 0
