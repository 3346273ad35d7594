"""The runner's moves on one shard, as small as they get: each is one transaction, or its loss."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import psycopg2
import psycopg2.errors
import psycopg2.extensions
from pglast.parser import split

from tests.postgres.laws.case import Case, LawBrokenError
from toolchain.model.relation_name import RelationName
from toolchain.refactor.phases import Migration

# What the real runner retries.
NOT_NOW = (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected)

_NEXT = """
SELECT min(key)::text, max(key)::text
FROM (SELECT {key} AS key FROM {table} WHERE %s IS NULL OR {key} > %s ORDER BY {key} LIMIT %s) AS b
"""


class Moves:
    """Expand, migrate batch by batch, undo and contract; where a move fails, nothing has moved."""

    def __init__(self, case: Case, dsn: str, lock_timeout: str) -> None:
        self.case, self._dsn = case, f"{dsn} options='-c lock_timeout={lock_timeout}'"
        self.expanded = self.begun = self.migrated = self.contracted = False
        self._cursor: str | None = None
        self._connection: psycopg2.extensions.connection | None = None

    @property
    def ready(self) -> bool:
        """Whether the new form can be used."""
        phases = self.case.phases
        return self.expanded and (phases.ready_at_expand or self.complete)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to move."""
        return self.expanded and (self.case.phases.migrate is None or self.migrated)

    @property
    def backend(self) -> int:
        """The process that works for the runner."""
        return self._session().info.backend_pid

    def expand(self) -> None:
        """Add the new form."""
        self._run(self.case.phases.expand.sql, alone=not self.case.phases.expand.transaction)
        self.expanded = True

    def batch(self, size: int, *, lose: bool = False) -> None:
        """Begin, or move the next rows, or finish; with `lose` the commit does not happen."""
        step = self.case.phases.migrate
        if step is None:
            raise ValueError(f"{self.case} has nothing to migrate")
        self._sweep(step)
        with self._transaction(lose=lose) as cursor:
            _execute(cursor, "" if self.begun else step.begin)
            reached, done = self._cursor, False
            if self.begun:
                cursor.execute(
                    _NEXT.format(key=f'"{step.key}"', table=_quoted(step.table)),
                    (reached, reached, size),
                )
                ((first, last),) = cursor.fetchall()
                done = last is None
                if done:
                    _execute(cursor, step.finish)
                else:
                    reached = last
                    self._move(cursor, step.batch, first, last)
            cursor.execute(
                "UPDATE laws.step SET begun = true, done = %s, reached = %s", (done, reached)
            )
        self._remember()

    def _sweep(self, step: Migration) -> None:
        """What the runner does before it tries to finish: the batch, without a range."""
        if self.begun and step.finish:
            with self._transaction() as cursor:
                cursor.execute(
                    _NEXT.format(key=f'"{step.key}"', table=_quoted(step.table)),
                    (self._cursor, self._cursor, 1),
                )
                if cursor.fetchall() == [(None, None)]:
                    self._move(cursor, step.batch, None, None)

    def undo_migrate(self) -> None:
        """Forget the migration."""
        step = self.case.phases.migrate
        forget = "UPDATE laws.step SET begun = false, done = false, reached = NULL;"
        self._run(forget + ((step.undo or "") if step else ""))
        self._remember()

    def undo_expand(self) -> None:
        """Take the new form away."""
        self._run(self.case.phases.expand.undo or "")
        self.expanded = False

    def contract(self) -> None:
        """Remove the old form."""
        self._run(self.case.phases.contract or "")
        self.contracted = True

    def kill(self) -> None:
        """End the runner's connection; the next move makes a new one."""
        if self._connection is not None:
            self._connection.close()
        self._remember()

    def close(self) -> None:
        """End the connection for good."""
        if self._connection is not None:
            self._connection.close()

    def _remember(self) -> None:
        """What the shard's ledger says: a commit may have happened that nobody heard of."""
        with closing(psycopg2.connect(self._dsn)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT begun, done, reached FROM laws.step")
            ((self.begun, self.migrated, self._cursor),) = cursor.fetchall()

    def _move(
        self, cursor: "psycopg2.extensions.cursor", batch: str, first: str | None, last: str | None
    ) -> None:
        """Batches are prepared, so that what cannot be prepared fails here as in the runner."""
        step = self.case.phases.migrate
        if step is None:
            raise ValueError(f"{self.case} has nothing to migrate")
        cursor.execute(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attname = %s",
            (f'"{step.table.schema}"."{step.table.name}"', step.key),
        )
        ((kind,),) = cursor.fetchall()
        for text in split(batch):
            cursor.execute("DEALLOCATE ALL")
            cursor.execute(f"PREPARE batch ({kind}, {kind}) AS {text}")
            cursor.execute("EXECUTE batch (%s, %s)", (first, last))

    def _run(self, text: str, *, alone: bool = False) -> None:
        if alone:
            self._session().autocommit = True
            try:
                _execute(self._session().cursor(), text)
            finally:
                self._session().autocommit = False
            return
        with self._transaction() as cursor:
            _execute(cursor, text)

    @contextmanager
    def _transaction(self, *, lose: bool = False) -> Iterator["psycopg2.extensions.cursor"]:
        session = self._session()
        try:
            with session.cursor() as cursor:
                cursor.execute("SET LOCAL search_path = public, pg_temp")
                yield cursor
            if lose:
                session.rollback()
            else:
                session.commit()
        except psycopg2.InterfaceError as error:  # it was killed between two statements
            raise psycopg2.OperationalError(str(error)) from error
        except (*NOT_NOW, psycopg2.OperationalError):
            with suppress(psycopg2.Error):  # it may be killed at this very moment
                session.rollback()
            raise
        except psycopg2.Error as error:
            raise LawBrokenError(f"{self.case}: a move of the runner failed: {error}") from error

    def _session(self) -> "psycopg2.extensions.connection":
        if self._connection is None or self._connection.closed:
            self._connection = psycopg2.connect(self._dsn)
        return self._connection


def _quoted(table: RelationName) -> str:
    return f'"{table.schema}"."{table.name}"'


def _execute(cursor: "psycopg2.extensions.cursor", text: str) -> None:
    if text.strip():
        cursor.execute(text)


@contextmanager
def moving(case: Case, dsn: str, lock_timeout: str) -> Iterator[Moves]:
    """The runner of a case, on a shard that has the schema it starts from."""
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "SET client_min_messages = error; DROP SCHEMA IF EXISTS laws CASCADE;"
            " DROP SCHEMA public CASCADE; CREATE SCHEMA public; SET search_path = public;"
            " CREATE SCHEMA laws; CREATE TABLE laws.step AS"
            " SELECT false AS begun, false AS done, NULL::text AS reached;" + case.schema
        )
    with closing(Moves(case, dsn, lock_timeout)) as moves:
        yield moves
