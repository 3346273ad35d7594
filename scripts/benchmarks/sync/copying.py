"""The backfill of a migration, walked as the runner walks it: begin, batches at a rate, finish."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import psycopg2
from psycopg2.errors import DeadlockDetected, SerializationFailure
from psycopg2.extensions import connection, cursor

from benchmarks.cluster import Database
from toolchain.refactor.phases import Migration

ROWS_A_SECOND = 5_000
BATCH = 500
BELOW_ALL_KEYS = -(2**63)


@dataclass(slots=True, kw_only=True)
class Copy:
    """A backfill of one database; `tries_again` counts batches that a writer made fail."""

    database: Database
    migration: Migration
    last: int = BELOW_ALL_KEYS
    ended: bool = False
    tries_again: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _errors: list[BaseException] = field(default_factory=list)

    def begin(self) -> None:
        """What runs once, before the first batch."""
        if self.migration.begin:
            self.database.execute(self.migration.begin)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Copy at ROWS_A_SECOND while the block runs."""
        self._stop.clear()
        thread = threading.Thread(target=self._walk, kwargs={"pause": BATCH / ROWS_A_SECOND})
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
        if self._errors:
            raise self._errors[0]

    def finish(self) -> None:
        """Copy the rest, and run what comes last."""
        self._stop.clear()
        self._walk(pause=0)
        if self._errors:
            raise self._errors[0]
        if self.migration.finish:
            self.database.execute(self.migration.finish)

    def _walk(self, *, pause: float) -> None:
        try:
            with closing(psycopg2.connect(self.database.dsn)) as connection:
                due = time.monotonic()
                while not self._stop.is_set() and not self.ended:
                    self._one_batch(connection)
                    due += pause
                    self._stop.wait(max(0.0, due - time.monotonic()))
        except BaseException as error:  # noqa: BLE001 - raised again where the thread is awaited
            self._errors.append(error)

    def _one_batch(self, connection: connection) -> None:
        try:
            with connection, connection.cursor() as cursor:
                keys = self._next_keys(cursor)
                if keys is None:
                    self.ended = True
                    return
                cursor.execute(with_keys(self.migration.batch, keys))
                self.last = keys[1]
        except (DeadlockDetected, SerializationFailure):
            self.tries_again += 1

    def _next_keys(self, cursor: cursor) -> tuple[int, int] | None:
        key = self.migration.key
        cursor.execute(
            f"SELECT min({key}), max({key}) FROM (SELECT {key} FROM {self.migration.table}"  # noqa: S608
            f" WHERE {key} > {self.last} ORDER BY {key} LIMIT {BATCH}) AS batch"
        )
        (row,) = cursor.fetchall()
        return None if row[0] is None else (int(row[0]), int(row[1]))


def with_keys(batch: str, keys: tuple[int, int]) -> str:
    """A batch with its first and last key written in."""
    return re.sub(r"\$([12])\b", lambda found: f"{keys[int(found[1]) - 1]}::bigint", batch)
