"""A server's statements tried on a database: prepared, planned, and run with their samples.

Preparing goes through the protocol, as drivers do it, so that a statement without a plan (LISTEN,
CALL) is understood too. PostgreSQL infers the index of ON CONFLICT, and checks what a view can do,
only when it plans; so each statement is also planned, for no values in particular. Neither runs
anything. Samples run in one transaction, which is rolled back, and seeds in one that is committed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from toolchain.edge.postgres.server import connected
from toolchain.errors import ToolError
from toolchain.matrix.measured.values import Failure, Means
from toolchain.model.statement import Earlier, Statement, Value

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGresult

# What statements have returned in their first row, by statement and column.
Returned = dict[str, dict[str, str | None]]
# A statement and the samples that are run of it.
Script = tuple[Statement, Sequence[Sequence[Value]]]

_SETTINGS = b"""
SET plan_cache_mode = force_generic_plan; SET statement_timeout = '30s'; SET lock_timeout = '5s'
"""
# PostgreSQL cannot tell a parameter's type, or tells two; what a wrong type leads to.
_UNTYPED = ("42P18", "42P08")
_ABOUT_TYPES = (*_UNTYPED, "42883", "42804", "42725", "42846")
# The OIDs of text, bigint, timestamptz, boolean, jsonb, uuid, inet, numeric, text[] and bigint[].
_GUESSES = (25, 20, 1184, 16, 3802, 2950, 869, 1700, 1009, 1016)
_MOST_GUESSES = 100
# What is wrong with a value is no matter of the schema; a plan has none.
_ABOUT_VALUES = ("22", "23")


@contextmanager
def trial(parameters: Mapping[str, str], reads: set[str] | None = None) -> "Iterator[Trial]":
    """A session in which statements are tried on one database.

    `reads` are the statements that are known to read alone; it grows as more are run.
    """
    with connected(parameters) as connection:
        yield Trial(connection, set() if reads is None else reads)


class Trial:
    """Tries statements; each different text is prepared once, whichever servers issue it."""

    def __init__(self, connection: "Connection[Any]", reads: set[str]) -> None:
        self.reads = reads
        self.wire = connection.pgconn
        self.wire.exec_(_SETTINGS)
        self._prepared: dict[str, tuple[bytes, Failure | None]] = {}

    def attempt(self, statements: Sequence[Statement]) -> tuple[Failure, ...]:
        """What fails of one server's statements, in their order; raises ToolError."""
        failures = []
        sound = []
        for statement in statements:
            failure = self.prepare(statement)
            if failure is None:
                sound.append(statement)
            else:
                failures.append(failure)
        if any(statement.samples for statement in sound):
            failed = {failure.name for failure in failures}
            failures += self._samples(sound, failed, guarded=False) and self._samples(
                sound, failed, guarded=True
            )
        self.require_alive(failures[-1].name if failures else "the statements")
        return tuple(failures)

    def require_alive(self, tried: str) -> None:
        """Raises ToolError where PostgreSQL is gone."""
        from psycopg.pq import ConnStatus  # noqa: PLC0415

        if self.wire.status != ConnStatus.OK:
            raise ToolError(f"PostgreSQL went away while it tried {tried}", "see its log")

    def _samples(
        self, statements: Sequence[Statement], failed: set[str], *, guarded: bool
    ) -> list[Failure]:
        """Run samples and roll them back; without guards, which cost, up to the first failure."""
        rows = [(statement, statement.samples) for statement in statements]
        self.wire.exec_(b"BEGIN")
        run = self.run(rows, {*failed}, Means.SAMPLE, {}, guarded=guarded)
        found = list(run) if guarded else list(islice(run, 1))
        self.wire.exec_(b"ROLLBACK")
        return found

    def seed(self, statements: Sequence[Statement]) -> Failure | None:
        """Run a server's seeds, whose rows stay; the first that fails, and then none stays."""
        rows = [(statement, statement.seeds) for statement in statements if statement.seeds]
        if not rows:
            return None
        for statement, _ in rows:
            failure = self.prepare(statement)
            if failure is not None:
                return failure
        self.wire.exec_(b"BEGIN")
        failure = next(self.run(rows, set(), Means.SEED, {}, guarded=False), None)
        self.wire.exec_(b"COMMIT" if failure is None else b"ROLLBACK")
        return failure

    def name_of(self, statement: Statement) -> bytes:
        """The name under which PostgreSQL knows a statement that was prepared."""
        return self._prepared[statement.sql][0]

    def prepare(self, statement: Statement) -> Failure | None:
        """Prepare and plan a statement whose text is new; what is wrong with it."""
        known = self._prepared.get(statement.sql)
        if known is None:
            name = f"s{len(self._prepared)}".encode()
            known = (name, self._plan(name, statement))
            self._prepared[statement.sql] = known
        failure = known[1]
        if failure is None:
            return None
        return replace(failure, statement=statement)

    def _plan(self, name: bytes, statement: Statement) -> Failure | None:
        types = [0] * statement.parameters
        failure = self._parse(name, statement, types, iter(range(_MOST_GUESSES)))
        if failure is not None:
            return failure
        nothing = f"({', '.join(['NULL'] * len(types))})" if types else ""
        planned = self.wire.exec_(f"EXPLAIN EXECUTE {name.decode()}{nothing}".encode())
        failure = _failure(planned, statement, Means.PREPARE)
        if failure is not None and failure.code.startswith(_ABOUT_VALUES):
            return None
        return failure

    def _parse(
        self, name: bytes, statement: Statement, types: list[int], tries: Iterator[int]
    ) -> Failure | None:
        """Prepare; where nothing tells a parameter's type, with each type that it may be.

        `$1 IS NULL OR id = $1` is such a statement: a driver that sends values with their types,
        or writes them into the text, has no trouble with it.
        """
        failure = _failure(
            self.wire.prepare(name, statement.sql.encode(), types), statement, Means.PREPARE
        )
        if failure is None or failure.code not in _UNTYPED:
            return failure
        named = re.search(r"\$(\d+)", failure.message)
        at = int(named[1]) - 1 if named else len(types)
        if at >= len(types) or types[at]:
            return failure
        first: Failure | None = None
        for guess, _ in zip(_GUESSES, tries, strict=False):
            found = self._parse(name, statement, [*types[:at], guess, *types[at + 1 :]], tries)
            if found is None or found.code not in _ABOUT_TYPES:
                return found
            first = first or found
        return first or failure

    def run(
        self,
        statements: Sequence[Script],
        failed: set[str],
        means: Means,
        returned: Returned,
        *,
        guarded: bool,
    ) -> Iterator[Failure]:
        """Run statements with their values in order, each on what the ones before have left.

        `failed` names statements whose failure is told, and so is that of what builds on them.
        """
        for statement, samples in statements:
            for sample in samples:
                earlier = [each for each in sample if isinstance(each, Earlier)]
                if any(each.statement not in returned for each in earlier):
                    if not any(each.statement in failed for each in earlier):
                        yield _unfounded(statement, earlier, means)
                    failed.add(statement.name)
                    continue
                values = [
                    returned[each.statement].get(each.column) if isinstance(each, Earlier) else each
                    for each in sample
                ]
                if guarded:
                    self.wire.exec_(b"SAVEPOINT sample")
                failure = self._execute(statement, values, returned, means)
                if failure is not None:
                    failed.add(statement.name)
                    yield failure
                if guarded:
                    how = "RELEASE" if failure is None else "ROLLBACK TO"
                    self.wire.exec_(f"{how} SAVEPOINT sample".encode())

    def _execute(
        self,
        statement: Statement,
        values: Sequence[str | None],
        returned: Returned,
        means: Means,
    ) -> Failure | None:
        name = self.name_of(statement)
        encoded = [None if value is None else value.encode() for value in values]
        result = self.wire.exec_prepared(name, encoded)  # type: ignore[arg-type]  # None is NULL
        failure = _failure(result, statement, means)
        if failure is None:
            if (result.command_status or b"").startswith(b"SELECT"):
                self.reads.add(statement.sql)
            row = _first_row(result)
            if row is not None:
                returned[statement.name] = row
        return failure


def _unfounded(statement: Statement, earlier: Sequence[Earlier], means: Means) -> Failure:
    named = ", ".join(sorted({each.statement for each in earlier}))
    return Failure(
        means=means,
        statement=statement,
        code="",
        message=f"its {means.value} takes a value from {named}, which returned no row",
    )


def _first_row(result: "PGresult") -> dict[str, str | None] | None:
    if not result.ntuples:
        return None
    row: dict[str, str | None] = {}
    for column in range(result.nfields):
        name, value = result.fname(column), result.get_value(0, column)
        if name is not None:
            row[name.decode()] = None if value is None else value.decode()
    return row


def _failure(result: "PGresult", statement: Statement, means: Means) -> Failure | None:
    from psycopg.pq import DiagnosticField, ExecStatus  # noqa: PLC0415

    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY):
        return None

    def said(field: DiagnosticField) -> str:
        return (result.error_field(field) or b"").decode(errors="backslashreplace")

    message = said(DiagnosticField.MESSAGE_PRIMARY) or result.get_error_message().strip()
    return Failure(
        means=means,
        statement=statement,
        code=said(DiagnosticField.SQLSTATE),
        message=message or "it gave no answer",
        detail=said(DiagnosticField.MESSAGE_DETAIL),
    )
