"""One server's samples run, and after each write a look through the eyes of other statements."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from toolchain.edge.postgres.statements import Returned, Script, Trial
from toolchain.matrix.measured.looks import Look, Reader, Result
from toolchain.matrix.measured.values import Means
from toolchain.model.statement import Earlier

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

_TAKE_BACK = (b"ROLLBACK TO SAVEPOINT look", b"RELEASE SAVEPOINT look")


def play(trying: Trial, program: Sequence[Script], readers: Sequence[Reader]) -> tuple[Look, ...]:
    """Run a server's samples, as far as they work, and look after each writing statement.

    All is rolled back. Raises ToolError.
    """
    looking = [each for each in readers if trying.prepare(each.statement) is None]
    returned: Returned = {}
    looks: list[Look] = []
    trying.wire.exec_(b"BEGIN")
    for statement, samples in program:
        if trying.prepare(statement) is not None:
            break
        run = trying.run([(statement, samples)], set(), Means.EXCHANGE, returned, guarded=False)
        if next(run, None) is not None:
            break
        if samples and statement.sql not in trying.reads:
            looks.append(Look(after=statement.name, results=_look(trying, looking, returned)))
    trying.wire.exec_(b"ROLLBACK")
    trying.require_alive("what servers see of each other")
    return tuple(looks)


def _look(trying: Trial, readers: Sequence[Reader], returned: Returned) -> Mapping[Reader, Result]:
    """What readers see now; a reader that fails, or takes a value not returned, sees nothing.

    All are sent at once: the way to the server and back is most of the time. A function may
    write even where it is only selected, so that is taken back too.
    """
    from psycopg.pq import ExecStatus  # noqa: PLC0415

    seen: dict[Reader, Result] = {}
    asked = [(each, text) for each in readers if (text := _execute(trying, each, returned))]
    while asked:
        sent = (b"SAVEPOINT look", *(text for _, text in asked), *_TAKE_BACK)
        answers = _answers(trying.wire, sent)
        good = [each for each in answers if each.status == ExecStatus.TUPLES_OK]
        for (reader, _), answer in zip(asked, good, strict=False):
            seen[reader] = _result(answer)
        if len(good) < len(asked):
            _answers(trying.wire, _TAKE_BACK)
        asked = asked[len(good) + 1 :]
    return seen


def _execute(trying: Trial, reader: Reader, returned: Returned) -> bytes | None:
    """The EXECUTE of a reader; None where a value of its sample was not returned."""
    from psycopg.pq import Escaping  # noqa: PLC0415

    escaping = Escaping(trying.wire)
    values: list[bytes] = []
    for value in reader.statement.samples[reader.sample]:
        if isinstance(value, Earlier):
            row = returned.get(value.statement, {})
            if value.column not in row:
                return None
            text = row[value.column]
        else:
            text = value
        values.append(b"NULL" if text is None else bytes(escaping.escape_literal(text.encode())))
    given = b"(" + b",".join(values) + b")" if values else b""
    return b"EXECUTE " + trying.name_of(reader.statement) + given


def _answers(wire: "PGconn", statements: Sequence[bytes]) -> "list[PGresult]":
    """The result of each statement, up to the first that fails."""
    wire.send_query(b";".join(statements))
    found: list[PGresult] = []
    while (answer := wire.get_result()) is not None:
        found.append(answer)
    return found


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
