"""Two servers of four clients each, as two runs of pgbench at once, and what they did."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster import PORT, SUPERUSER, Cluster, Database
from benchmarks.sync.forms import COUNTING, FIRST_BASE, SECOND_BASE, Form

CLIENTS = 4
# A transaction that failed by a deadlock or by 40001 is tried again, as a server would.
MAX_TRIES = 1000
OLDEST_PGBENCH = 15  # the first with --max-tries
DEADLOCK, SERIALIZATION_FAILURE = "40P01", "40001"
# What failed is counted in the server's log: pgbench tells two kinds of failure apart only where it
# gives up, and forgets those of a transaction that was under way at the end.
LOG_PREFIX = "%d %e "


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was done: committed transactions by kind, how many a second, tries that failed.

    `cpu_seconds` are those of the server's backends and of the clients.
    """

    committed: Mapping[str, int]
    tps: float
    cpu_seconds: float = 0.0
    deadlocks: int = 0
    serialization_failures: int = 0

    @property
    def cpu(self) -> float:
        """CPU microseconds a transaction."""
        return 1e6 * self.cpu_seconds / sum(self.committed.values())

    @property
    def counted(self) -> int:
        """By how much all counters together should have grown."""
        return sum(self.committed.get(kind, 0) for kind in COUNTING)


def find_pgbench(cluster: Cluster) -> Path:
    """The server's own pgbench; raises SystemExit where it is missing or too old."""
    path = cluster.binaries / "pgbench"
    if not path.exists():
        sys.exit(f"bench: there is no pgbench in {cluster.binaries}: install postgresql-contrib")
    answer = subprocess.run((str(path), "--version"), capture_output=True, text=True, check=True)
    found = re.search(r"(\d+)", answer.stdout)
    if found is None or int(found[1]) < OLDEST_PGBENCH:
        sys.exit(f"bench: {answer.stdout.strip()} cannot try again; {OLDEST_PGBENCH} or later can")
    return path


def log_failures(cluster: Cluster) -> None:
    """Let the server's log tell the database and the code of each error."""
    cluster.database("postgres").execute(
        f"ALTER SYSTEM SET log_line_prefix = '{LOG_PREFIX}'",
        "ALTER SYSTEM SET log_disconnections = off",
        "SELECT pg_reload_conf()",
    )


def failures(log: str, database: str, code: str) -> int:
    """How many statements in a database failed by a code, as a log with LOG_PREFIX has it."""
    return len(re.findall(rf"^{re.escape(database)} {code} ERROR:", log, re.MULTILINE))


def parse(output: str, kinds: Sequence[str]) -> Work:
    """Read what pgbench prints at its end; with one script it counts that alone."""
    tps = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
    failed = re.search(r"^number of failed transactions: (\d+)", output, re.MULTILINE)
    committed = re.findall(r"^ - (\d+) transactions", output, re.MULTILINE)
    if len(kinds) == 1:
        committed = re.findall(
            r"^number of transactions actually processed: (\d+)", output, re.MULTILINE
        )
    if tps is None or len(committed) != len(kinds) or (failed is not None and int(failed[1])):
        sys.exit(f"bench: pgbench says what cannot be understood:\n{output}")
    return Work(
        committed=dict(zip(kinds, map(int, committed), strict=True)),
        tps=float(tps[1]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Who works on a database: two forms, the shares of each kind, what a commit waits for.

    With a `rate` they do so many transactions a second together, without it as many as they can.
    """

    cluster: Cluster
    database: Database
    forms: tuple[Form, Form]
    shares: Mapping[str, int]
    synchronous_commit: str
    rate: int | None = None

    def work(self, seconds: float) -> Work:
        """Let both work for so long, and say what they did."""
        begin = self.cluster.log.stat().st_size
        before = self._cpu_seconds()
        with self.working(seconds) as processes:
            outputs = [process.communicate() for process in processes]
        for process, (_, error) in zip(processes, outputs, strict=True):
            if process.returncode:
                sys.exit(f"bench: pgbench failed with {process.returncode}:\n{error}")
        works = [parse(output, list(self.shares)) for output, _ in outputs]
        with self.cluster.log.open() as file:
            file.seek(begin)
            log = file.read()
        return Work(
            committed={kind: sum(work.committed[kind] for work in works) for kind in self.shares},
            tps=sum(work.tps for work in works),
            cpu_seconds=self._cpu_seconds() - before,
            deadlocks=failures(log, self.database.name, DEADLOCK),
            serialization_failures=failures(log, self.database.name, SERIALIZATION_FAILURE),
        )

    def _cpu_seconds(self) -> float:
        clients = resource.getrusage(resource.RUSAGE_CHILDREN)
        return self.cluster.backend_seconds() + clients.ru_utime + clients.ru_stime

    @contextmanager
    def working(self, seconds: float) -> Iterator[tuple["subprocess.Popen[str]", ...]]:
        """Both at work while the block runs, for so many seconds at most."""
        bases = (FIRST_BASE, SECOND_BASE)
        processes = tuple(
            self._start(form, base, sum(bases) - base, seconds)
            for form, base in zip(self.forms, bases, strict=True)
        )
        try:
            yield processes
        finally:
            for process in processes:
                process.terminate()
                process.wait()

    def _start(self, form: Form, base: int, other: int, seconds: float) -> "subprocess.Popen[str]":
        folder = self.cluster.scratch / f"scripts-{self.database.name}-{base}"
        folder.mkdir(exist_ok=True)
        scripts = form.scripts()
        files = []
        for kind, share in self.shares.items():
            path = folder / f"{kind}.sql"
            path.write_text(scripts[kind])
            files += ["--file", f"{path}@{share}"]
        rate = ("--rate", str(self.rate / 2)) if self.rate else ()
        options = f"-c search_path={form.search_path}"
        options += f" -c synchronous_commit={self.synchronous_commit}"
        return subprocess.Popen(
            (
                str(find_pgbench(self.cluster)), "--no-vacuum", "--protocol", "prepared", *files,
                "--define", f"base={base}", "--define", f"other={other}",
                "--client", str(CLIENTS), "--jobs", "1", "--time", f"{seconds:.0f}",
                "--max-tries", str(MAX_TRIES), *rate, "--host", str(self.database.folder),
                "--port", PORT, "--username", SUPERUSER, self.database.name,
            ),
            env={"PATH": os.defpath, "PGOPTIONS": options},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
