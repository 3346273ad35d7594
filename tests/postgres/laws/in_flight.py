"""One transaction that is open while the runner goes on, from any stage, as far as it can."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from enum import Enum

import psycopg2
import psycopg2.errors
import psycopg2.extensions
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED as READ_COMMITTED
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ as REPEATABLE_READ

from tests.postgres.laws.case import Case, Form, LawBrokenError, Row, Rows
from tests.postgres.laws.looking import compare, compare_forms, read
from tests.postgres.laws.moves import NOT_NOW, Moves, moving
from tests.postgres.laws.operations import Kind, Operation, can, perform, rows_after

LOCK_TIMEOUT = "5ms"
_ROWS = ((1, Row(n=1, m=1, text="a")), (2, Row(n=1, m=1, text="b")), (4, Row(n=1, m=1, text="c")))
_FRESH = ((0, Row(n=5, m=5, text="new")),)
OPERATIONS = (
    Operation(kind=Kind.ADD, low=1, high=1, by=100),
    Operation(kind=Kind.ADD_REST, low=2, high=4, by=5),
    Operation(kind=Kind.DELETE, low=1, high=1),
    Operation(kind=Kind.REPEAT, fresh=_FRESH),
    Operation(kind=Kind.JOIN, fresh=_FRESH),
)


class Stage(Enum):
    """How far the runner is when the transaction begins."""

    EXPANDED = "expanded"
    BEGUN = "begun"
    COMPLETE = "complete"


class How(Enum):
    """What of the transaction comes before the runner goes on."""

    SNAPSHOT = "its snapshot"
    WRITTEN = "its statement"
    HASTENED = "its statement, whose deferred triggers do not wait"
    PREPARED = "its statement, and PREPARE TRANSACTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One such transaction; `new` says which form it uses."""

    stage: Stage
    how: How
    new: bool
    operation: Operation


def flights(case: Case) -> Iterator[Flight]:
    """All that a case can have."""
    hows = {How.WRITTEN}
    if case.isolated:
        hows |= {How.SNAPSHOT}
    if case.deferred:
        hows |= {How.HASTENED, How.PREPARED}
    for stage in Stage:
        ready = stage is Stage.COMPLETE or case.phases.ready_at_expand
        if case.phases.migrate is None and stage is not Stage.COMPLETE:
            continue
        for new in [True] if stage is Stage.COMPLETE else [False, True][: 1 + ready]:
            for how in How:
                if how is How.SNAPSHOT and new and not case.outlives:
                    continue
                for operation in OPERATIONS:
                    if how in hows and can(_form(case, stage, new=new), operation.kind):
                        yield Flight(stage=stage, how=how, new=new, operation=operation)


def fly(case: Case, dsn: str, flight: Flight) -> None:
    """Let the runner go on beside the transaction, end both; raises LawBrokenError."""
    try:
        with ExitStack() as stack:
            moves = stack.enter_context(moving(case, dsn, LOCK_TIMEOUT))
            server = stack.enter_context(closing(psycopg2.connect(dsn)))
            _fly(case, flight, moves, server, dsn)
    except (LawBrokenError, psycopg2.Error) as error:
        raise LawBrokenError(f"{case}: {flight}: {error!r}") from error


def _fly(
    case: Case,
    flight: Flight,
    moves: Moves,
    server: "psycopg2.extensions.connection",
    dsn: str,
) -> None:
    with closing(psycopg2.connect(dsn)) as filler, filler:
        perform(filler.cursor(), case.old, Operation(kind=Kind.INSERT, fresh=_ROWS))
    rows = rows_after(Operation(kind=Kind.INSERT, fresh=_ROWS), {}, case.group)
    _reach(moves, flight.stage)
    taken = _Transaction(case, flight, server)
    try:
        taken.begin()
        last = _go(moves, contract=flight.new)
        if taken.end(moves, dsn):
            rows = rows_after(flight.operation, rows, case.group)
    finally:
        taken.forget(dsn)
    while last is not None:
        last = _go(moves, contract=flight.new)
        if last is not None:
            raise LawBrokenError(f"the runner cannot go on: {last}")
    _look(case, moves, rows, dsn)
    if not moves.contracted:
        moves.undo_migrate()
        _look(case, moves, rows, dsn)
        _go(moves, contract=True)
        _look(case, moves, rows, dsn)


class _Transaction:
    def __init__(
        self, case: Case, flight: Flight, server: "psycopg2.extensions.connection"
    ) -> None:
        self._case, self._flight, self._server = case, flight, server

    def begin(self) -> None:
        how, server = self._flight.how, self._server
        isolated = how is How.SNAPSHOT
        server.set_isolation_level(REPEATABLE_READ if isolated else READ_COMMITTED)
        cursor = server.cursor()
        if isolated:
            cursor.execute("SELECT FROM public.owner LIMIT 1")
            return
        if how is How.HASTENED:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        form = _form(self._case, self._flight.stage, new=self._flight.new)
        perform(cursor, form, self._flight.operation)
        if how is How.PREPARED:
            cursor.execute("PREPARE TRANSACTION 'laws'")
            server.rollback()

    def end(self, moves: Moves, dsn: str) -> bool:
        """Whether it was committed; it may be told to try again."""
        try:
            if self._flight.how is How.PREPARED:
                _execute(dsn, "COMMIT PREPARED 'laws'")
            elif self._flight.how is How.SNAPSHOT:
                form = self._case.final if moves.contracted else None
                old = _form(self._case, self._flight.stage, new=self._flight.new)
                perform(self._server.cursor(), form or old, self._flight.operation)
            self._server.commit()
        except psycopg2.errors.SerializationFailure:
            self._server.rollback()
            if self._flight.how is How.SNAPSHOT or self._case.retries:
                return False
            raise
        return True

    def forget(self, dsn: str) -> None:
        if self._flight.how is How.PREPARED:
            with suppress(psycopg2.errors.UndefinedObject):
                _execute(dsn, "ROLLBACK PREPARED 'laws'")


def _execute(dsn: str, text: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        connection.cursor().execute(text)


def _form(case: Case, stage: Stage, *, new: bool) -> Form:
    if new:
        return case.new
    return (case.begun if stage is not Stage.EXPANDED else None) or case.old


def _reach(moves: Moves, stage: Stage) -> None:
    moves.expand()
    if stage is Stage.BEGUN:
        moves.batch(2)
    while stage is Stage.COMPLETE and not moves.complete:
        moves.batch(2)


def _go(moves: Moves, *, contract: bool) -> psycopg2.Error | None:
    """Go to the end of the migration, or past the contract, or to what stops the runner."""
    try:
        while not moves.complete:
            moves.batch(2)
        if contract and not moves.contracted and moves.case.phases.contract is not None:
            moves.contract()
    except NOT_NOW as error:
        return error
    return None


def _look(case: Case, moves: Moves, rows: Rows, dsn: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection:
        cursor = connection.cursor()
        compare_forms(cursor, case, moves)
        form = case.final if moves.contracted else case.old
        compare("at the end", read(cursor, form), rows)
