"""A throw-away PostgreSQL: the newest server binaries found, one cluster, gone at the end.

It is as durable as PostgreSQL is by default: what the commits of many small transactions cost
against those of few large ones is part of what is measured.
"""

import os
import pwd
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, connection, set_wait_callback

from benchmarks.measure import scratch_directory, undisturbed

SUPERUSER = "bench"
# The file in a directory of sockets bears the port's number; no port is opened.
PORT = "5432"
START_SECONDS = 60.0
# A socket's path holds 107 bytes, name and all.
LONGEST_PLACE = 60
SETTINGS = {
    "listen_addresses": "",
    "log_disconnections": "on",
    "max_wal_size": "4GB",
    "shared_buffers": "1GB",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database, reached through the unix socket."""

    name: str
    folder: Path

    @property
    def dsn(self) -> str:
        """What libpq and a shards file take."""
        return f"host={self.folder} port={PORT} user={SUPERUSER} dbname={self.name}"

    def execute(self, *statements: str) -> None:
        """Run SQL, each statement in a transaction of its own."""
        with closing(psycopg2.connect(self.dsn)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)

    def row(self, query: str) -> tuple[Any, ...]:
        """The first row of a query."""
        with closing(psycopg2.connect(self.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            (row, *_) = cursor.fetchall()
            return tuple(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running server in `folder`, beside which `scratch` is free for everything else."""

    binaries: Path
    folder: Path
    scratch: Path

    def database(self, name: str) -> Database:
        """The database of that name, whether it exists or not."""
        return Database(name=name, folder=self.folder)

    def create(self, name: str, *, template: str = "template0") -> Database:
        """Make a database, empty or as a copy of another."""
        self.database("postgres").execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.database(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.database("postgres").execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "postgres.log"

    def backend_seconds(self) -> float:
        """CPU seconds of all backends that have ended: cutime and cstime of proc(5)."""
        # One that has just ended is counted when the postmaster has seen it.
        time.sleep(0.2)
        pid = (self.folder / "data" / "postmaster.pid").read_text().split()[0]
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    @property
    def version(self) -> str:
        """Such as `PostgreSQL 15.14`."""
        (text,) = self.database("postgres").row("SELECT current_setting('server_version')")
        return f"PostgreSQL {str(text).split()[0]}"


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Make a cluster and start it; at the end, however that comes, stop and remove it."""
    set_wait_callback(_interruptible)
    with scratch_directory(longest=LONGEST_PLACE) as scratch:
        scratch.chmod(0o711)
        folder = scratch / "cluster"
        folder.mkdir(mode=0o700)
        cluster = Cluster(binaries=_find_binaries(), folder=folder, scratch=scratch)
        identity = _identity(folder)
        _initialise(cluster, identity)
        with cluster.log.open("wb") as log:
            process = subprocess.Popen(
                (
                    str(cluster.binaries / "postgres"), "-D", str(folder / "data"),
                    "-p", PORT, "-k", str(folder),
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C reaches this session only: the server is stopped last, and on purpose.
                start_new_session=True,
                **identity,
            )  # fmt: skip
        try:
            _await(cluster, process)
            yield cluster
        finally:
            with undisturbed():
                # Nothing of it is kept, so no last checkpoint.
                process.send_signal(signal.SIGQUIT)
                process.wait()


def _interruptible(wire: connection) -> None:
    """Wait for PostgreSQL so that Ctrl-C breaks it off: libpq would wait on for the statement."""
    while (state := wire.poll()) != POLL_OK:
        ready = [wire.fileno()]
        select.select(*((ready, []) if state == POLL_READ else ([], ready)), [])


def _find_binaries() -> Path:
    """The newest of Debian's, then of PGDG's rpms, then what the path leads to."""

    def version(path: Path) -> int:
        found = re.search(r"(\d+)/bin$", str(path))
        return int(found[1]) if found else 0

    candidates = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    candidates.sort(key=version, reverse=True)
    candidates += [Path(found).resolve().parent for found in (shutil.which("postgres"),) if found]
    for candidate in candidates:
        if all((candidate / name).exists() for name in ("initdb", "postgres", "psql")):
            return candidate
    sys.exit("bench: there is no PostgreSQL server here: install the package postgresql")


def _identity(folder: Path) -> dict[str, Any]:
    """Keywords of subprocess; PostgreSQL refuses to run as root, so root lends it an account."""
    keywords: dict[str, Any] = {
        "cwd": folder,
        "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(folder)},
    }
    if os.geteuid() != 0:
        return keywords
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    account = accounts.get("postgres") or accounts["nobody"]
    os.chown(folder, account.pw_uid, account.pw_gid)
    return keywords | {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": ()}


def _initialise(cluster: Cluster, identity: dict[str, Any]) -> None:
    data = cluster.folder / "data"
    # Only who may enter the folder gets to the socket, so it may trust whoever comes.
    process = subprocess.Popen(
        (
            str(cluster.binaries / "initdb"), "-D", str(data), "-U", SUPERUSER, "--auth", "trust",
            "--encoding", "UTF8", "--locale", "C.UTF-8",
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        **identity,
    )  # fmt: skip
    try:
        output, _ = process.communicate()
    except BaseException:
        # With the servers that it has started, and they must not write on.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode != 0:
        sys.exit(f"bench: initdb failed:\n{output.decode()}")
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())


def _await(cluster: Cluster, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg2.connect(cluster.database("postgres").dsn).close()
        except psycopg2.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"bench: PostgreSQL does not start:\n{cluster.log.read_text()}")
            time.sleep(0.05)
        else:
            return
