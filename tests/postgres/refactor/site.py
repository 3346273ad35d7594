"""A database on which the phases of a refactoring run as a shard would run them."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
import psycopg2.extensions

from tests.postgres.conftest import Database
from tests.postgres.refactor.catalogue import known
from toolchain.model.schema import Schema
from toolchain.refactor.phases import Migration, Phases
from toolchain.refactor.sql import ident, relation
from toolchain.spec.schema.replay import Replay

__all__ = [
    "Site", "known", "query", "run_batch", "session", "shape", "start", "statements", "told",
    "wait_until_blocked",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Phases on a database; each method is one step of their life."""

    database: Database
    phases: Phases

    def expand(self) -> None:
        """Run the expand."""
        self.database.execute(self.phases.expand.sql)

    def undo_expand(self) -> None:
        """Run the undo of the expand."""
        assert self.phases.expand.undo is not None
        self.database.execute(self.phases.expand.undo)

    def begin(self) -> None:
        """Run what a migration does before its first batch."""
        if self._migration.begin:
            self.database.execute(self._migration.begin)

    def batches(self, rows: int = 2) -> Iterator[int]:
        """Run the batches one by one, each its own transaction; the number of rows walked."""
        migration = self._migration
        # Names may hold a %, which is psycopg2's own sign where it fills in values.
        table = relation(migration.table).replace("%", "%%")
        key = ident(migration.key).replace("%", "%%")
        cursor: Any = None
        while True:
            with closing(psycopg2.connect(self.database.dsn)) as connection:
                found = query(
                    connection,
                    f"SELECT min(key), max(key), count(*) FROM (SELECT {key} AS key FROM {table}"
                    f" WHERE {key} > %(cursor)s OR %(cursor)s IS NULL"
                    f" ORDER BY {key} LIMIT {rows}) AS batch",
                    {"cursor": cursor},
                )
                first, last, number = found[0]
                if not number:
                    return
                run_batch(connection, migration, first, last)
                connection.commit()
            cursor = last
            yield number

    def finish(self) -> None:
        """Run what a migration does in the transaction of its end."""
        if self._migration.finish:
            self.database.execute(self._migration.finish)

    def migrate(self, rows: int = 2) -> None:
        """Run a migration from begin to finish."""
        if self.phases.migrate is None:
            return
        self.begin()
        for _ in self.batches(rows):
            pass
        self.finish()

    def undo_migrate(self) -> None:
        """Run the undo of the migration."""
        assert self._migration.undo is not None
        self.database.execute(self._migration.undo)

    def contract(self) -> None:
        """Run the contract."""
        assert self.phases.contract is not None
        self.database.execute(self.phases.contract)

    @property
    def _migration(self) -> Migration:
        assert self.phases.migrate is not None
        return self.phases.migrate


def run_batch(
    connection: "psycopg2.extensions.connection", migration: Migration, first: Any, last: Any
) -> None:
    """Run one batch as a prepared statement, inside the connection's transaction."""
    with connection.cursor() as cursor:
        for number, text in enumerate(statements(migration.batch)):
            cursor.execute(f"PREPARE batch_{number} AS {text}", None)
            cursor.execute(f"EXECUTE batch_{number} (%s, %s)", (first, last))


def statements(text: str) -> Sequence[str]:
    """The statements of a batch, as the manifest of a database package has them."""
    from pglast import parser

    return [str(part) for part in parser.split(text)]


def query(
    connection: "psycopg2.extensions.connection", text: str, values: Any = None
) -> list[tuple[Any, ...]]:
    """The rows of a statement in a session of one's own; none where it returns nothing."""
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return list(cursor.fetchall()) if cursor.description else []


@contextmanager
def session(database: Database) -> Iterator["psycopg2.extensions.connection"]:
    """A session whose transaction is left to the caller."""
    with closing(psycopg2.connect(database.dsn)) as connection:
        yield connection


def start(
    connection: "psycopg2.extensions.connection", text: str, values: Any = None
) -> "Future[list[tuple[Any, ...]]]":
    """Run a statement in a thread of its own, since it is to wait for somebody."""
    future: Future[list[tuple[Any, ...]]] = Future()

    def run() -> None:
        try:
            future.set_result(query(connection, text, values))
        except psycopg2.Error as problem:
            future.set_exception(problem)

    threading.Thread(target=run, daemon=True).start()
    return future


def wait_until_blocked(database: Database, sessions: int = 1) -> None:
    """Wait until that many sessions wait for a lock."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + 60
    while database.rows(waiting) != [(sessions,)]:
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)


SHAPE = """
SELECT 'column', attrelid::regclass::text, attname::text,
       format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
       || coalesce(' default ' || pg_get_expr(adbin, adrelid), '') || attidentity::text
       || attgenerated::text
FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0
  AND NOT attisdropped
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)
FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL
SELECT 'index', tablename::text, indexname::text, indexdef
FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'relation', relname::text, relkind::text, ''
FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname::text, pg_get_triggerdef(oid)
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', proname::text, '', '' FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
ORDER BY 1, 2, 3, 4
"""


def shape(database: Database) -> list[tuple[Any, ...]]:
    """All that the schema public holds, in words that two databases can be compared by."""
    return database.rows(SHAPE)


def told(*texts: str) -> Schema:
    """What a chain with these texts knows of its schema."""
    replay = Replay()
    for text in texts:
        replay.apply(text)
    return replay.schema
