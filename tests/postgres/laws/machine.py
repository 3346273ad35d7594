"""Generated histories: old and new servers in two sessions, and the runner's moves between them.

A session that meets another's lock is told so at once and rolls back, so nothing ever waits, and
a plain model knows what each transaction must see: what was committed, and its own changes.
"""

import contextlib
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace

import hypothesis.strategies as st
import psycopg2
import psycopg2.errors
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from psycopg2.extensions import (
    ISOLATION_LEVEL_READ_COMMITTED as READ_COMMITTED,
)
from psycopg2.extensions import (
    ISOLATION_LEVEL_REPEATABLE_READ as REPEATABLE_READ,
)
from psycopg2.extensions import (
    ISOLATION_LEVEL_SERIALIZABLE as SERIALIZABLE,
)

from tests.postgres.laws.case import Case, Form, LawBrokenError, Row, Rows
from tests.postgres.laws.looking import compare, compare_forms, read
from tests.postgres.laws.moves import NOT_NOW, moving
from tests.postgres.laws.operations import (
    Changes,
    ConflictError,
    Kind,
    Operation,
    Told,
    can,
    changed,
    effect,
    perform,
    spread,
    tell,
)

LOCK_TIMEOUT = "5ms"
OPTIONS = f"options='-c lock_timeout={LOCK_TIMEOUT} -c statement_timeout=20s'"
KEYS = st.sampled_from([0, 1, 2, 3, 10, 11])  # of two owners
NUMBERS = st.integers(0, 9)
TEXTS = st.sampled_from(["", "a", "b", "it's", None])
SESSIONS = st.sampled_from([0, 0, 0, 1])
FORMS = st.sampled_from(["old", "new"])
FRESH = st.lists(
    st.tuples(KEYS, st.builds(Row, n=NUMBERS, m=NUMBERS, text=TEXTS)),
    min_size=1, max_size=3, unique_by=lambda pair: pair[0],
).map(lambda pairs: tuple(sorted(pairs, key=lambda pair: pair[0])))  # fmt: skip
INSERTS = [Kind.INSERT, Kind.JOIN, Kind.REPEAT, Kind.UPSERT, Kind.COPY]
CHANGES = [Kind.ADD, Kind.ADD, Kind.ADD_REST, Kind.WRITE, Kind.CLEAR, Kind.CLEAR_LOW, Kind.DELETE]
WHOLE = [Kind.REKEY, Kind.CASCADE, Kind.TRUNCATE]
INSERTIONS = st.builds(Operation, kind=st.sampled_from(INSERTS), fresh=FRESH)
ALTERATIONS = st.builds(
    lambda kind, low, width, by, text: Operation(
        kind=kind, low=low, high=low + width, by=by, text=text
    ),
    st.sampled_from(CHANGES), KEYS, st.sampled_from([0, 0, 3]), NUMBERS, TEXTS,
)  # fmt: skip
SWEEPS = st.builds(Operation, kind=st.sampled_from(WHOLE), low=KEYS, to=KEYS)
SNAPSHOT = "SELECT FROM public.owner LIMIT 1"
COMMITS = st.sampled_from([1, 1, 1, 0])
# What an operation is where a form has none of its kind.
INSTEAD = {Kind.JOIN: Kind.INSERT, Kind.REPEAT: Kind.INSERT, Kind.CLEAR_LOW: Kind.CLEAR}


class Session:
    """One open session, and what its transaction must see."""

    def __init__(self, dsn: str, group: int) -> None:
        self.connection = psycopg2.connect(f"{dsn} {OPTIONS}")
        self.group = group
        self.isolation = READ_COMMITTED
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.snapshot: Rows | None = None
        self.own: Changes = {}
        self.told: Told = {}
        self.kept: tuple[Changes, Told] | None = None  # what a savepoint goes back to
        self.open = False
        self.ready = False  # whether the new form was there in the snapshot

    def sees(self, committed: Rows) -> Rows:
        """The rows as this transaction sees them."""
        rows = changed(committed if self.snapshot is None else self.snapshot, self.own)
        return spread(rows, self.told, self.group)

    def begin(self, committed: Rows, *, ready: bool) -> None:
        """Take the snapshot, where the isolation has one."""
        if not self.open:
            self.connection.set_isolation_level(self.isolation)
            self.open, self.ready = True, ready
            if self.isolation != READ_COMMITTED:
                self.snapshot = dict(committed)

    def rollback(self) -> None:
        """Lose the transaction."""
        self.connection.rollback()
        self.clear()


class Machine(RuleBasedStateMachine):
    """The histories of one case."""

    case: Case
    dsn: str

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.moves = self.stack.enter_context(moving(self.case, self.dsn, LOCK_TIMEOUT))
        self.sessions = [Session(self.dsn, self.case.group) for _ in range(2)]
        for session in self.sessions:
            self.stack.enter_context(closing(session.connection))
        self.reader = self.stack.enter_context(closing(psycopg2.connect(f"{self.dsn} {OPTIONS}")))
        self.reader.set_session(isolation_level=REPEATABLE_READ, readonly=True)
        self.committed: Rows = {}
        self.unsettled = True

    def teardown(self) -> None:
        self.stack.close()

    # Servers ------------------------------------------------------------------------------------

    @initialize(fresh=FRESH, moves=st.sampled_from([2, 1, 0, 2]))
    def begin_with_rows(self, fresh: tuple[tuple[int, Row], ...], moves: int) -> None:
        """Most histories begin where it gets interesting: both forms are there."""
        self._perform(self.sessions[0], "old", Operation(kind=Kind.INSERT, fresh=fresh))
        self._commit(self.sessions[0])
        if moves:
            self._move(self.moves.expand)
        if moves > 1:
            self.migrate()

    @rule(number=SESSIONS, form=FORMS, operation=INSERTIONS, commits=COMMITS)
    def insert(self, number: int, form: str, operation: Operation, commits: int) -> None:
        self._operate(number, form, operation, commits)

    @rule(number=SESSIONS, form=FORMS, operation=ALTERATIONS, commits=COMMITS)
    def alter(self, number: int, form: str, operation: Operation, commits: int) -> None:
        self._operate(number, form, operation, commits)

    @rule(number=SESSIONS, form=FORMS, operation=SWEEPS, commits=COMMITS)
    def sweep(self, number: int, form: str, operation: Operation, commits: int) -> None:
        self._operate(number, form, operation, commits)

    def _operate(self, number: int, form: str, operation: Operation, commits: int) -> None:
        session = self.sessions[number]
        if self._perform(session, form, operation) and commits:
            self._commit(session)

    @precondition(lambda self: any(session.open for session in self.sessions))
    @rule(number=SESSIONS)
    def commit(self, number: int) -> None:
        self._commit(self.sessions[number])

    @precondition(lambda self: any(session.open for session in self.sessions))
    @rule(number=SESSIONS)
    def roll_back(self, number: int) -> None:
        self.sessions[number].rollback()

    @rule(
        number=SESSIONS, isolation=st.sampled_from([READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE])
    )
    def isolate(self, number: int, isolation: int) -> None:
        if self.case.isolated and not self.sessions[number].open:
            self.sessions[number].isolation = isolation

    @rule(number=SESSIONS)
    def look_or_hasten(self, number: int) -> None:
        """Take a snapshot that may outlive what the runner does; or say what is told at commit."""
        session = self.sessions[number]
        hastens = self.case.deferred and not self.case.isolated
        if session.open or not (hastens or (self.case.isolated and self.case.outlives)):
            return
        session.isolation = REPEATABLE_READ if self.case.isolated else READ_COMMITTED
        session.begin(self.committed, ready=self.moves.ready)
        with session.connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE" if self.case.deferred else SNAPSHOT)

    @precondition(lambda self: any(session.open for session in self.sessions))
    @rule(number=SESSIONS)
    def savepoint(self, number: int) -> None:
        session = self.sessions[number]
        if session.open:
            session.connection.cursor().execute("SAVEPOINT kept")
            session.kept = dict(session.own), dict(session.told)

    @precondition(lambda self: any(session.kept is not None for session in self.sessions))
    @rule(number=SESSIONS)
    def roll_back_to_savepoint(self, number: int) -> None:
        session = self.sessions[number]
        if session.kept is not None:
            session.connection.cursor().execute("ROLLBACK TO SAVEPOINT kept")
            own, told = session.kept
            session.own, session.told = dict(own), dict(told)

    # The runner ---------------------------------------------------------------------------------

    @precondition(lambda self: not self.moves.expanded)
    @rule()
    def expand(self) -> None:
        self._move(self.moves.expand)

    @precondition(lambda self: self.moves.expanded and not self.moves.complete)
    @rule(size=st.integers(1, 6), how=st.sampled_from(["", "", "", "lose", "kill"]))
    def batch(self, size: int, how: str) -> None:
        self._move(lambda: self.moves.batch(size, lose=bool(how)))
        if how == "kill":
            self.moves.kill()

    @precondition(lambda self: self.moves.expanded and not self.moves.complete)
    @rule()
    def migrate(self) -> None:
        """The rest of the migration, so that many histories get to its end."""
        moved = True
        while moved and not self.moves.complete:
            moved = self._move(lambda: self.moves.batch(4))

    @precondition(lambda self: self.moves.begun and not self.moves.contracted)
    @rule(really=st.sampled_from([True, False, False]))
    def undo_migrate(self, really: bool) -> None:
        # Above one row a group, what is in flight is told to nobody any more.
        still = self.case.group == 1 or not any(session.open for session in self.sessions)
        if really and still and self._move(self.moves.undo_migrate):
            self._leave()

    @precondition(
        lambda self: self.moves.expanded and not self.moves.begun and not self.moves.contracted
    )
    @rule(really=st.sampled_from([True, False, False]))
    def undo_expand(self, really: bool) -> None:
        if really:
            self._move(self.moves.undo_expand)
            self._leave()

    def _leave(self) -> None:
        """No server of the new form is here when it goes."""
        for session in self.sessions:
            session.ready = False

    @precondition(lambda self: self.moves.complete and not self.moves.contracted)
    @rule(really=st.sampled_from([True, False, False]))
    def contract(self, really: bool) -> None:
        if really and self.case.phases.contract is not None:
            self._move(self.moves.contract)

    # The laws -----------------------------------------------------------------------------------

    @invariant()
    def both_forms_are_the_model(self) -> None:
        """In a snapshot of what is committed, and in every open transaction."""
        # An open transaction that has truncated a table keeps readers out until its end.
        with contextlib.suppress(psycopg2.errors.LockNotAvailable):
            if self.unsettled:
                with self.reader, self.reader.cursor() as cursor:
                    compare_forms(cursor, self.case, self.moves)
                    for name, form in self._forms().items():
                        compare(f"{self.case}, {name} form", read(cursor, form), self.committed)
                self.unsettled = False
        for session in self.sessions:
            looks = session.own or session.snapshot is not None
            if session.open and looks and not self.case.deferred:
                self._look(session)

    def _look(self, session: Session) -> None:
        expected = session.sees(self.committed)
        try:
            for name, form in self._forms_of(session).items():
                with session.connection.cursor() as cursor:
                    found = read(cursor, form)
                compare(f"{self.case}, {name} form inside a transaction", found, expected)
        except psycopg2.errors.Error as error:
            # A relation that was made after a snapshot, a predicate lock's conflict, a TRUNCATE.
            locked = isinstance(error, psycopg2.errors.LockNotAvailable)
            if session.isolation == READ_COMMITTED and not locked:
                raise LawBrokenError(f"{self.case}: {error}") from error
            session.rollback()

    def _forms(self) -> dict[str, Form]:
        if self.moves.contracted:
            return {"final": self.case.final}
        old = (self.case.begun if self.moves.begun else None) or self.case.old
        return {"old": old, **({"new": self.case.new} if self.moves.ready else {})}

    def _forms_of(self, session: Session) -> dict[str, Form]:
        """The forms of servers that may have this transaction open: one may be too old by now."""
        ready = session.ready or session.snapshot is None
        return {name: form for name, form in self._forms().items() if ready or name == "old"}

    # How ----------------------------------------------------------------------------------------

    def _perform(self, session: Session, name: str, operation: Operation) -> bool:
        """Whether the operation was done; nothing happens where no such server may be there."""
        forms = self._forms_of(session) if session.open else self._forms()
        form = forms.get("final") or forms.get(name)
        if form is not None and not can(form, operation.kind):
            operation = replace(operation, kind=INSTEAD.get(operation.kind, operation.kind))
        if form is None or not can(form, operation.kind) or not self._alone(session):
            return False
        # An older snapshot finds a truncated table empty: that is PostgreSQL, not the change.
        if operation.kind is Kind.TRUNCATE and any(each.open for each in self.sessions):
            return False
        session.begin(self.committed, ready=self.moves.ready)
        before = session.sees(self.committed)
        try:
            changes: Changes | None = effect(operation, before, self.case.group)
        except ConflictError:
            changes = None
        try:
            with session.connection.cursor() as cursor:
                perform(cursor, form, operation)
        except psycopg2.Error as error:
            self._judge(session, name, operation, error, conflict=changes is None)
            session.rollback()
            return False
        if changes is None:
            raise LawBrokenError(f"{self.case}, {name}: {operation} took a key that is taken")
        session.told.update(tell(operation, changes, before, self.case.group))
        session.own.update(changes)
        return True

    def _alone(self, session: Session) -> bool:
        """Whether rows that share something are written as the model has it.

        What is told at the commit is not seen before; and before the migration begins nobody
        keeps two old servers that write one group from telling its rows different things.
        """
        if self.case.group == 1:
            return True
        others = any(each.open for each in self.sessions if each is not session)
        return not session.own and (self.moves.begun or not others)

    def _judge(
        self,
        session: Session,
        name: str,
        operation: Operation,
        error: psycopg2.Error,
        *,
        conflict: bool,
    ) -> None:
        """Raise where a server was told what it would not be told without the change."""
        isolated = session.isolation != READ_COMMITTED
        match error:
            case psycopg2.errors.LockNotAvailable():
                others = [each for each in self.sessions if each is not session and each.open]
                fair = bool(others)
            case psycopg2.errors.SerializationFailure():
                fair = isolated or self.case.retries
            case psycopg2.errors.FeatureNotSupported():
                fair = isolated and operation.kind is Kind.TRUNCATE
            case psycopg2.errors.IntegrityError():
                fair = conflict or isolated
            case _:
                fair = isolated and not self.moves.expanded  # the snapshot is older than a table
        if not fair:
            raise LawBrokenError(f"{self.case}, {name} form: {operation}: {error!r}") from error

    def _commit(self, session: Session) -> None:
        if not session.open:
            return
        try:
            session.connection.commit()
        except psycopg2.errors.SerializationFailure:
            session.rollback()
            return
        rows = changed(self.committed, session.own)
        self.committed = spread(rows, session.told, self.case.group)
        session.clear()
        self.unsettled = True

    def _move(self, move: Callable[[], None]) -> bool:
        """Whether the runner could move; a lock that a session holds makes it try again later."""
        self.unsettled = True
        try:
            move()
        except NOT_NOW as error:
            if not any(session.open for session in self.sessions):
                raise LawBrokenError(f"{self.case}: {error}") from error
            return False
        return True


def machine(case: Case, dsn: str) -> type[Machine]:
    """The machine of one case on one database."""
    return type("Histories", (Machine,), {"case": case, "dsn": dsn})
