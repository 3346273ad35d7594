"""What the application feels of a backfill: latencies of its transactions beside one.

A backfill is stopped (SIGSTOP) every other moment. What else happens on the machine then meets
the application with and without the backfill alike, and the server is in the same state.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGSTOP

from benchmarks.backfill import BY_HAND, INTERLOCK, begin_anew, by_hand
from benchmarks.cluster import PORT, SUPERUSER, Cluster, Database
from benchmarks.measure import background, markdown
from benchmarks.package import Package

CLIENTS = 4
RATE = 200
GOAL = 1.2
# Connections and prepared statements are made in it.
WARM_UP_SECONDS = 2.0
ALONE_SECONDS = 20.0
WINDOWS = 20
WINDOW_SECONDS = 2.0
# The batch that runs when its client is stopped ends within it.
REST_SECONDS = 0.5
TRANSACTION = """\
\\set id random(1, :rows)
SELECT email, balance FROM account WHERE id = :id;
UPDATE account SET balance = balance + 1 WHERE id = :id;
"""

# A beginning and an end, in seconds since the epoch.
Span = tuple[float, float]


@dataclass(slots=True)
class Watched:
    """Latencies in milliseconds: of all runs, while a backfill ran and while it was stopped."""

    running: list[float] = field(default_factory=list)
    stopped: list[float] = field(default_factory=list)


def latency(cluster: Cluster, database: Database, package: Package, rows: int, runs: int) -> None:
    """Print the table of latencies."""
    contestants: dict[str, Callable[[], tuple[str, ...]]] = {
        INTERLOCK: lambda: package.command({"application": database.dsn}),
        BY_HAND: lambda: by_hand(database),
    }
    alone: list[float] = []
    during = {name: Watched() for name in contestants}
    for _ in range(runs):
        begin_anew(database, target=False)
        with _application(cluster, database, rows) as log:
            span = _watch(ALONE_SECONDS)
        alone += _latencies(log, [span])
        for name, command in contestants.items():
            begin_anew(database, target=name == BY_HAND)
            with (
                _application(cluster, database, rows) as log,
                background(command(), cluster.scratch / "backfill.log") as process,
            ):
                running, stopped = _alternate(process)
            during[name].running += _latencies(log, running)
            during[name].stopped += _latencies(log, stopped)
    _print(cluster, alone, during)


def _watch(seconds: float) -> Span:
    began = time.time()
    time.sleep(seconds)
    return began, time.time()


def _alternate(process: "subprocess.Popen[bytes]") -> tuple[list[Span], list[Span]]:
    """Let a backfill run and stop it, by turns; the spans of both, the last is one of rest."""
    running: list[Span] = []
    stopped: list[Span] = []
    while process.poll() is None and len(running) < WINDOWS:
        process.send_signal(SIGCONT)
        began = time.time()
        with suppress(subprocess.TimeoutExpired):
            process.wait(WINDOW_SECONDS)
        running.append((began, time.time()))
        process.send_signal(SIGSTOP)
        time.sleep(REST_SECONDS)
        stopped.append(_watch(WINDOW_SECONDS))
    return running, stopped


def _print(cluster: Cluster, alone: Sequence[float], during: dict[str, Watched]) -> None:
    lines = [_line("no backfill", alone)]
    for name, watched in during.items():
        lines.append(_line(f"{name}, stopped", watched.stopped))
        lines.append(_line(f"{name}, running", watched.running, watched.stopped))
    kind = "pgbench" if _pgbench(cluster) else "a client in Python"
    markdown(
        f"An application of {RATE} transactions a second beside a backfill"
        f" ({kind}, {CLIENTS} connections)",
        ("", "median (ms)", "against stopped", "99th percentile (ms)", "transactions"),
        lines,
    )
    ours = during[INTERLOCK]
    ratio = statistics.median(ours.running) / statistics.median(ours.stopped)
    print(
        f"\nGoal: the median while Interlock's backfill runs at most {GOAL} of the one while it is"
        f" stopped; it is {ratio:.2f}."
    )


def _line(
    name: str, milliseconds: Sequence[float], base: Sequence[float] | None = None
) -> tuple[str, ...]:
    median = statistics.median(milliseconds)
    ratio = f"{median / statistics.median(base):.2f}" if base else ""
    last = statistics.quantiles(milliseconds, n=100)[98]
    return (name, f"{median:.2f}", ratio, f"{last:.2f}", f"{len(milliseconds):,}")


def _pgbench(cluster: Cluster) -> bool:
    return (cluster.binaries / "pgbench").exists()


@contextmanager
def _application(cluster: Cluster, database: Database, rows: int) -> Iterator[Path]:
    """Transactions at an even rate while the block runs; yields the directory of their log."""
    logs = cluster.scratch / f"application-{time.time_ns()}"
    logs.mkdir()
    script = logs / "transaction.sql"
    script.write_text(TRANSACTION)
    argv: tuple[str, ...]
    if _pgbench(cluster):
        argv = (
            str(cluster.binaries / "pgbench"), "--no-vacuum", "--protocol", "prepared",
            "--file", str(script), "--define", f"rows={rows}", "--client", str(CLIENTS),
            "--rate", str(RATE), "--time", "86400", "--log", "--log-prefix", str(logs / "log"),
            "--host", str(database.folder), "--port", PORT, "--username", SUPERUSER, database.name,
        )  # fmt: skip
    else:
        client = Path(__file__).with_name("client.py")
        argv = (
            sys.executable, "-I", str(client), database.dsn,
            str(rows), str(CLIENTS), str(RATE), str(logs / "log.0"),
        )  # fmt: skip
    with background(argv, logs / "output"):
        time.sleep(WARM_UP_SECONDS)
        yield logs


def _latencies(logs: Path, spans: Sequence[Span]) -> list[float]:
    """Milliseconds of the transactions that lay within one of the spans."""
    (path,) = logs.glob("log.*")
    found = []
    # The client was ended while it wrote, so the last line may be torn.
    for line in path.read_text().splitlines()[:-1]:
        fields = line.split()
        milliseconds = int(fields[2]) / 1e3
        ended = int(fields[4]) + int(fields[5]) / 1e6
        began = ended - milliseconds / 1e3
        if any(first <= began and ended <= last for first, last in spans):
            found.append(milliseconds)
    if len(found) < 2:
        sys.exit("bench: too few transactions to tell their latency: take more --rows")
    return found
