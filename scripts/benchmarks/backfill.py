"""A backfill of one table: by Interlock's runner, by one statement, by batches of one's own."""

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster import Cluster, Database
from benchmarks.measure import Figure, markdown, run
from benchmarks.package import Package, Step, write_package

BATCH = 10_000
GOAL = 0.8
INTERLOCK = "Interlock, batches of 100 ms"
BY_HAND = f"by hand, batches of {BATCH:,} rows"
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


def by_hand(database: Database) -> tuple[str, ...]:
    """The command of the backfill that Interlock's is to be compared with."""
    script = str(Path(__file__).with_name("by_hand.py"))
    return (sys.executable, "-I", script, database.dsn, str(BATCH))


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Wall seconds of a backfill's client, and CPU seconds of the server's backends."""

    seconds: float
    backend_seconds: float


def backfill(cluster: Cluster, database: Database, package: Package, rows: int, runs: int) -> None:
    """Print the table of speeds."""
    psql = (str(cluster.binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.dsn)
    contestants: dict[str, tuple[bool, Callable[[], Figure]]] = {
        INTERLOCK: (False, lambda: package.apply({"application": database.dsn})),
        "one INSERT … SELECT, one transaction": (True, lambda: run((*psql, "-c", MOVE))),
        BY_HAND: (True, lambda: run(by_hand(database))),
    }
    efforts: dict[str, list[Effort]] = {name: [] for name in contestants}
    for _ in range(runs):
        for name, (target, contest) in contestants.items():
            begin_anew(database, target=target)
            before = cluster.backend_seconds()
            figure = contest()
            spent = cluster.backend_seconds() - before
            efforts[name].append(Effort(seconds=figure.seconds, backend_seconds=spent))
            if database.row("SELECT count(*) FROM customer") != (rows,):
                sys.exit(f"bench: {name} did not move {rows} rows")
    _print(rows, {name: _median(done) for name, done in efforts.items()})


def _median(efforts: Sequence[Effort]) -> Effort:
    return Effort(
        seconds=statistics.median(effort.seconds for effort in efforts),
        backend_seconds=statistics.median(effort.backend_seconds for effort in efforts),
    )


def _print(rows: int, medians: Mapping[str, Effort]) -> None:
    ours, hand = medians[INTERLOCK], medians[BY_HAND]
    markdown(
        f"A backfill of {rows:,} rows",
        ("", "rows a second", "seconds", "speed against by hand", "server's CPU (seconds)"),
        [
            (
                name,
                f"{rows / effort.seconds:,.0f}",
                f"{effort.seconds:.1f}",
                f"{hand.seconds / effort.seconds:.2f}",
                f"{effort.backend_seconds:.1f}",
            )
            for name, effort in medians.items()
        ],
    )
    print(
        f"\nGoal: Interlock at {GOAL} of the speed by hand or more; it is"
        f" {hand.seconds / ours.seconds:.2f} by the clock, and"
        f" {hand.backend_seconds / ours.backend_seconds:.2f} by CPU time, which other work on the"
        " machine disturbs less."
    )
