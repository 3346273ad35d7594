"""Migrate steps: keyset batches whose cursor is saved in the batch's own transaction."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import psycopg2

from ..core.errors import ShardError
from ..core.session import LEDGER_PATH, RELEASE_PATH, Session
from ..ledger.manifest import Batch, Step
from . import once
from .activity import Activity
from .limits import Limits
from .pace import BatchSize, Meter, rest
from .retry import patiently
from .run import Run

# A key without index would make every batch read the whole table; NULLs would never be met.
_TABLE = """
SELECT c.oid::regclass::text, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
       a.attnotnull,
       EXISTS (SELECT FROM pg_catalog.pg_index i
                WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                  AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum),
       (SELECT sum(r.reltuples)::bigint FROM pg_catalog.pg_class r
         WHERE r.reltuples > 0 AND (r.oid = c.oid OR r.oid IN (
               SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = c.oid)))
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped AND a.attnum > 0
 WHERE c.oid = to_regclass(%s) AND a.attname = %s
"""

# With a plan made for its values (plan_cache_mode, session.py) the test for NULL costs nothing.
_NEXT = """
PREPARE interlock_next ({type}, bigint) AS
WITH batch AS MATERIALIZED (
     SELECT {key} AS key FROM {table} WHERE {key} > $1 OR $1 IS NULL ORDER BY {key} LIMIT $2)
SELECT (SELECT key FROM batch ORDER BY key LIMIT 1)::text,
       (SELECT key FROM batch ORDER BY key DESC LIMIT 1)::text,
       (SELECT count(*) FROM batch)
"""


# On a busy table newer rows come without end, and are the business of those who write them: the
# servers, or the change's own triggers. So the walk ends when it has met the end so many times.
_ENDS = 20
# So a finish that had to give way does not find more to do with each try.
_SWEEPS, _FEW = 20, 10


@dataclass(frozen=True)
class _Table:
    """A walked table as PostgreSQL spells it; `estimate` of its rows, where it has one."""

    name: str
    key: str
    type: str
    estimate: int | None


def migrate(session: Session, run: Run, step: Step, complete: Callable[[], None]) -> None:
    """Walk the step's table from its cursor to the end; raises RunnerError or psycopg2.Error."""
    if step.batch is None:
        raise ValueError(f"{step} has no batch")
    table = _inspect(session, step, step.batch)
    cursor, rows = _resume(session, run, step) or once.begin(session, run, step, step.batch)
    _prepare(session, table, step.batch)
    size = BatchSize(run.settings.batch_time, run.settings.max_rate)
    meter = Meter(rows, table.estimate, time.monotonic())
    limits = Limits(session, run, str(step))
    ends = 0
    while ends < _ENDS:
        run.stop.check()
        limits.wait()
        began = time.monotonic()
        batch = partial(_batch, session, run, step, cursor, size)
        moved = patiently(session, run, str(step), batch)
        if moved is None:
            break
        run.advances += 1
        cursor, rows, at_end = moved
        ends = ends + 1 if at_end else 0
        seconds = time.monotonic() - began
        size.learn(rows, seconds)
        meter.add(rows, time.monotonic())
        run.teller.show(Activity(str(step), meter.done, meter.total, meter.rate, meter.left))
        run.stop.wait(rest(rows, seconds, run.settings.max_rate, run.settings.batch_pause))
    sweep = partial(_sweep, session, run, step.batch)
    once.finish(session, run, step, step.batch, sweep, complete)
    run.advances += 1


def _batch(
    session: Session, run: Run, step: Step, cursor: str | None, size: BatchSize
) -> tuple[str, int, bool] | None:
    """One batch and its cursor in one transaction; None when no row is left.

    With the new cursor come the rows, and whether they were the last that there were.
    """
    if step.batch is None:
        raise ValueError(f"{step} has no batch")
    began = time.monotonic()
    wanted = size.rows
    try:
        with session.transaction():
            # The prepared plans hold while they are executed under the path they were made under.
            first, last, rows = session.rows(
                f"SET LOCAL search_path = {RELEASE_PATH}; EXECUTE interlock_next (%s, %s)",
                (cursor, wanted),
            )[0]
            if not rows:
                return None
            for number in range(len(step.batch.statements)):
                session.run(f"EXECUTE interlock_batch_{number} (%s, %s)", (first, last))
            session.run(
                f"SET LOCAL search_path = {LEDGER_PATH};"
                " UPDATE interlock.steps SET cursor = %s, rows = rows + %s,"
                " duration = duration + %s * interval '1 second' WHERE product = %s AND id = %s",
                (last, rows, time.monotonic() - began, run.product, step.id),
            )
            return last, rows, rows < wanted
    except psycopg2.Error:
        size.shrink()
        raise


def _sweep(session: Session, run: Run, batch: Batch) -> None:
    """Run the batch without a range, for what was written behind the walk; until that is little."""
    for _ in range(_SWEEPS):
        run.stop.check()
        with session.transaction():
            session.run(f"SET LOCAL search_path = {RELEASE_PATH}")
            rows = sum(
                session.run(f"EXECUTE interlock_batch_{number} (NULL, NULL)")
                for number in range(len(batch.statements))
            )
        if rows < _FEW:
            return


def _inspect(session: Session, step: Step, batch: Batch) -> _Table:
    with session.transaction():
        session.run(f"SET LOCAL search_path = {RELEASE_PATH}")
        quoted = session.rows(
            "SELECT string_agg(quote_ident(part), '.' ORDER BY place)"
            " FROM unnest(string_to_array(%s, '.')) WITH ORDINALITY AS p(part, place)",
            (batch.table,),
        )[0][0]
        rows = session.rows(_TABLE, (quoted, batch.key))
    if not rows:
        raise ShardError(f"step {step}: there is no column {batch.key} in a table {batch.table}")
    name, key, kind, not_null, unique, estimate = rows[0]
    if not (not_null and unique):
        raise ShardError(
            f"step {step}: the batch key {batch.walk} needs NOT NULL and a unique index of its own"
        )
    if estimate is None and kind in {"smallint", "integer", "bigint"}:
        # Never analysed: numbers in a row are a fair guess.
        span = f"SELECT max({key})::bigint - min({key})::bigint + 1 FROM {name}"
        with session.transaction():
            session.run(f"SET LOCAL search_path = {RELEASE_PATH}")
            estimate = session.rows(span)[0][0]
    return _Table(name, key, kind, estimate)


def _resume(session: Session, run: Run, step: Step) -> tuple[str | None, int] | None:
    """Where the walk goes on, and the rows behind it; None where it has not begun."""
    rows = session.rows(
        "SELECT cursor, rows FROM interlock.steps"
        " WHERE product = %s AND id = %s AND state = 'running'",
        (run.product, step.id),
    )
    return (rows[0][0], rows[0][1]) if rows else None


def _prepare(session: Session, table: _Table, batch: Batch) -> None:
    """Prepare the statements, once for each session."""
    texts = [
        _NEXT.format(type=table.type, key=table.key, table=table.name),
        *(
            f"PREPARE interlock_batch_{number} ({table.type}, {table.type}) AS\n{text}"
            for number, text in enumerate(batch.statements)
        ),
    ]
    with session.transaction():
        session.run(f"DEALLOCATE ALL; SET LOCAL search_path = {RELEASE_PATH}")
        for text in texts:
            session.run(text)
