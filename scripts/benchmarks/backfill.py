"""A backfill of one table: by Interlock's runner, by one statement, by batches of one's own."""

import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.cluster import Cluster, Database
from benchmarks.measure import markdown, run
from benchmarks.package import Package, Step, write_package

BATCH = 10_000
GOAL = 0.8
SOURCE = """
CREATE TABLE account (
    id bigint PRIMARY KEY,
    email text NOT NULL,
    balance bigint NOT NULL,
    opened timestamptz NOT NULL
)
"""
FILL = """
INSERT INTO account
SELECT n, 'Customer' || n || '@example.com', n % 1000, timestamptz '2026-01-01' + n * interval '1s'
  FROM generate_series(1, {rows}) AS n
"""
TARGET = "CREATE TABLE customer (LIKE account INCLUDING INDEXES)"
MOVE = """\
INSERT INTO customer (id, email, balance, opened)
SELECT id, lower(email), balance, opened FROM account"""
EXPAND = Step(phase="expand", sql=TARGET)
MIGRATE = Step(
    phase="migrate",
    sql=f"{MOVE} WHERE id BETWEEN $1 AND $2\nON CONFLICT DO NOTHING",
    walk=("account", "id"),
)


def fill(database: Database, rows: int) -> None:
    """Give a database the table that the backfill reads."""
    # Frozen, so that the first contestant does not set the hint bits for the others.
    database.execute(SOURCE, FILL.format(rows=rows), "VACUUM (FREEZE, ANALYZE) account")


def begin_anew(database: Database, *, target: bool) -> None:
    """Forget an earlier backfill: no ledger, and an empty target or none; nothing left to flush."""
    database.execute("DROP TABLE IF EXISTS customer", "DROP SCHEMA IF EXISTS interlock CASCADE")
    if target:
        database.execute(TARGET)
    database.execute("CHECKPOINT")


def backfill_package(folder: Path) -> Package:
    """The package whose only release is this backfill."""
    return write_package(folder, EXPAND, MIGRATE)


def backfill(cluster: Cluster, database: Database, package: Package, rows: int, runs: int) -> float:
    """Print the table of speeds; returns the seconds of Interlock's run."""
    psql = (str(cluster.binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.dsn)
    script = str(Path(__file__).with_name("by_hand.py"))
    contestants: dict[str, tuple[bool, Callable[[], float]]] = {
        "Interlock, batches of 100 ms": (
            False, lambda: package.apply({"application": database.dsn}).seconds,
        ),
        "one INSERT … SELECT, one transaction": (True, lambda: run((*psql, "-c", MOVE)).seconds),
        f"by hand, batches of {BATCH:,} rows": (
            True, lambda: run((sys.executable, "-I", script, database.dsn, str(BATCH))).seconds,
        ),
    }  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(runs):
        for name, (target, contest) in contestants.items():
            begin_anew(database, target=target)
            seconds[name].append(contest())
            if database.row("SELECT count(*) FROM customer") != (rows,):
                sys.exit(f"bench: {name} did not move {rows} rows")
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ours, _, hand = medians.values()
    markdown(
        f"A backfill of {rows:,} rows",
        ("", "rows a second", "seconds", "speed against by hand"),
        [(n, f"{rows / s:,.0f}", f"{s:.1f}", f"{hand / s:.2f}") for n, s in medians.items()],
    )
    print(f"\nGoal: Interlock at {GOAL} of the speed by hand or more; it is {hand / ours:.2f}.")
    return ours
