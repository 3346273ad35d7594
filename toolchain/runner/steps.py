"""Running a step: in one transaction with its record, on its own, or batch by batch."""

from __future__ import annotations

import time

import psycopg2

from . import batches, sqlstate, standalone
from .errors import ShardError, one_line
from .manifest import Script, Step
from .records import begin_step, finish_step
from .retry import patiently
from .run import Run
from .session import LEDGER_PATH, RELEASE_PATH, Session
from .transitions import make_ready_within
from .walk import RunStep, UndoStep


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
        raise _failure(session, run, step, step.script, error) from error
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
        raise _failure(session, run, step, step.undo or step.script, error) from error
    session.settle()


def _together(session: Session, run: Run, step: Step, complete: standalone.Complete) -> None:
    began = time.monotonic()
    with session.transaction():
        begin_step(session, run.author, run.manifest, step)
        _send(session, step.sql)
        finish_step(session, run.author, step, state="done", seconds=time.monotonic() - began)
        complete()


def _undo_together(session: Session, run: Run, step: Step) -> None:
    began = time.monotonic()
    with session.transaction():
        if step.undo is not None:
            _send(session, (step.undo.text,))
        session.run(
            "UPDATE interlock.steps SET cursor = NULL, rows = 0 WHERE product = %s AND id = %s",
            (run.product, step.id),
        )
        finish_step(session, run.author, step, state="undone", seconds=time.monotonic() - began)


def _send(session: Session, texts: tuple[str, ...]) -> None:
    """Send a release's SQL; a savepoint finds out when it ended the transaction by itself."""
    session.run(f"SET LOCAL search_path = {RELEASE_PATH}; SAVEPOINT interlock_step")
    for text in texts:
        session.run(text)
    try:
        session.run("RELEASE SAVEPOINT interlock_step")
    except psycopg2.Error as error:
        if sqlstate.code(error) not in {"25P01", "3B001"}:
            raise
        raise ShardError(
            "its SQL ended the transaction by itself (COMMIT or ROLLBACK)",
            "a step's SQL must leave that to the runner",
        ) from error
    session.run(f"RESET ROLE; SET LOCAL search_path = {LEDGER_PATH}")


def _failure(
    session: Session, run: Run, step: Step, script: Script, error: psycopg2.Error
) -> ShardError:
    """The sentence for a step that PostgreSQL refused, with the file, and the line if known."""
    what = f"the undo of {step}" if script is step.undo else f"step {step}"
    if sqlstate.code(error) == sqlstate.READ_ONLY:
        return ShardError(
            f"{what} cannot write: {sqlstate.sentence(error)}",
            "point the shard's dsn at the primary and run it again",
        )
    place = script.path
    if step.statements is None and step.batch is None and error.diag.statement_position:
        line = script.text[: int(error.diag.statement_position) - 1].count("\n") + 1
        place = f"{place}:{line}"
    context = error.diag.context
    where = f" in {one_line(context)[:200]}" if context else ""
    return ShardError(
        f"{what} failed at {place}: {sqlstate.sentence(error)}{where}",
        _what_remains(session, run, step),
    )


def _what_remains(session: Session, run: Run, step: Step) -> str:
    """A record that says 'running' is one that the step's SQL committed by itself."""
    if not step.transaction or step.batch is not None:
        return "run it again once the cause is gone"
    rows = session.rows(
        "SELECT state FROM interlock.steps WHERE product = %s AND id = %s", (run.product, step.id)
    )
    if rows and rows[0][0] == "running":
        return "its SQL had ended the transaction by itself, so look what of it is there"
    return "nothing of it remains"
