"""Many servers of both forms at once, on hot rows, while the runner does all that it can do."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field

import psycopg2
import psycopg2.errors
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ as REPEATABLE_READ

from tests.postgres.laws.case import Case, Form, LawBrokenError, Row, Rows
from tests.postgres.laws.looking import compare, compare_forms, read
from tests.postgres.laws.moves import NOT_NOW, Moves, moving
from tests.postgres.laws.operations import Kind, Operation, perform
from tests.postgres.laws.writers import FILLER, HOT, SUMMED, Tally, Writer

# Well below deadlock_timeout: where the runner and a server wait for each other, the runner yields.
LOCK_TIMEOUT = "150ms"
TRIES = 60
BATCH = 20


@dataclass(slots=True)
class Stress:
    """One run; `beat` is how long, in seconds, each stretch of it lasts."""

    case: Case
    dsn: str
    beat: float
    crowd: int = 3
    tally: Tally = field(default_factory=Tally)
    at_work: list[Writer] = field(default_factory=list)
    kills: int = 0

    def run(self) -> Tally:
        """Walk the change's whole life, some of it twice; raises LawBrokenError."""
        with moving(self.case, self.dsn, LOCK_TIMEOUT) as moves:
            try:
                self._life(moves)
            finally:
                self._rest()
            self._judge(moves)
        return self.tally

    def _life(self, moves: Moves) -> None:
        case = self.case
        self._fill()
        self._send(case.old, 0)
        # The first time all is taken back.
        self._move(moves.expand)
        if moves.ready:
            self._send(case.new, self.crowd)
        if case.phases.migrate is not None:
            for _ in range(3):
                self._move(lambda: moves.batch(BATCH))
        self._look(moves)
        self._rest(lambda writer: writer.form is case.new)
        if moves.begun:
            self._move(moves.undo_migrate)
        self._move(moves.undo_expand)
        self._look(moves)
        # The second time it goes to its end, with accidents.
        self._move(moves.expand)
        if moves.ready:
            self._send(case.new, self.crowd)
        while not moves.complete:
            self._batch_or_kill(moves)
        if not any(writer.form is case.new for writer in self.at_work):
            self._send(case.new, self.crowd)
        for _ in range(4):
            time.sleep(self.beat / 4)
            self._look(moves)
        self._rest(lambda writer: writer.form is case.old)
        if case.phases.contract is not None:
            self._move(moves.contract)
            self._rest()
            self._send(case.final, self.crowd)
            time.sleep(self.beat / 4)

    def _fill(self) -> None:
        fresh = tuple((key, Row(n=0, m=0, text=None)) for key in SUMMED)
        with closing(psycopg2.connect(self.dsn)) as connection, connection:
            perform(connection.cursor(), self.case.old, Operation(kind=Kind.INSERT, fresh=fresh))

    # Servers come and go -------------------------------------------------------------------------

    def _send(self, form: Form, first: int) -> None:
        for number in range(first, first + self.crowd):
            writer = Writer(self.case, form, self.dsn, number, self.tally.own)
            self.at_work.append(writer)
            writer.start()
        time.sleep(self.beat / 8)

    def _rest(self, which: Callable[[Writer], bool] = lambda _: True) -> None:
        """Let writers end their transaction and go, and take over what they counted."""
        going = [writer for writer in self.at_work if which(writer)]
        for writer in going:
            writer.over.set()
        for writer in going:
            writer.join()
            self.at_work.remove(writer)
            self.tally.added += writer.tally.added
            self.tally.committed += writer.tally.committed
            self.tally.retried += writer.tally.retried
            self.tally.wrong += writer.tally.wrong
            for key in writer.keys:
                self.tally.own.pop(key, None)
            self.tally.own.update(writer.tally.own)

    # The runner ----------------------------------------------------------------------------------

    def _move(self, move: Callable[[], None]) -> None:
        """A move, tried again as the real runner does when a lock was not to be had."""
        refusal: psycopg2.Error | None = None
        for _ in range(TRIES):
            self._check()
            try:
                move()
            except NOT_NOW as error:
                refusal = error
                time.sleep(0.02)
            else:
                return
        raise LawBrokenError(f"{self.case}: the runner never got its locks: {refusal}")

    def _batch_or_kill(self, moves: Moves) -> None:
        """A batch; each third one is killed from outside, at an instant of its own."""
        choose = random.Random(self.kills)  # noqa: S311
        self.kills += 1
        if self.kills % 3:
            self._move(lambda: moves.batch(BATCH))
            self._look(moves)
            return
        with closing(psycopg2.connect(self.dsn)) as connection:
            connection.autocommit = True
            end = "SELECT pg_terminate_backend(%s)"
            delay, backend = choose.random() * 0.004, moves.backend
            killer = threading.Timer(delay, lambda: connection.cursor().execute(end, (backend,)))
            killer.start()
            with suppress(psycopg2.OperationalError):
                moves.batch(BATCH)
            killer.join()
        moves.kill()

    # The laws ------------------------------------------------------------------------------------

    def _check(self) -> None:
        wrong = [sentence for writer in self.at_work for sentence in writer.tally.wrong]
        if wrong:
            raise LawBrokenError(f"{self.case}: {wrong}")

    def _look(self, moves: Moves) -> None:
        """Both forms in one snapshot, beside the writers."""
        self._check()
        with closing(psycopg2.connect(self.dsn)) as connection, connection:
            connection.set_session(isolation_level=REPEATABLE_READ, readonly=True)
            compare_forms(connection.cursor(), self.case, moves)

    def _judge(self, moves: Moves) -> None:
        """What everybody committed is there, once; what was deleted is not."""
        if self.tally.wrong:
            raise LawBrokenError(f"{self.case}: {self.tally.wrong}")
        self._look(moves)
        form = self.case.final if moves.contracted else self.case.old
        with closing(psycopg2.connect(self.dsn)) as connection, connection:
            rows = read(connection.cursor(), form)
        self._compare_sums(rows)
        own = {key: row for key, row in rows.items() if key >= FILLER.stop}
        compare(f"{self.case}, rows that only one server writes", own, self.tally.own)

    def _compare_sums(self, rows: Rows) -> None:
        added = self.tally.added
        for key in SUMMED:
            found = (rows[key].n, rows[key].m) if key in rows else None
            expected = (added[key, "n"], added[key, "m"])
            if found != expected:
                what = "hot" if key in HOT else "filler"
                raise LawBrokenError(
                    f"{self.case}: {what} row {key} holds {found}, and {expected} was committed"
                )
