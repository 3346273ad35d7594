"""Servers at work: one thread each, which knows exactly what it has committed.

A writer has rows of its own, where it does everything; shared hot rows, whose sums tell of lost
updates; and shared churning rows, which come and go. Rows are locked in key order wherever others
want them too, so that nothing deadlocks in the old form alone.
"""

import random
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

import psycopg2
import psycopg2.errors
import psycopg2.extensions
from psycopg2.extensions import (
    ISOLATION_LEVEL_READ_COMMITTED as READ_COMMITTED,
)
from psycopg2.extensions import (
    ISOLATION_LEVEL_REPEATABLE_READ as REPEATABLE_READ,
)
from psycopg2.extensions import (
    ISOLATION_LEVEL_SERIALIZABLE as SERIALIZABLE,
)

from tests.postgres.laws.case import Case, Form, Row, Rows
from tests.postgres.laws.operations import Kind, Operation, can, changed, effect, perform

HOT = range(5)  # of owner 0; nobody deletes them
CHURN = range(10, 14)  # of owner 1
FILLER = range(100, 260)  # what the backfill has to walk; nobody deletes them
SUMMED = (*HOT, *FILLER)
FIRST_OWNER = 27
TRIES = 200
HELD = 0.02  # seconds at most
# In key order, as a server whose rows are many would find them: without it a sequential scan locks
# rows in the order of the heap, and two such statements deadlock by themselves.
_OPTIONS = (
    "-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off"
    " -c jit=off -c statement_timeout=20s"
)


@dataclass(slots=True)
class Tally:
    """What all writers of a run did, and all that went wrong."""

    added: Counter[tuple[int, str]] = field(default_factory=Counter)
    own: Rows = field(default_factory=dict)
    committed: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    wrong: list[str] = field(default_factory=list)


class Writer(threading.Thread):
    """A server that uses one form, until it is told to stop."""

    def __init__(self, case: Case, form: Form, dsn: str, number: int, own: Rows) -> None:
        super().__init__(name=f"writer {number}")
        self.case, self.form, self._dsn = case, form, dsn
        self.random = random.Random(number)  # noqa: S311
        self.keys = range((FIRST_OWNER + number) * 10, (FIRST_OWNER + number) * 10 + 10)
        self.own = {key: row for key, row in own.items() if key in self.keys}
        self.tally, self.over = Tally(), threading.Event()

    def run(self) -> None:
        try:
            with closing(psycopg2.connect(self._dsn, options=_OPTIONS)) as connection:
                while not self.over.is_set() and not self.tally.wrong:
                    self._transaction(connection)
        except Exception as error:  # noqa: BLE001  (a thread's failure is the run's)
            self.tally.wrong.append(f"{self.name}: {error!r}")
        self.tally.own = self.own

    def _transaction(self, connection: "psycopg2.extensions.connection") -> None:
        """Choose what to do, do it until it is done or not to be done, and count it."""
        choose = self.random
        isolation = choose.choice((READ_COMMITTED,) * 4 + (REPEATABLE_READ, SERIALIZABLE))
        if not self.case.isolated:
            isolation = READ_COMMITTED
        may = [self._private, self._hot, self._hot, self._churn]
        # Servers of the new form would keep the runner from the locks of a contract.
        chosen = choose.choice([*may, self._held] if self._holds() else may)
        work, loose = chosen()
        gives_up, pauses = choose.random() < 0.15, choose.random() < 0.1
        rest = choose.random() * HELD if chosen == self._held else 0.0
        for _ in range(TRIES):
            try:
                connection.set_isolation_level(isolation)
                with connection.cursor() as cursor:
                    own = dict(self.own)
                    for operation in work:
                        changes = effect(operation, own)
                        perform(cursor, self.form, operation)
                        if not loose:
                            own = changed(own, changes)
                        if pauses:
                            time.sleep(0.002)
                time.sleep(rest)
                if gives_up:
                    connection.rollback()
                    return
                connection.commit()
            except psycopg2.errors.SerializationFailure as error:
                connection.rollback()
                if isolation == READ_COMMITTED and not self.case.retries:
                    self.tally.wrong.append(f"{self.name}: {work}: {error}")
                    return
                self.tally.retried += 1
                time.sleep(self.random.random() * 0.003)
            except psycopg2.IntegrityError as error:
                connection.rollback()
                if not loose:
                    self.tally.wrong.append(f"{self.name}: {work}: {error}")
                return
            except psycopg2.Error as error:
                self.tally.wrong.append(f"{self.name}: {work}: {error!r}")
                return
            else:
                self.own = own
                self._count(work)
                return
        if not self.over.is_set():
            self.tally.wrong.append(f"{self.name}: {work} was refused {TRIES} times")

    def _count(self, work: list[Operation]) -> None:
        for operation in work:
            self.tally.committed[operation.kind.value] += 1
            if operation.kind in {Kind.ADD, Kind.ADD_REST}:
                what = "n" if operation.kind is Kind.ADD else "m"
                for key in range(operation.low, operation.high + 1):
                    self.tally.added[key, what] += operation.by

    # What to do: operations, and whether another may be faster with the same rows ----------------

    def _hot(self) -> tuple[list[Operation], bool]:
        """Counters that everybody counts, one or several, in key order."""
        choose = self.random
        if choose.random() < 0.15:
            low = choose.choice(FILLER[:-4])
            return [self._add(low, low + choose.randrange(4))], True
        pool = HOT if choose.random() < 0.7 else FILLER
        keys = sorted(choose.sample(pool, choose.choice((1, 1, 2, 3))))
        return [self._add(key, key) for key in keys], True

    def _add(self, low: int, high: int) -> Operation:
        kind = self.random.choice((Kind.ADD, Kind.ADD, Kind.ADD_REST, Kind.WRITE))
        return Operation(kind=kind, low=low, high=high, by=self.random.randrange(1, 4), text="hot")

    def _holds(self) -> bool:
        return self.form is self.case.old and self.case.phases.migrate is not None

    def _held(self) -> tuple[list[Operation], bool]:
        """Rows that are held for a while, though nothing moves that is written to them."""
        low = self.random.choice(FILLER[:-4])
        return [Operation(kind=Kind.ADD_REST, low=low, high=low + 4, by=1)], True

    def _churn(self) -> tuple[list[Operation], bool]:
        """One of the rows that everybody makes, changes and deletes."""
        choose = self.random
        key = choose.choice(CHURN)
        kinds = (Kind.INSERT, Kind.UPSERT, Kind.ADD, Kind.WRITE, Kind.CLEAR, Kind.DELETE, Kind.COPY)
        kind = choose.choice([kind for kind in kinds if can(self.form, kind)])
        return [self._one(kind, key)], True

    def _private(self) -> tuple[list[Operation], bool]:
        """Anything with rows of its own, some of it in one statement, in any order."""
        choose = self.random
        work: list[Operation] = []
        rows = dict(self.own)
        for _ in range(choose.choice((1, 1, 2, 4))):
            if operation := self._private_one(rows):
                work.append(operation)
                rows = changed(rows, effect(operation, rows))
        return work, False

    def _private_one(self, rows: Rows) -> Operation | None:
        choose = self.random
        absent = [key for key in self.keys if key not in rows]
        kind = choose.choice([kind for kind in Kind if can(self.form, kind)])
        match kind:
            case Kind.INSERT | Kind.COPY:
                keys = choose.sample(absent, min(len(absent), choose.choice((1, 3))))
                fresh = tuple((key, self._row()) for key in keys)
                return Operation(kind=kind, fresh=fresh) if fresh else None
            case Kind.UPSERT:
                return self._one(kind, choose.choice(self.keys))
            case Kind.REKEY:
                if not rows or not absent:
                    return None
                return Operation(
                    kind=kind, low=choose.choice(sorted(rows)), to=choose.choice(absent)
                )
            case Kind.CASCADE:
                rare = choose.random() < 0.2
                return Operation(kind=kind, low=self.keys[0], high=self.keys[0]) if rare else None
            case Kind.TRUNCATE:
                return None  # it would take everybody's rows, and everybody's lock
            case _:
                low = choose.choice(self.keys)
                high = min(low + choose.choice((0, 0, 3)), self.keys[-1])
                return Operation(
                    kind=kind, low=low, high=high, by=1, text=choose.choice(("a", None))
                )

    def _one(self, kind: Kind, key: int) -> Operation:
        if kind in {Kind.INSERT, Kind.UPSERT, Kind.COPY}:
            return Operation(kind=kind, fresh=((key, self._row()),))
        return Operation(kind=kind, low=key, high=key, by=1, text="churn")

    def _row(self) -> Row:
        choose = self.random
        return Row(
            n=choose.randrange(9), m=choose.randrange(9), text=choose.choice(("x", "y", None))
        )
