"""Trying again while others are in the way: short tries, growing rests, a limit, a name."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg2

from ..core import sqlstate
from ..core.duration import spell_duration
from ..core.errors import ShardError
from ..core.session import Session
from .activity import Activity
from .beside import beside
from .run import Run
from .watch import Watch

Result = TypeVar("Result")

_LONGEST_REST = 5.0
# Seconds for which a statement that has ended waits for the look at it.
_LAST_LOOK = 1.0


def patiently(session: Session, run: Run, what: str, attempt: Callable[[], Result]) -> Result:
    """Call `attempt`, one transaction, until it passes or patience ends.

    A lock not had in time, a deadlock and a lack of disk or memory pass; other errors don't.
    After a lock that was not had, at least another lock_timeout goes by, in which the
    application's queue drains.
    """
    first = 0.0
    tries = 0
    while True:
        run.stop.check()
        watch = Watch(session, run, what)
        try:
            with beside(watch.look, patience=_LAST_LOOK):
                return attempt()
        except psycopg2.Error as error:
            if sqlstate.cancelled(error):
                run.stop.check()
            if not (sqlstate.contention(error) or sqlstate.scarcity(error)):
                raise
            now = time.monotonic()
            first = first or now
            tries += 1
            patience = (
                run.settings.lock_patience
                if sqlstate.contention(error)
                else run.settings.reconnect_patience
            )
            reason = watch.blockers or sqlstate.sentence(error)
            if now - first >= patience:
                raise ShardError(
                    f"{what} gave up after {tries} tries in {spell_duration(now - first)}:"
                    f" {reason}",
                    "end what stands in the way and run it again",
                ) from error
            rest = min(0.05 * 2**tries, _LONGEST_REST)
            if sqlstate.code(error) == sqlstate.LOCK_NOT_AVAILABLE:
                rest = max(rest, run.settings.lock_timeout)
            run.teller.show(Activity(f"{what}: {reason}; tries again"))
            if tries in {1, 5} or tries % 25 == 0:
                run.teller.say(f"{what} has to wait: {reason}")
            run.stop.wait(rest)
