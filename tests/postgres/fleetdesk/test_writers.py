"""Old and new servers write at once while a change is expanded and migrated."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.errors
import pytest

from tests.postgres.fleetdesk.chain import (
    BY_NAME,
    OPENED,
    end_of,
)
from tests.postgres.fleetdesk.servers import (
    FULL,
    OWNER,
    Server,
    application,
    split_os,
)
from tests.postgres.fleetdesk.walking import (
    At,
    Walker,
    batch_of,
)
from toolchain.model.change import Step
from toolchain.model.version import Version

if TYPE_CHECKING:
    from tests.postgres.conftest import Database


pytestmark = pytest.mark.xdist_group("fleetdesk")


class Writers:
    """Threads that write as servers do, and know afterwards what must be there.

    Each thread owns one fact of every hot host, so its last write has to be there in the end
    whatever the others wrote to the same rows; and each makes and deletes hosts of its own.
    """

    def __init__(self, database: "Database", hot: Sequence[str]) -> None:
        self._database = database
        self._hot = hot
        self._threads: list[tuple[Server, threading.Thread, threading.Event]] = []
        self.last: dict[tuple[str, str], Any] = {}
        self.made: set[str] = set()
        self.gone: set[str] = set()
        self.problems: list[str] = []
        self.writes = 0
        self.longest = 0.0

    def start(self, server: Server, fact: str, value: Callable[[int], Any]) -> None:
        """Start one thread."""
        stop = threading.Event()
        thread = threading.Thread(target=self._write, args=(server, fact, value, stop))
        self._threads.append((server, thread, stop))
        thread.start()

    def stop(self, *retired: Server) -> None:
        """Stop the threads of these servers, or all; raises AssertionError with what they met."""
        chosen = [each for each in self._threads if not retired or each[0] in retired]
        for _, _, stop in chosen:
            stop.set()
        for _, thread, _ in chosen:
            thread.join(20)
            assert not thread.is_alive()
        assert self.problems == []

    def _write(
        self, server: Server, fact: str, value: Callable[[int], Any], stop: threading.Event
    ) -> None:
        chance = random.Random(fact)  # noqa: S311
        prefix = f"{fact}-{server.release}".replace("_", "-").replace(".", "-")
        own: list[str] = []
        try:
            with application(self._database) as connection:
                for number in itertools.count(1):
                    if stop.is_set():
                        return
                    began = time.monotonic()
                    name = chance.choice(self._hot)
                    with connection, connection.cursor() as cursor:
                        assert server.store.record_scan(cursor, name, {fact: value(number)})
                    self.last[name, fact] = value(number)
                    if number % 5 == 0:
                        own.append(f"{prefix}-{number}")
                        with connection, connection.cursor() as cursor:
                            server.store.put_host(cursor, own[-1], server.facts(FULL))
                        self.made.add(own[-1])
                    if number % 7 == 0 and own:
                        victim = own.pop(chance.randrange(len(own)))
                        with connection, connection.cursor() as cursor:
                            assert server.store.delete_host(cursor, victim)
                        self.gone.add(victim)
                    self.writes += 1
                    self.longest = max(self.longest, time.monotonic() - began)
        except Exception as problem:  # noqa: BLE001
            self.problems.append(f"{server.release} {fact}: {type(problem).__name__}: {problem}")

    def check(self, server: Server, database: "Database", others: set[str]) -> None:
        """Every last write is there, no deleted host is back, nobody met a deadlock."""
        with application(database) as connection, connection.cursor() as cursor:
            hosts = {row["name"]: row for row in server.store.list_hosts(cursor)}
        assert set(hosts) == others | (self.made - self.gone)
        there = {key: hosts[key[0]][key[1]] for key in self.last}
        assert there == self.last
        for name in self.made - self.gone:
            assert server.facts_of(hosts[name]) == server.facts(FULL)
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert database.rows(deadlocks) == [(0,)]


def _crowd(server: Server, database: "Database") -> set[str]:
    """Hosts enough that the migrate phase takes a while; all names in the database."""
    with application(database) as connection, connection, connection.cursor() as cursor:
        for number in range(600):
            server.store.put_host(cursor, f"crowd-{number}", server.facts(FULL))
        return {row["name"] for row in server.store.list_hosts(cursor)}


def _killed_and_resumed(walker: Walker, step: Step) -> None:
    """Run a migrate step that dies in the middle of a batch and goes on where it was."""
    walker.begin(step)
    done = walker.batches(step, limit=15)
    with closing(psycopg2.connect(walker.database.dsn_as(OWNER))) as victim:
        cursor = victim.cursor()
        cursor.execute(f"PREPARE batch (bigint, bigint) AS {batch_of(step)}")
        cursor.execute("EXECUTE batch (%s, %s)", (done + 1, done + 100))
        walker.database.execute(f"SELECT pg_terminate_backend({victim.info.backend_pid})")
    walker.batches(step, after=done)
    walker.finish(step)


def _refused(database: "Database", version: str) -> set[str]:
    """The statements of a release's server that PostgreSQL does not understand here."""
    refused = set()
    with closing(psycopg2.connect(database.dsn)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SET search_path TO public")
        for statement in OPENED.product.release(Version.parse(version)).server.statements:
            try:
                cursor.execute(f"PREPARE tried AS {statement.sql.replace('%', '%%')}", ())
                cursor.execute("DEALLOCATE tried")
            except psycopg2.errors.UndefinedObject:
                raise
            except psycopg2.Error:
                refused.add(statement.name)
    return refused


def test_no_server_holds_code_for_the_other_form_of_the_split(at: At) -> None:
    """Each works where its own form is the only one: all that it says is in its statements."""
    only_old, only_new = at(end_of("4.0.0")), at(end_of("4.2.0"))
    assert _refused(only_old, "4.0.0") == set()
    assert _refused(only_new, "4.1.0") == set()
    assert _refused(only_old, "4.1.0") >= {"list-hosts", "set-hardware", "add-network"}
    assert _refused(only_new, "4.0.0") >= {"list-hosts", "get-host"}


def test_the_split_under_old_and_new_writers(at: At, servers: dict[str, Server]) -> None:
    old, new = servers["4.0.0"], servers["4.1.0"]
    database = at(end_of("4.0.0"))
    names = _crowd(old, database)
    writers = Writers(database, [f"crowd-{number}" for number in range(8)])
    walker = Walker(database)
    split = BY_NAME["4.1.0"]
    writers.start(old, "cpu_count", lambda number: number)
    writers.start(old, "fqdn", lambda number: f"h{number}.example.com")
    writers.start(old, "os_version", str)
    try:
        walker.release(split, ("expand",))
        writers.start(new, "memory_mb", lambda number: number)
        writers.start(new, "ipv4", lambda n: f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}")
        writers.start(new, "os_name", lambda number: f"Linux-{number}")
        for step in split.of("migrate"):
            _killed_and_resumed(walker, step)
        time.sleep(1.5)
        walker.release(split, ("contract",))  # of os-name: neither of the two uses it
        time.sleep(0.5)
        writers.stop(old)
        walker.release(BY_NAME["4.2.0"])  # proves by itself that the copies have not diverged
        time.sleep(1.0)
    finally:
        writers.stop()
    writers.check(new, database, names)
    assert writers.writes > 500
    assert writers.longest < 5


def test_two_forms_of_os_under_old_and_new_writers(at: At, servers: dict[str, Server]) -> None:
    old, new = servers["3.9.0"], servers["4.0.0"]
    database = at(end_of("3.9.0"))
    names = _crowd(old, database)
    walker = Walker(database)
    writers = Writers(database, [f"crowd-{number}" for number in range(8)])
    both = Writers(database, ["crowd-20", "crowd-21"])  # each row in both forms
    writers.start(old, "cpu_count", lambda number: number)
    both.start(old, "os", lambda number: f"Debian  {number}")
    try:
        walker.release(BY_NAME["4.0.0"], ("expand",))
        writers.start(new, "memory_mb", lambda number: number)
        writers.start(new, "os_name", lambda number: f"Linux-{number}")
        both.start(new, "os_version", str)
        for step in BY_NAME["4.0.0"].of("migrate"):
            _killed_and_resumed(walker, step)
        time.sleep(1.5)
    finally:
        writers.stop()
        both.stop()
    writers.check(new, database, names | (both.made - both.gone))
    forms = database.rows("SELECT os, os_name, os_version FROM host")
    assert all(
        (name, version) == split_os(text) or text == " ".join(filter(None, (name, version)))
        for text, name, version in forms
    )
    assert database.rows("SELECT count(*) FROM host WHERE os_name IS NULL") == [(0,)]
