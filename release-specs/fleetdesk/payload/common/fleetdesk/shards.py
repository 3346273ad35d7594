"""Shards: where a host lives, and connections that outlive a restart of PostgreSQL."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg2
import psycopg2.extras
from psycopg2.extensions import connection as Connection  # noqa: N812  a class in lower case
from psycopg2.extensions import cursor as Cursor  # noqa: N812

Answer = TypeVar("Answer")
Operation = Callable[[Cursor], Answer]

CONNECTIONS = 8
CONNECT_SECONDS = 3
STATEMENT_SECONDS = 30
# serialization failure, deadlock, lock not available: PostgreSQL took all of it back
TAKEN_BACK = ("40001", "40P01", "55P03")


class AwayError(Exception):
    """A shard did not answer within the time that the caller had."""


class Shard:
    """One PostgreSQL database, its idle connections, and whether it was there last time."""

    def __init__(self, name: str, dsn: str, *, program: str, patience: float) -> None:
        self.name = name
        self._dsn = dsn
        self._program = program
        self._patience = patience
        self._idle: list[Connection] = []
        self._mutex = threading.Lock()
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        self._away = False

    def run(
        self, operation: Operation[Answer], *, repeatable: bool, patience: float | None = None
    ) -> Answer:
        """Carry out one operation in one transaction; raises AwayError or psycopg2.Error.

        It is tried again after a lost connection or a deadlock for `patience` seconds (the
        shard's own when None; at once an end for a shard that was away last time already). When
        the connection is lost during COMMIT nobody knows the outcome, so only an operation that
        may be done twice is `repeatable` then.
        """
        if patience is None:
            patience = 0.0 if self._away else self._patience
        deadline = time.monotonic() + patience
        if not self._places.acquire(timeout=max(patience, 0.1)):
            raise AwayError(f"shard {self.name} is busy: all {CONNECTIONS} connections are in use")
        try:
            answer = self._try_until(deadline, operation, repeatable=repeatable)
        except AwayError:
            self._away = True
            raise
        finally:
            self._places.release()
        self._away = False
        return answer

    def close(self) -> None:
        """Close what is idle."""
        with self._mutex:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _try_until(
        self, deadline: float, operation: Operation[Answer], *, repeatable: bool
    ) -> Answer:
        pause = 0.05
        while True:
            connection, fresh, committing = None, True, False
            try:
                connection, fresh = self._borrow()
                with connection.cursor() as cursor:
                    answer = operation(cursor)
                committing = True
                connection.commit()
            except psycopg2.Error as problem:
                lost = True
                if connection is not None and not connection.closed:
                    lost = False
                    self._take_back(connection)
                if not (lost or problem.pgcode in TAKEN_BACK):
                    raise
                if lost and committing and not repeatable:
                    raise AwayError(
                        f"shard {self.name} went away during the commit; look before trying again"
                    ) from problem
                # An idle connection that has died says nothing of the shard of today.
                stale = lost and not fresh
                if not stale and time.monotonic() + pause > deadline:
                    detail = " ".join(str(problem).split()) or type(problem).__name__
                    raise AwayError(f"shard {self.name} is away: {detail}") from problem
                if lost:
                    self.close()
                if not stale:
                    time.sleep(pause)
                    pause = min(pause * 2, 1.0)
            except BaseException:
                if connection is not None:
                    self._take_back(connection)
                raise
            else:
                self._give_back(connection)
                return answer

    def _borrow(self) -> tuple[Connection, bool]:
        with self._mutex:
            if self._idle:
                return self._idle.pop(), False
        options = {
            "application_name": self._program,
            "connect_timeout": str(CONNECT_SECONDS),
            **psycopg2.extensions.parse_dsn(self._dsn),
        }
        connection = psycopg2.connect(cursor_factory=psycopg2.extras.RealDictCursor, **options)
        with connection.cursor() as cursor:
            # Whatever the database's owner set: our tables, and nobody's temporary ones first.
            cursor.execute("SET search_path TO public, pg_temp")
            cursor.execute("SET statement_timeout TO %s", (STATEMENT_SECONDS * 1000,))
        connection.commit()
        return connection, True

    def _give_back(self, connection: Connection) -> None:
        with self._mutex:
            self._idle.append(connection)

    def _take_back(self, connection: Connection) -> None:
        try:
            connection.rollback()
        except psycopg2.Error:
            connection.close()
        else:
            self._give_back(connection)


def home(shards: dict[str, Shard], host: str) -> Shard:
    """The shard where a host lives: of all shards, the one whose hash with the name is highest."""
    return max(shards.values(), key=lambda shard: _score(shard.name, host))


def _score(shard: str, host: str) -> bytes:
    return hashlib.sha256(f"{shard}\0{host}".encode()).digest()


def schema_seen(cursor: Cursor) -> int | None:
    """The schema that the shard claims; None where it has no ledger, or none that we may ask."""
    cursor.execute("""
        SELECT FROM pg_proc
        JOIN pg_namespace ON pg_namespace.oid = pg_proc.pronamespace
        WHERE nspname = 'interlock' AND proname = 'read_handshake'
          AND has_schema_privilege(pg_namespace.oid, 'USAGE')
          AND has_function_privilege(pg_proc.oid, 'EXECUTE')
    """)
    if not cursor.rowcount:
        return None
    cursor.execute("SELECT schema FROM interlock.read_handshake('fleetdesk')")
    row: Any = cursor.fetchone()
    return None if row is None else int(row["schema"])
