"""What a ledger holds of one product: its handshake and the records of its steps."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from ..core.duration import spell_duration
from ..core.law import Handshake
from ..core.session import Session
from ..core.version import Versions
from .manifest import Manifest, Step

RUNNER_VERSION = "0.1.0"


@dataclass(frozen=True)
class StepRecord:
    """One step as the ledger knows it; `cursor` is the last key whose batch is committed."""

    id: str
    release: str
    phase: str
    checksum: str
    state: str
    adopted: bool
    batch_walk: str | None
    cursor: str | None
    rows: int


@dataclass(frozen=True)
class Ledger:
    """One product's part of a ledger; `ready` and `closed` are releases, or None."""

    handshake: Handshake
    ready: str | None
    closed: str | None
    steps: Mapping[str, StepRecord]

    def state(self, step: Step) -> str:
        """The step's state, `pending` where the ledger has no record or an undone one."""
        record = self.steps.get(step.id)
        return "pending" if record is None or record.state == "undone" else record.state


@dataclass(frozen=True)
class Author:
    """Who writes into a ledger, and from which package."""

    product: str
    package: str
    operator: str
    host: str


def author_of(manifest: Manifest) -> Author:
    """The person at the keyboard, also behind sudo, and this host."""
    try:
        operator = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        operator = f"uid {os.getuid()}"
    return Author(manifest.product, manifest.release, operator[:100], socket.gethostname())


def read_ledger(session: Session, product: str) -> Ledger | None:
    """Read a product's part of the ledger, or None where this database does not hold it."""
    rows = session.rows(
        "SELECT schema, oldest_server, servers_below, ready_release, closed_release"
        " FROM interlock.handshake WHERE product = %s",
        (product,),
    )
    if not rows:
        return None
    schema, oldest, below, ready, closed = rows[0]
    steps = session.rows(
        "SELECT id, release, phase, checksum, state, adopted, batch_walk, cursor, rows"
        " FROM interlock.steps WHERE product = %s",
        (product,),
    )
    return Ledger(
        handshake=Handshake(schema, Versions(oldest, below)),
        ready=ready,
        closed=closed,
        steps={row[0]: StepRecord(*row) for row in steps},
    )


def write_handshake(
    session: Session, author: Author, handshake: Handshake, ready: str | None, closed: str | None
) -> None:
    """Write what the shard says of itself, inside the caller's transaction."""
    session.run(
        "INSERT INTO interlock.handshake AS h"
        " (product, schema, oldest_server, servers_below, ready_release, closed_release)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (product) DO UPDATE SET"
        " schema = excluded.schema, oldest_server = excluded.oldest_server,"
        " servers_below = excluded.servers_below, ready_release = excluded.ready_release,"
        " closed_release = excluded.closed_release, changed = pg_catalog.clock_timestamp()",
        (
            author.product,
            handshake.schema,
            handshake.servers.oldest,
            handshake.servers.below,
            ready,
            closed,
        ),
    )
    write_event(session, author, "handshake", ready or "-", str(handshake))


def begin_step(
    session: Session, author: Author, manifest: Manifest, step: Step, *, state: str = "running"
) -> None:
    """Record that a step runs, inside the caller's transaction; a resumed one keeps its start."""
    session.run(
        "INSERT INTO interlock.steps AS s (product, id, release, phase, position, checksum, state,"
        " batch_walk, operator, host, runner, package)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (product, id) DO UPDATE SET release = excluded.release,"
        " phase = excluded.phase, position = excluded.position, checksum = excluded.checksum,"
        " state = excluded.state, adopted = false, batch_walk = excluded.batch_walk,"
        " cursor = NULL, rows = 0, started = excluded.started, finished = NULL,"
        " duration = excluded.duration, role = excluded.role, operator = excluded.operator,"
        " host = excluded.host, runner = excluded.runner, package = excluded.package",
        (
            author.product,
            step.id,
            step.release,
            step.phase.value,
            manifest.steps.index(step),
            step.script.sha256,
            state,
            None if step.batch is None else step.batch.walk,
            author.operator,
            author.host,
            RUNNER_VERSION,
            author.package,
        ),
    )


def finish_step(
    session: Session,
    author: Author,
    step: Step,
    *,
    state: str,
    seconds: float,
    adopted: bool = False,
) -> None:
    """Record that a step is done or undone, with its event, inside the caller's transaction."""
    taken, rows = session.rows(
        "UPDATE interlock.steps SET state = %s, finished = pg_catalog.clock_timestamp(),"
        " duration = duration + %s * interval '1 second', adopted = %s"
        " WHERE product = %s AND id = %s RETURNING extract(epoch FROM duration)::float8, rows",
        (state, seconds, adopted, author.product, step.id),
    )[0]
    how = "adopted" if adopted else f"in {spell_duration(taken)}"
    moved = f", {rows} rows" if rows else ""
    write_event(session, author, state, step.id, f"{step.release} {how}{moved}")
    # The schema is no longer what the last snapshot says; the end of the run takes a new one.
    session.run("DELETE FROM interlock.snapshot WHERE product = %s", (author.product,))


def write_event(session: Session, author: Author, kind: str, subject: str, detail: str) -> None:
    """Add to the history, inside the caller's transaction."""
    session.run(
        "INSERT INTO interlock.events (product, kind, subject, detail, operator, host)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (author.product, kind, subject, detail, author.operator, author.host),
    )
