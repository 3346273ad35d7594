"""What the application feels of a backfill: latencies of its transactions, without one and with."""

import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backfill import begin_anew
from benchmarks.cluster import PORT, SUPERUSER, Cluster, Database
from benchmarks.measure import background, markdown
from benchmarks.package import Package

CLIENTS = 4
RATE = 200
GOAL = 1.2
# Connections and prepared statements are made in it.
WARM_UP_SECONDS = 2.0
TRANSACTION = """\
\\set id random(1, :rows)
SELECT email, balance FROM account WHERE id = :id;
UPDATE account SET balance = balance + 1 WHERE id = :id;
"""
SPAN = """
SELECT extract(epoch FROM started)::float8, extract(epoch FROM finished)::float8
  FROM interlock.steps WHERE phase = 'migrate'
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """When a transaction ended (seconds since the epoch), and its latency in milliseconds."""

    ended: float
    milliseconds: float


def latency(
    cluster: Cluster, database: Database, package: Package, rows: int, seconds: float, runs: int
) -> None:
    """Print the table of latencies; `seconds` is how long to watch without a backfill."""
    idle: list[Sample] = []
    loaded: list[Sample] = []

    def watch_idle(name: str) -> None:
        begin_anew(database, target=False)
        log = cluster.scratch / name
        with _application(cluster, database, rows, log):
            time.sleep(WARM_UP_SECONDS)
            began = time.time()
            time.sleep(seconds / 2)
            ended = time.time()
        idle.extend(_samples(log, began, ended))

    for number in range(runs):
        # Half before and half after, so that a drift of the machine meets both alike.
        watch_idle(f"before-{number}")
        begin_anew(database, target=False)
        log = cluster.scratch / f"during-{number}"
        with _application(cluster, database, rows, log):
            time.sleep(WARM_UP_SECONDS)
            package.apply({"application": database.dsn})
        loaded += _samples(log, *database.row(SPAN))
        watch_idle(f"after-{number}")
    base = _median(idle)
    lines = []
    for name, samples in (("without a backfill", idle), ("during Interlock's backfill", loaded)):
        median, last = _median(samples), _percentile_99(samples)
        lines.append(
            (name, f"{median:.2f}", f"{median / base:.2f}", f"{last:.2f}", f"{len(samples):,}")
        )
    kind = "pgbench" if _pgbench(cluster) else "a client in Python"
    markdown(
        f"An application of {RATE} transactions a second ({kind}, {CLIENTS} connections)",
        ("", "median (ms)", "against without", "99th percentile (ms)", "transactions"),
        lines,
    )
    print(
        f"\nGoal: the median during a backfill at most {GOAL} of the one without;"
        f" it is {_median(loaded) / base:.2f}."
    )


def _pgbench(cluster: Cluster) -> bool:
    return (cluster.binaries / "pgbench").exists()


@contextmanager
def _application(cluster: Cluster, database: Database, rows: int, log: Path) -> Iterator[None]:
    """Transactions at an even rate while the block runs; their log is `log` with a suffix."""
    script = cluster.scratch / "transaction.sql"
    script.write_text(TRANSACTION)
    if _pgbench(cluster):
        argv = (
            str(cluster.binaries / "pgbench"), "--no-vacuum", "--protocol", "prepared",
            "--file", str(script), "--define", f"rows={rows}", "--client", str(CLIENTS),
            "--rate", str(RATE), "--time", "86400", "--log", "--log-prefix", str(log),
            "--host", str(database.folder), "--port", PORT, "--username", SUPERUSER, database.name,
        )  # fmt: skip
    else:
        client = Path(__file__).with_name("client.py")
        argv = (
            sys.executable, "-I", str(client), database.dsn,
            str(rows), str(CLIENTS), str(RATE), f"{log}.0",
        )  # fmt: skip
    with background(argv, cluster.scratch / "application.log"):
        yield


def _samples(log: Path, began: float, ended: float) -> list[Sample]:
    """The log's transactions that lay within a span; the last line may be torn."""
    (path,) = log.parent.glob(f"{log.name}.*")
    samples = []
    for line in path.read_text().splitlines()[:-1]:
        fields = line.split()
        sample = Sample(int(fields[4]) + int(fields[5]) / 1e6, int(fields[2]) / 1e3)
        if began <= sample.ended - sample.milliseconds / 1e3 and sample.ended <= ended:
            samples.append(sample)
    if len(samples) < 2:
        sys.exit("bench: too few transactions to tell their latency: take more --rows")
    return samples


def _median(samples: list[Sample]) -> float:
    return statistics.median(sample.milliseconds for sample in samples)


def _percentile_99(samples: list[Sample]) -> float:
    return statistics.quantiles((sample.milliseconds for sample in samples), n=100)[98]
