"""Attending one shard: connect, lock, work, and begin again after PostgreSQL went away."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg2

from ..core import sqlstate
from ..core.config import Shard
from ..core.errors import ShardError
from ..core.session import ConnectionLost, Session, Unreachable, open_session, require_writable
from ..ledger.lock import end_own_session, releasing, take_lock
from ..phases.activity import Activity
from ..phases.run import Run

Result = TypeVar("Result")

_MOST_LOSSES = 5
_LONGEST_REST = 5.0


def read_shard(shard: Shard, run: Run, work: Callable[[Session], Result]) -> Result:
    """Call `work` with a session that only reads; raises RunnerError with one sentence."""
    with run.stop.watching(open_session(shard, run.application, run.connect)) as session:
        try:
            return work(session)
        except psycopg2.Error as error:
            raise ShardError(f"PostgreSQL refused: {sqlstate.sentence(error)}") from error


def attend(shard: Shard, run: Run, wait: float, work: Callable[[Session], Result]) -> Result:
    """Call `work` with a session that holds the product's lock, again after each lost connection.

    `work` reads the ledger first, so that it goes on where the last one was. Patience counts from
    the moment when PostgreSQL went away; five losses in a row without anything committed in
    between mean that the work itself brings PostgreSQL down. Raises RunnerError.
    """
    losses = 0
    seen = run.advances
    former: tuple[int, object] | None = None
    while True:
        session = _connect(shard, run, patient=former is not None)
        try:
            with run.stop.watching(session):
                require_writable(session)
                if former is not None:
                    end_own_session(session, run.product, *former)
                patience = run.settings.reconnect_patience if former is not None else 0.0
                take_lock(session, run.product, max(wait, patience), run.stop, run.teller.say)
                former = (session.pid, session.started)
                with releasing(session, run.product):
                    return work(session)
        except ConnectionLost as error:
            run.stop.check()
            losses = losses + 1 if run.advances == seen else 1
            seen = run.advances
            if losses >= _MOST_LOSSES:
                raise ShardError(
                    f"{error.message}, {losses} times in a row",
                    "see PostgreSQL's log, then run it again",
                ) from error
            run.teller.say(f"{error.message}; connects again")
        except psycopg2.Error as error:
            if sqlstate.cancelled(error):
                run.stop.check()
            raise ShardError(f"PostgreSQL refused: {sqlstate.sentence(error)}") from error


def _connect(shard: Shard, run: Run, *, patient: bool) -> Session:
    """Connect; with `patient`, or where the server says 'not yet', try for a while."""
    began = time.monotonic()
    tries = 0
    while True:
        run.stop.check()
        try:
            session = open_session(shard, run.application, run.connect)
            if patient and session.standby:
                session.close()
                # A failover goes through this state; the promotion may be a moment away.
                raise Unreachable("it is in recovery", passing=True)
            return session
        except (Unreachable, ConnectionLost) as error:
            waited = time.monotonic() - began
            passing = patient or isinstance(error, ConnectionLost) or error.passing
            if not passing or waited >= run.settings.reconnect_patience:
                raise
            if tries == 0:
                run.teller.say(f"{error.message}; tries again")
            run.teller.show(Activity(f"{error.message}; tries again"))
            tries += 1
            run.stop.wait(min(0.2 * 2**tries, _LONGEST_REST))
