"""Two servers at one row: the second waits for the first, and must look at the row again.

Nothing waits in the generated histories; here each statement waits for each other.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import psycopg2
import psycopg2.errors
import psycopg2.extensions

from tests.postgres.laws.case import Case, Form, LawBrokenError, Row, Rows
from tests.postgres.laws.looking import compare, compare_forms, read
from tests.postgres.laws.moves import Moves, moving
from tests.postgres.laws.operations import Kind, Operation, can, perform, rows_after

_ROWS = ((1, Row(n=1, m=1, text="a")), (2, Row(n=1, m=1, text="b")))
_BACK = Operation(kind=Kind.DELETE, low=0, high=9)
_AGAIN = ((1, Row(n=2, m=2, text="again")),)
_JOINING = ((0, Row(n=1, m=0, text="new")),)
FIRST = (
    Operation(kind=Kind.ADD, low=1, high=1, by=100),
    Operation(kind=Kind.CLEAR, low=1, high=1),
    Operation(kind=Kind.DELETE, low=1, high=1),
    Operation(kind=Kind.JOIN, fresh=_JOINING),
    Operation(kind=Kind.REPEAT, fresh=_JOINING),
)
SECOND = (
    Operation(kind=Kind.ADD, low=1, high=1, by=5),
    Operation(kind=Kind.CLEAR_LOW, low=1, high=1, by=10),
    Operation(kind=Kind.WRITE, low=1, high=2, text="z"),
    Operation(kind=Kind.DELETE, low=1, high=1),
    Operation(kind=Kind.UPSERT, fresh=_AGAIN),
)
_WAITS = "SELECT cardinality(pg_blocking_pids(%s)) > 0"


def wait_for_each_other(case: Case, dsn: str) -> None:
    """Try all pairs of statements while both forms are there; raises LawBrokenError."""
    with ExitStack() as stack:
        moves = stack.enter_context(moving(case, dsn, "1s"))
        one, other, looker = (stack.enter_context(closing(psycopg2.connect(dsn))) for _ in range(3))
        moves.expand()
        while not moves.complete:
            moves.batch(4)
        old = case.begun or case.old
        for forms in ((old, case.new), (case.new, old), (case.new, case.new), (old, old)):
            for pair in _pairs(*forms):
                _meet(case, moves, (one, other, looker), forms, pair)


def _pairs(one: Form, other: Form) -> Iterator[tuple[Operation, Operation]]:
    for first in FIRST:
        for second in SECOND:
            if can(one, first.kind) and _looks_again(other, second.kind):
                yield first, second


def _looks_again(form: Form, kind: Kind) -> bool:
    """PostgreSQL looks again at the row that was waited for, not at what a subquery found."""
    return can(form, kind) and not any("EXISTS" in text for text in getattr(form, kind.value))


def _meet(
    case: Case,
    moves: Moves,
    connections: "tuple[psycopg2.extensions.connection, ...]",
    forms: tuple[Form, Form],
    pair: tuple[Operation, Operation],
) -> None:
    one, other, looker = connections
    with looker, looker.cursor() as cursor:
        perform(cursor, case.new, _BACK)
    with looker, looker.cursor() as cursor:
        perform(cursor, case.new, Operation(kind=Kind.INSERT, fresh=_ROWS))
    started = rows_after(Operation(kind=Kind.INSERT, fresh=_ROWS), {}, case.group)
    wrong: list[BaseException] = []
    with one.cursor() as cursor:
        perform(cursor, forms[0], pair[0])

    def second() -> None:
        try:
            with other, other.cursor() as cursor:
                perform(cursor, forms[1], pair[1])
        except psycopg2.Error as error:
            wrong.append(error)

    thread = threading.Thread(target=second)
    thread.start()
    _until_it_waits(thread, looker, other.info.backend_pid)
    # A statement about a group asks for its rows first, and waits for one of them afterwards.
    waited = thread.is_alive() and case.group == 1
    try:
        one.commit()
    except psycopg2.errors.SerializationFailure as error:
        one.rollback()
        done = []
        refused: list[BaseException] = [error]
    else:
        done, refused = [pair[0]], []
    thread.join()
    refused += wrong
    done += [] if wrong else [pair[1]]
    which = ["old" if form is not case.new else "new" for form in forms]
    what = f"{case}: {which[0]}: {pair[0]}, {which[1]}: {pair[1]}"
    for told in refused:
        if not (case.retries and isinstance(told, psycopg2.errors.SerializationFailure)):
            raise LawBrokenError(f"{what}: {told!r}")
    with looker, looker.cursor() as cursor:
        compare_forms(cursor, case, moves)
        found = read(cursor, case.new)
    _compare(
        what,
        found,
        [_done(case, started, done), _done(case, started, done if waited else done[::-1])],
    )


def _done(case: Case, rows: Rows, operations: list[Operation]) -> Rows:
    for operation in operations:
        rows = rows_after(operation, rows, case.group)
    return rows


def _compare(what: str, found: Rows, possible: list[Rows]) -> None:
    """Both orders are right where the second did not wait."""
    if found not in possible:
        compare(what, found, possible[0])


def _until_it_waits(
    thread: threading.Thread, looker: "psycopg2.extensions.connection", backend: int
) -> None:
    while thread.is_alive():
        with looker, looker.cursor() as cursor:
            cursor.execute(_WAITS, (backend,))
            ((waits,),) = cursor.fetchall()
        if waits:
            return
        time.sleep(0.0005)
