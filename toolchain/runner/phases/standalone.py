"""Steps that refuse a transaction block: recorded around, recognised again after a crash."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..core.errors import ShardError
from ..core.session import RELEASE_PATH, Row, Session
from ..ledger.indexes import (
    ConcurrentIndex,
    concurrent_index,
    dropped_index,
    identifier,
    waits_alone,
)
from ..ledger.manifest import Script, Step
from ..ledger.records import begin_step, finish_step, write_event
from .retry import patiently
from .run import Run

Complete = Callable[[], None]

_INDEX = """
SELECT i.oid::regclass::text, x.indisvalid AND x.indisready, x.indrelid = t.oid
  FROM pg_catalog.pg_class t
  JOIN pg_catalog.pg_class i ON i.relnamespace = t.relnamespace AND i.relname = %s
  LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid
 WHERE t.oid = pg_catalog.to_regclass(%s)
"""


def run_alone(session: Session, run: Run, step: Step, complete: Complete) -> None:
    """Run one statement outside transactions; it counts as done once its effect is there."""
    began = time.monotonic()
    sql = step.sql[0]
    index = concurrent_index(sql)
    resumed = _state(session, run, step) == "running"
    if not resumed:
        if index is not None:
            _refuse_foreign_index(session, step, index)
        with session.transaction():
            begin_step(session, run.author, run.manifest, step)

    def attempt() -> None:
        # A deadlock or a cancel leaves an invalid index too, so every try looks again.
        if index is not None and _whole_after_repair(session, run, step, index):
            return
        if resumed and _dropped_already(session, sql):
            return
        _send(session, sql)

    patiently(session, run, str(step), attempt)

    def record() -> None:
        with session.transaction():
            finish_step(session, run.author, step, state="done", seconds=time.monotonic() - began)
            complete()

    patiently(session, run, str(step), record)


def undo_alone(session: Session, run: Run, step: Step, undo: Script) -> None:
    """Run an undo outside transactions, for a step that ran outside them."""
    began = time.monotonic()
    what = f"undo of {step}"
    if _state(session, run, step) != "undoing":
        with session.transaction():
            session.run(
                "UPDATE interlock.steps SET state = 'undoing' WHERE product = %s AND id = %s",
                (run.product, step.id),
            )

    def attempt() -> None:
        if not _dropped_already(session, undo.text):
            _send(session, undo.text)

    patiently(session, run, what, attempt)

    def record() -> None:
        with session.transaction():
            finish_step(session, run.author, step, state="undone", seconds=time.monotonic() - began)

    patiently(session, run, what, record)


def _state(session: Session, run: Run, step: Step) -> str | None:
    rows = session.rows(
        "SELECT state FROM interlock.steps WHERE product = %s AND id = %s", (run.product, step.id)
    )
    return rows[0][0] if rows else None


def _send(session: Session, sql: str) -> None:
    if waits_alone(sql):
        session.run("SET lock_timeout = 0")
    session.run(f"SET search_path = {RELEASE_PATH}")
    try:
        session.run(sql)
    finally:
        if not session.connection.closed:
            session.settle()


def _refuse_foreign_index(session: Session, step: Step, index: ConcurrentIndex) -> None:
    """Before the step begins, no whole index of its name may be there, nor one elsewhere."""
    found = _find_index(session, index)
    tolerant = "if not exists" in " ".join(step.sql[0].lower().split())
    if found is not None and (not found[2] or (found[1] and not tolerant)):
        raise ShardError(
            f"step {step}: the index {found[0]} exists already, and not from this step",
            "drop it, or rename it",
        )


def _whole_after_repair(session: Session, run: Run, step: Step, index: ConcurrentIndex) -> bool:
    """Whether the index is there and valid; an invalid one of that name is dropped.

    A crash, a cancel or a duplicate key leaves an index that costs every write and serves no read.
    """
    found = _find_index(session, index)
    if found is None or found[1]:
        return found is not None
    run.teller.say(f"{step}: drops the invalid index {found[0]} that an interrupted try left")
    _send(session, f"DROP INDEX CONCURRENTLY IF EXISTS {found[0]}")
    with session.transaction():
        write_event(session, run.author, "repaired", step.id, f"dropped invalid index {found[0]}")
    return False


def _find_index(session: Session, index: ConcurrentIndex) -> Row | None:
    """The index's name as SQL, whether it is valid, whether it belongs to the step's table."""
    with session.transaction():
        session.run(f"SET LOCAL search_path = {RELEASE_PATH}")
        rows = session.rows(_INDEX, (identifier(index.name or ""), index.table))
    return rows[0] if rows else None


def _dropped_already(session: Session, sql: str) -> bool:
    """Whether an index that the statement drops is gone; False for any other statement."""
    name = dropped_index(sql)
    if name is None:
        return False
    with session.transaction():
        session.run(f"SET LOCAL search_path = {RELEASE_PATH}")
        rows = session.rows("SELECT pg_catalog.to_regclass(%s)", (name,))
    return rows[0][0] is None
