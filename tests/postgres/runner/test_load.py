"""Servers of the old and the new release at work while each phase of each release runs."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extras
import pytest

from tests.postgres.fleetdesk.conftest import servers  # noqa: F401
from tests.postgres.fleetdesk.servers import FULL, Server
from tests.postgres.runner.packages import Package
from tests.postgres.runner.test_chain import HOSTS, fleetdesk, install  # noqa: F401

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

LOCK_TIMEOUT = 0.3
# Of a loaded machine, on which Python's threads wait for each other too.
MARGIN = 1.0
READER = 2.5
STEPS = [("3.9.0", "4.0.0"), ("4.0.0", "4.1.0"), ("4.1.0", "4.2.0"), ("4.2.0", "4.3.0-rc1")]


@dataclass
class Work:
    """What the servers did: how many transactions, the slowest, and whatever failed."""

    done: int = 0
    slowest: float = 0.0
    failed: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def as_server(self, server: Server, database: "Database", number: int) -> None:
        """The everyday work of one server, transaction by transaction."""
        store, facts = server.store, server.facts(FULL)
        with closing(
            psycopg2.connect(database.dsn, cursor_factory=psycopg2.extras.RealDictCursor)
        ) as connection:
            turn = 0
            while not self.over.is_set():
                turn += 1
                name = f"host{1 + (turn * 7 + number) % 3000}"
                for operation in (
                    lambda c, n=name: store.put_host(c, n, facts),
                    lambda c, n=name: store.record_scan(c, n, {"memory_mb": 5}),
                    lambda c, n=name: store.get_host(c, n),
                    lambda c, n=f"extra{number}-{turn}": store.put_host(c, n, facts),
                    lambda c, n=f"extra{number}-{turn}": store.delete_host(c, n),
                ):
                    self.time(server, connection, operation)

    def time(self, server: Server, connection: Any, operation: Callable[[Any], Any]) -> None:
        begun = time.monotonic()
        try:
            with connection, connection.cursor() as cursor:
                operation(cursor)
        except psycopg2.Error as error:
            self.failed.append(f"server {server.release}: {error}")
        self.done += 1
        self.slowest = max(self.slowest, time.monotonic() - begun)


@contextmanager
def at_work(database: "Database", *crew: Server) -> Iterator[Work]:
    """These servers' everyday work, each twice, as long as the block lasts."""
    work = Work()
    threads = [
        threading.Thread(target=work.as_server, args=(server, database, number))
        for number, server in enumerate(server for server in crew for _ in range(2))
    ]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.1)
        yield work
        time.sleep(0.1)
    finally:
        work.over.set()
        for thread in threads:
            thread.join()
    assert work.failed == []
    assert work.done > 10


@contextmanager
def a_long_reader(database: "Database") -> Iterator[None]:
    """A report that has read every table, and keeps its transaction open for a while."""
    ready = threading.Event()

    def read() -> None:
        with closing(psycopg2.connect(database.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'public'::regnamespace"
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f'SELECT count(*) FROM public."{name}"')
            ready.set()
            time.sleep(READER)

    thread = threading.Thread(target=read)
    thread.start()
    ready.wait()
    yield
    thread.join()


@pytest.mark.parametrize(("old", "new"), STEPS)
def test_no_phase_fails_or_holds_up_a_server(
    install: Callable[[str], Package],  # noqa: F811
    servers: dict[str, Server],  # noqa: F811
    database: "Database",
    old: str,
    new: str,
) -> None:
    install("3.9.0").done("apply")
    database.execute(HOSTS)
    install(old).done("apply")
    package = install(new)
    package.settings = f"lock_timeout = {int(LOCK_TIMEOUT * 1000)}ms"
    package.write()

    # The shards first: the old servers work through expand and migrate, beside a long report.
    with at_work(database, servers[old]) as work, a_long_reader(database):
        package.done("apply")
    # Either the phase needed no lock that the report held, or it waited in short tries.
    assert work.slowest < LOCK_TIMEOUT + MARGIN

    # Old and new side by side.
    with at_work(database, servers[old], servers[new]) as work:
        time.sleep(0.3)

    # Only new ones are left: the old forms go, again beside a report.
    with at_work(database, servers[new]) as work, a_long_reader(database):
        package.done("apply", "--phase", "contract")
    assert work.slowest < LOCK_TIMEOUT + MARGIN
