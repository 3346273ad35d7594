"""The ends of a migrate step: `begin` before its first batch, `finish` after its last, once each.

Each is in the transaction that records it, so it has run if and only if the record says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg2

from ..core.session import Session
from ..ledger.manifest import Batch, Step
from ..ledger.records import begin_step, finish_step
from .release_sql import failure, send
from .retry import patiently
from .run import Run


def begin(session: Session, run: Run, step: Step, batch: Batch) -> tuple[None, int]:
    """Record that the step runs, and run its `begin`; where its walk begins."""

    def attempt() -> None:
        with session.transaction():
            begin_step(session, run.author, run.manifest, step)
            _send_once(session, run, step, f"the begin of {step}", batch.begin)

    _patiently_once(session, run, step, "begin", batch.begin, attempt)
    if batch.begin:
        session.settle()
    return None, 0


def finish(
    session: Session,
    run: Run,
    step: Step,
    batch: Batch,
    sweep: Callable[[], None],
    complete: Callable[[], None],
) -> None:
    """Run the step's `finish`, and record that the step is done; before each try `sweep`."""

    def attempt() -> None:
        if batch.finish:
            sweep()
        began = time.monotonic()
        with session.transaction():
            _send_once(session, run, step, f"the finish of {step}", batch.finish)
            finish_step(session, run.author, step, state="done", seconds=time.monotonic() - began)
            complete()

    _patiently_once(session, run, step, "finish", batch.finish, attempt)


def _patiently_once(
    session: Session,
    run: Run,
    step: Step,
    part: str,
    texts: tuple[str, ...],
    attempt: Callable[[], None],
) -> None:
    """Try `begin` or `finish` as patiently as any step; an error names which of them it was."""
    what = f"{part} of {step}" if texts else str(step)
    try:
        patiently(session, run, what, attempt)
    except psycopg2.Error as error:
        named = f"the {what}" if texts else f"step {step}"
        raise failure(session, run, step, error, what=named, script=step.script) from error


def _send_once(session: Session, run: Run, step: Step, what: str, texts: tuple[str, ...]) -> None:
    """Send `begin` or `finish`; meanwhile the record lacks its walk, for conflicts.py to see.

    So SQL that commits by itself is never taken for a walk that may go on.
    """
    if not texts or step.batch is None:
        return
    record = "UPDATE interlock.steps SET batch_walk = %s WHERE product = %s AND id = %s"
    session.run(record, (None, run.product, step.id))
    send(session, what, texts)
    session.run(record, (step.batch.walk, run.product, step.id))
