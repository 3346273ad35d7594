"""A server's statements tried on a database: prepared, planned, and run with their samples.

Preparing goes through the protocol, as drivers do it, so that a statement without a plan (LISTEN,
CALL) is understood too. PostgreSQL infers the index of ON CONFLICT, and checks what a view can do,
only when it plans; so each statement is also planned, for no values in particular. Neither runs
anything. Samples run in one transaction, which is rolled back, and seeds in one that is committed.
An exchange runs one server's samples and looks, after each write, through the eyes of another.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from toolchain.edge.postgres.server import connected
from toolchain.errors import ToolError
from toolchain.matrix.measured.exchange import Look, Reader, Result
from toolchain.matrix.measured.values import Failure, Means
from toolchain.model.statement import Earlier, Statement, Value

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGresult

# What statements have returned in their first row, by statement and column.
Returned = dict[str, dict[str, str | None]]
# A statement and the samples that are run of it.
Script = tuple[Statement, Sequence[Sequence[Value]]]

_TAKE_BACK = (b"ROLLBACK TO SAVEPOINT look", b"RELEASE SAVEPOINT look")
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
        self._wire = connection.pgconn
        self._wire.exec_(_SETTINGS)
        self._prepared: dict[str, tuple[bytes, Failure | None]] = {}

    def attempt(self, statements: Sequence[Statement]) -> tuple[Failure, ...]:
        """What fails of one server's statements, in their order; raises ToolError."""
        failures = []
        sound = []
        for statement in statements:
            failure = self._prepare(statement)
            if failure is None:
                sound.append(statement)
            else:
                failures.append(failure)
        if any(statement.samples for statement in sound):
            failed = {failure.name for failure in failures}
            failures += self._samples(sound, failed, guarded=False) and self._samples(
                sound, failed, guarded=True
            )
        self._require_alive(failures[-1].name if failures else "the statements")
        return tuple(failures)

    def _require_alive(self, tried: str) -> None:
        from psycopg.pq import ConnStatus  # noqa: PLC0415

        if self._wire.status != ConnStatus.OK:
            raise ToolError(f"PostgreSQL went away while it tried {tried}", "see its log")

    def _samples(
        self, statements: Sequence[Statement], failed: set[str], *, guarded: bool
    ) -> list[Failure]:
        """Run samples and roll them back; without guards, which cost, up to the first failure."""
        rows = [(statement, statement.samples) for statement in statements]
        self._wire.exec_(b"BEGIN")
        run = self._run(rows, {*failed}, Means.SAMPLE, {}, guarded=guarded)
        found = list(run) if guarded else list(islice(run, 1))
        self._wire.exec_(b"ROLLBACK")
        return found

    def seed(self, statements: Sequence[Statement]) -> Failure | None:
        """Run a server's seeds, whose rows stay; the first that fails, and then none stays."""
        rows = [(statement, statement.seeds) for statement in statements if statement.seeds]
        if not rows:
            return None
        for statement, _ in rows:
            failure = self._prepare(statement)
            if failure is not None:
                return failure
        self._wire.exec_(b"BEGIN")
        failure = next(self._run(rows, set(), Means.SEED, {}, guarded=False), None)
        self._wire.exec_(b"COMMIT" if failure is None else b"ROLLBACK")
        return failure

    def play(self, program: Sequence[Script], readers: Sequence[Reader]) -> tuple[Look, ...]:
        """Run a server's samples, as far as they work, and look after each writing statement.

        All is rolled back. Raises ToolError.
        """
        looking = [each for each in readers if self._prepare(each.statement) is None]
        returned: Returned = {}
        looks: list[Look] = []
        self._wire.exec_(b"BEGIN")
        for statement, samples in program:
            if self._prepare(statement) is not None:
                break
            run = self._run([(statement, samples)], set(), Means.EXCHANGE, returned, guarded=False)
            if next(run, None) is not None:
                break
            if samples and statement.sql not in self.reads:
                looks.append(Look(after=statement.name, results=self._look(looking, returned)))
        self._wire.exec_(b"ROLLBACK")
        self._require_alive("what servers see of each other")
        return tuple(looks)

    def _look(self, readers: Sequence[Reader], returned: Returned) -> Mapping[Reader, Result]:
        """What readers see now; a reader that fails, or takes a value not returned, sees nothing.

        All are sent at once: the way to the server and back is most of the time. A function may
        write even where it is only selected, so that is taken back too.
        """
        from psycopg.pq import ExecStatus  # noqa: PLC0415

        seen: dict[Reader, Result] = {}
        asked = [(each, text) for each in readers if (text := self._spell(each, returned))]
        while asked:
            answers = self._answers((b"SAVEPOINT look", *(text for _, text in asked), *_TAKE_BACK))
            good = [each for each in answers if each.status == ExecStatus.TUPLES_OK]
            for (reader, _), answer in zip(asked, good, strict=False):
                seen[reader] = _result(answer)
            if len(good) < len(asked):
                self._answers(_TAKE_BACK)
            asked = asked[len(good) + 1 :]
        return seen

    def _spell(self, reader: Reader, returned: Returned) -> bytes | None:
        """The EXECUTE of a reader; None where a value of its sample was not returned."""
        from psycopg.pq import Escaping  # noqa: PLC0415

        escaping = Escaping(self._wire)
        values: list[bytes] = []
        for value in reader.statement.samples[reader.sample]:
            if isinstance(value, Earlier):
                row = returned.get(value.statement, {})
                if value.column not in row:
                    return None
                text = row[value.column]
            else:
                text = value
            values.append(
                b"NULL" if text is None else bytes(escaping.escape_literal(text.encode()))
            )
        given = b"(" + b",".join(values) + b")" if values else b""
        return b"EXECUTE " + self._prepared[reader.statement.sql][0] + given

    def _answers(self, statements: Sequence[bytes]) -> "list[PGresult]":
        """The result of each statement, up to the first that fails."""
        self._wire.send_query(b";".join(statements))
        found: list[PGresult] = []
        while (answer := self._wire.get_result()) is not None:
            found.append(answer)
        return found

    def _prepare(self, statement: Statement) -> Failure | None:
        known = self._prepared.get(statement.sql)
        if known is None:
            name = f"s{len(self._prepared)}".encode()
            known = (name, self._plan(name, statement))
            self._prepared[statement.sql] = known
        failure = known[1]
        if failure is None:
            return None
        return Failure(
            means=failure.means, statement=statement, code=failure.code, message=failure.message
        )

    def _plan(self, name: bytes, statement: Statement) -> Failure | None:
        types = [0] * statement.parameters
        failure = self._parse(name, statement, types, iter(range(_MOST_GUESSES)))
        if failure is not None:
            return failure
        nothing = f"({', '.join(['NULL'] * len(types))})" if types else ""
        planned = self._wire.exec_(f"EXPLAIN EXECUTE {name.decode()}{nothing}".encode())
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
            self._wire.prepare(name, statement.sql.encode(), types), statement, Means.PREPARE
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

    def _run(
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
                    self._wire.exec_(b"SAVEPOINT sample")
                failure = self._execute(statement, values, returned, means)
                if failure is not None:
                    failed.add(statement.name)
                    yield failure
                if guarded:
                    how = "RELEASE" if failure is None else "ROLLBACK TO"
                    self._wire.exec_(f"{how} SAVEPOINT sample".encode())

    def _execute(
        self,
        statement: Statement,
        values: Sequence[str | None],
        returned: Returned,
        means: Means,
    ) -> Failure | None:
        name = self._prepared[statement.sql][0]
        encoded = [None if value is None else value.encode() for value in values]
        result = self._wire.exec_prepared(name, encoded)  # type: ignore[arg-type]  # None is NULL
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


def _result(result: "PGresult") -> Result:
    fields = range(result.nfields)

    def text(row: int, field: int) -> str | None:
        value = result.get_value(row, field)
        return None if value is None else value.decode(errors="backslashreplace")

    return Result(
        columns=tuple((result.fname(field) or b"").decode() for field in fields),
        types=tuple(result.ftype(field) for field in fields),
        rows=tuple(tuple(text(row, field) for field in fields) for row in range(result.ntuples)),
    )


def _failure(result: "PGresult", statement: Statement, means: Means) -> Failure | None:
    from psycopg.pq import DiagnosticField, ExecStatus  # noqa: PLC0415

    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY):
        return None

    def said(field: DiagnosticField) -> str:
        return (result.error_field(field) or b"").decode(errors="backslashreplace")

    parts = [said(DiagnosticField.MESSAGE_PRIMARY), said(DiagnosticField.MESSAGE_DETAIL)]
    message = "; ".join(part for part in parts if part)
    return Failure(
        means=means,
        statement=statement,
        code=said(DiagnosticField.SQLSTATE),
        message=message or result.get_error_message().strip() or "it gave no answer",
    )
