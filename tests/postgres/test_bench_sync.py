"""`scripts/bench sync` on a real PostgreSQL: it counts what is lost, what strays, what deadlocks.

A benchmark that finds no lost update proves something only if it would have found one.
"""

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))

cluster_module = importlib.import_module("benchmarks.cluster")
contestants = importlib.import_module("benchmarks.sync.contestants")
race = importlib.import_module("benchmarks.sync.race")
schema = importlib.import_module("benchmarks.sync.schema")
verdict = importlib.import_module("benchmarks.sync.verdict")
workload = importlib.import_module("benchmarks.sync.workload")

ROWS = 1500
EVERY = (*contestants.others(), *contestants.interlock())


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with cluster_module.running_cluster() as cluster:
        workload.log_failures(cluster)
        schema.fill(cluster.create("filled"), ROWS)
        yield cluster


@pytest.fixture
def database(server: Any) -> Iterator[Any]:
    yield server.create("race_0", template="filled")
    server.drop("race_0")


def _entry(key: str, database: Any) -> Any:
    (contestant,) = (each for each in EVERY if each.key == key)
    entry = contestants.Entry(contestant=contestant, database=database)
    entry.set_up()
    return entry


@pytest.mark.parametrize("contestant", EVERY, ids=lambda each: each.key)
def test_every_contestant_does_all_kinds_of_work(contestant: Any, server: Any, database: Any):
    entry = _entry(contestant.key, database)
    for form in contestant.forms:
        with closing(psycopg2.connect(database.dsn)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(f"SET search_path = {form.search_path}")
            for kind, script in form.scripts().items():
                # What pgbench reads of its own; one cold host for both servers.
                key = 7 if kind in ("look", "look-count", "count", "scan") else 10**9
                statements = "\n".join(script.splitlines()[1:]).replace(":id", str(key))
                for statement in statements.split(";\n"):
                    cursor.execute(statement)
    found = race.judge(entry, committed=4)
    assert found.lost_updates == 0
    # reshape's pattern forgets a DELETE of the old form; the new one deletes the part itself.
    assert found.stray_rows == 0


def test_a_lost_update_is_found(database: Any):
    entry = _entry("dual", database)
    database.execute("UPDATE host SET reboots = reboots + 1 WHERE id = 5")
    assert race.judge(entry, committed=1).lost_updates == 1
    assert race.judge(entry, committed=0).lost_updates == 1


def test_stray_rows_of_both_sides_and_differing_ones_are_found(database: Any):
    _entry("dual", database)
    database.execute(
        "ALTER TABLE host_hardware DROP CONSTRAINT host_hardware_host_id_fkey",
        "DELETE FROM host WHERE id = 1",
        "DELETE FROM host_hardware WHERE host_id = 2",
        "UPDATE host_hardware SET cpu_model = NULL WHERE host_id = 3",
    )
    assert verdict.stray_rows(database, contestants.WIDE, contestants.PARTED) == 3


def test_a_deleted_row_strays_over_the_pattern_of_reshape(database: Any):
    entry = _entry("reshape", database)
    database.execute(
        "SET search_path = migration_1_init; DELETE FROM host WHERE id = 5",
    )
    assert race.judge(entry, committed=0).stray_rows == 1


def test_a_deadlock_between_two_after_triggers_is_counted_once(server: Any, database: Any):
    _entry("after", database)
    database.execute("ALTER DATABASE race_0 SET deadlock_timeout = '50ms'")
    failed = []

    def write(lock: str, update: str) -> None:
        with closing(psycopg2.connect(database.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(lock)
            barrier.wait()
            try:
                cursor.execute(update)
            except psycopg2.errors.DeadlockDetected as error:
                failed.append(error)

    barrier = threading.Barrier(2)
    work = (
        ("SELECT FROM host WHERE id = 5 FOR UPDATE", "UPDATE host SET reboots = 1 WHERE id = 5"),
        (
            "SELECT FROM host_hardware WHERE host_id = 5 FOR UPDATE",
            "UPDATE host_hardware SET reboots = 2 WHERE host_id = 5",
        ),
    )
    threads = [threading.Thread(target=write, args=each) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(failed) == 1
    log = server.log.read_text()
    assert workload.failures(log, "race_0", workload.DEADLOCK) == 1
