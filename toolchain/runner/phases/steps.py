"""Running a step: in one transaction with its record, on its own, or batch by batch."""

from __future__ import annotations

import time

import psycopg2

from ..core.session import Session
from ..ledger.actions import RunStep, UndoStep
from ..ledger.manifest import Step
from ..ledger.records import begin_step, finish_step
from . import batches, standalone
from .release_sql import failure, send
from .retry import patiently
from .run import Run
from .transitions import make_ready_within


def run_step(session: Session, run: Run, action: RunStep) -> None:
    """Run a step to its end; raises RunnerError, after which nothing half done is left."""
    step = action.step

    def complete() -> None:
        if action.completes:
            make_ready_within(session, run, action.release)

    try:
        if step.batch is not None:
            batches.migrate(session, run, step, complete)
        elif step.transaction:
            patiently(session, run, str(step), lambda: _together(session, run, step, complete))
        else:
            standalone.run_alone(session, run, step, complete)
    except psycopg2.Error as error:
        what = f"step {step}"
        raise failure(session, run, step, error, what=what, script=step.script) from error
    session.settle()


def undo_step(session: Session, run: Run, action: UndoStep) -> None:
    """Run a step's undo and record it, in one transaction where the step had one."""
    step = action.step
    what = f"undo of {step}"
    try:
        if step.undo is None or step.transaction:
            patiently(session, run, what, lambda: _undo_together(session, run, step))
        else:
            standalone.undo_alone(session, run, step, step.undo)
    except psycopg2.Error as error:
        script = step.undo or step.script
        raise failure(session, run, step, error, what=f"the {what}", script=script) from error
    session.settle()


def _together(session: Session, run: Run, step: Step, complete: standalone.Complete) -> None:
    began = time.monotonic()
    with session.transaction():
        begin_step(session, run.author, run.manifest, step)
        send(session, f"step {step}", step.sql)
        finish_step(session, run.author, step, state="done", seconds=time.monotonic() - began)
        complete()


def _undo_together(session: Session, run: Run, step: Step) -> None:
    began = time.monotonic()
    with session.transaction():
        if step.undo is not None:
            send(session, f"the undo of {step}", (step.undo.text,))
        session.run(
            "UPDATE interlock.steps SET cursor = NULL, rows = 0 WHERE product = %s AND id = %s",
            (run.product, step.id),
        )
        finish_step(session, run.author, step, state="undone", seconds=time.monotonic() - began)
