"""A release's own SQL: sent under its search path, guarded, and named where it fails."""

from __future__ import annotations

import psycopg2

from ..core import sqlstate
from ..core.errors import ShardError, one_line
from ..core.session import LEDGER_PATH, RELEASE_PATH, Session
from ..ledger.conflicts import ended_by_itself
from ..ledger.manifest import Script, Step
from .run import Run


def send(session: Session, what: str, texts: tuple[str, ...]) -> None:
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
            f"the SQL of {what} ended the transaction by itself (COMMIT or ROLLBACK)",
            "a step's SQL must leave that to the runner",
        ) from error
    session.run(f"RESET ROLE; SET LOCAL search_path = {LEDGER_PATH}")


def failure(
    session: Session, run: Run, step: Step, error: psycopg2.Error, *, what: str, script: Script
) -> ShardError:
    """The sentence for SQL that PostgreSQL refused, with the file, and the line if known."""
    if sqlstate.code(error) == sqlstate.READ_ONLY:
        return ShardError(
            f"{what} cannot write: {sqlstate.sentence(error)}",
            "point the shard's dsn at the primary and run it again",
        )
    place = script.path
    as_one = script is step.undo or (step.statements is None and step.batch is None)
    if as_one and error.diag.statement_position:
        line = script.text[: int(error.diag.statement_position) - 1].count("\n") + 1
        place = f"{place}:{line}"
    context = error.diag.context
    where = f" in {one_line(context)[:200]}" if context else ""
    return ShardError(
        f"{what} failed at {place}: {sqlstate.sentence(error)}{where}",
        _what_remains(session, run, step),
    )


def _what_remains(session: Session, run: Run, step: Step) -> str:
    """What a look at the step's record tells of a failed one."""
    rows = session.rows(
        "SELECT state, batch_walk FROM interlock.steps WHERE product = %s AND id = %s",
        (run.product, step.id),
    )
    if rows and ended_by_itself(step, *rows[0]):
        return "its SQL had ended the transaction by itself, so look what of it is there"
    if step.transaction and (step.batch is None or not rows or rows[0][0] == "undone"):
        return "nothing of it remains"
    return "run it again once the cause is gone"
