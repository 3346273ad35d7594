"""The chain's SQL walked step by step, with rows of each release in it on the way."""

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.errors

from tests.postgres.fleetdesk.chain import PHASES, READ, STOPS, Release, Stop
from tests.postgres.fleetdesk.servers import APPLICATION, FULL, OWNER, Server, application
from toolchain.model.change import Step
from toolchain.model.law import compatible

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster, Database


OPERATING_SYSTEMS = (
    "Debian GNU/Linux 12",
    "Red Hat Enterprise Linux 9.4 (Plow)",
    "Arch Linux",
    "Windows Server 2019 Datacenter",
    "",
)


@dataclass
class Walker:
    """A stand-in for the runner: the same phases, lock timeouts, retries and batches, no ledger."""

    database: "Database"
    batch_rows: int = 7
    retries: int = field(default=0, init=False)

    def run(self, step: Step) -> None:
        """Run one step to its end."""
        if step.batch is not None:
            self.begin(step)
            self.batches(step)
            self.finish(step)
        else:
            self.send(READ(step.sql).content.decode(), transaction=step.transaction)

    def undo(self, step: Step) -> None:
        """Run one step's undo."""
        if step.undo is not None:
            self.send(READ(step.undo).content.decode(), transaction=step.transaction)

    def begin(self, step: Step) -> None:
        """Run what a migration needs before its first batch."""
        assert step.batch is not None
        self.send(";".join(READ(step.sql).statements[: step.batch.begin]))

    def finish(self, step: Step) -> None:
        """Run what a migration needs after its last batch."""
        assert step.batch is not None
        statements = READ(step.sql).statements
        self.send(";".join(statements[len(statements) - step.batch.finish :]))

    def send(self, text: str, *, transaction: bool = True) -> None:
        """Run a file: with a short lock_timeout, and again when a lock was not to be had."""
        for pause in (0.01, 0.02, 0.05, 0.1, 0.1, 0.2, 0.2, 0.4, 0.4, 0.8, 0.8, None):
            with closing(psycopg2.connect(self.database.dsn_as(OWNER))) as connection:
                connection.autocommit = not transaction
                cursor = connection.cursor()
                cursor.execute("SET lock_timeout TO '250ms'; SET search_path TO public, pg_temp")
                connection.commit()
                try:
                    if text.strip():
                        cursor.execute(text)
                    connection.commit()
                except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected):
                    if pause is None:
                        raise
                    self.retries += 1
                    time.sleep(pause)
                else:
                    return

    def batches(self, step: Step, *, after: int = 0, limit: int | None = None) -> int:
        """Walk a table in key order from `after`, at most `limit` batches; the last key done."""
        assert step.batch is not None
        table, key = step.batch.table, step.batch.key
        with closing(psycopg2.connect(self.database.dsn_as(OWNER))) as connection:
            cursor = connection.cursor()
            cursor.execute(f"PREPARE batch (bigint, bigint) AS {batch_of(step)}")
            connection.commit()
            for _ in itertools.count() if limit is None else range(limit):
                cursor.execute(
                    f"SELECT min(k), max(k) FROM (SELECT {key} AS k FROM {table} WHERE {key} > %s"
                    f" ORDER BY {key} LIMIT %s) AS next",
                    (after, self.batch_rows),
                )
                first, last = cursor.fetchone() or (None, None)
                if last is None:
                    break
                cursor.execute("EXECUTE batch (%s, %s)", (first, last))
                connection.commit()
                after = last
        return after

    def release(self, release: Release, phases: Sequence[str] = PHASES) -> None:
        """Run a release's steps of these phases."""
        for phase, step in release.steps:
            if phase in phases:
                self.run(step)


def batch_of(step: Step) -> str:
    """The one statement of a migration's batches."""
    assert step.batch is not None
    statements = READ(step.sql).statements
    (statement,) = statements[step.batch.begin : len(statements) - step.batch.finish]
    return statement


def seed(server: Server, database: "Database", count: int, prefix: str) -> dict[str, Any]:
    """Write hosts of all kinds as that server would; the names and what they must stay like."""
    written = {}
    with application(database) as connection, connection, connection.cursor() as cursor:
        for number in range(count):
            facts: dict[str, Any] = {
                **dict.fromkeys(FULL),
                "os": OPERATING_SYSTEMS[number % len(OPERATING_SYSTEMS)],
            }
            if number % 3:
                facts |= {"cpu_count": number, "cpu_model": "x" * (number % 5)}
            if number % 4:
                facts |= {"ipv4": f"192.0.2.{number}", "fqdn": f"h{number}.example.com"}
            name = f"{prefix}-{number}"
            server.store.put_host(cursor, name, server.facts(facts))
            written[name] = facts
    return written


At = Callable[[Stop], "Database"]


@dataclass
class Walk:
    """One template database for each stop, and what was written on the way."""

    templates: dict[str, "Database"]
    written: dict[str, Any]


def walked(cluster: "Cluster", servers: dict[str, Server]) -> Walk:
    """The chain, walked once: with rows of each release in it before the next one's steps run."""
    everyone = cluster.database("postgres")
    for role in (OWNER, APPLICATION):
        everyone.execute(f"CREATE ROLE {role} LOGIN")
    templates: dict[str, Database] = {}
    written: dict[str, Any] = {}
    here = "template0"
    for stop in STOPS:
        database = cluster.create_database(template=here)
        everyone.execute(f"ALTER DATABASE {database.name} OWNER TO {OWNER}")
        Walker(database).release(stop.release, (stop.phase,))
        if stop == STOPS[0]:  # as docs/upgrading.md says
            tables = "public.host, public.job, public.audit"
            grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {APPLICATION}"
            with closing(psycopg2.connect(database.dsn_as(OWNER))) as owner, owner:
                owner.cursor().execute(grant)
        for server in accepted(stop, servers):
            written |= seed(server, database, 20, f"{stop}-{server.release}".replace(".", "-"))
        templates[str(stop)] = database
        here = database.name
    return Walk(templates, written)  # which go with the cluster: a drop is a checkpoint


def copied(walk: Walk, stop: Stop, make: "Callable[..., Database]") -> "Database":
    """A copy of the database at a stop."""
    database = make(template=walk.templates[str(stop)].name)
    database.execute(f"ALTER DATABASE {database.name} OWNER TO {OWNER}")
    return database


def accepted(stop: Stop, servers: dict[str, Server]) -> list[Server]:
    """The servers that the law lets work at this stop."""
    return [each for each in servers.values() if compatible(each.release.server, stop.shard)]
