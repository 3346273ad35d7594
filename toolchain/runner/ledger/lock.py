"""One runner a product and shard: a session advisory lock, free as soon as its session ends.

It is polled. A session that waits inside pg_advisory_lock holds a snapshot, and CREATE INDEX
CONCURRENTLY waits for old snapshots: the two would wait for each other for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg2

from ..core.errors import Refused, RunnerError
from ..core.session import Row, Session
from ..core.stop import Stop
from .lock_key import lock_key

_FIRST_REST = 0.02
_LONGEST_REST = 1.0
# A runner that was killed leaves its session behind for a moment.
_GRACE = 0.5

_HOLDER = """
SELECT l.pid, a.application_name, coalesce(a.client_hostname, host(a.client_addr), 'this host'),
       a.backend_start
  FROM pg_catalog.pg_locks l
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
   AND l.classid::bigint = %s AND l.objid::bigint = %s
"""


def take_lock(
    session: Session, product: str, wait: float, stop: Stop, announce: Callable[[str], None]
) -> None:
    """Take the product's lock for the life of the session; raises Refused naming the holder."""
    key = lock_key(f"product:{product}")
    deadline = time.monotonic() + max(wait, _GRACE)
    announced = False
    rest = _FIRST_REST
    while not _try(session, key):
        who = describe_holder(lock_holder(session, product))
        if time.monotonic() >= deadline:
            raise Refused(
                f"another runner works on this shard: {who}",
                "wait for it, or give this one --wait SECONDS",
            )
        if wait and not announced:
            announce(f"waits for another runner: {who}")
            announced = True
        stop.wait(rest)
        rest = min(rest * 2, _LONGEST_REST)


@contextmanager
def releasing(session: Session, product: str) -> Iterator[None]:
    """Give the lock back at the end: a session that is closed ends only a moment later."""
    try:
        yield
    finally:
        if not session.connection.closed:
            with suppress(RunnerError, psycopg2.Error):
                key = lock_key(f"product:{product}")
                session.run("SELECT pg_catalog.pg_advisory_unlock(%s)", (key,))


def lock_holder(session: Session, product: str) -> Row | None:
    """Pid, application, client and start of the session that holds the product's lock."""
    key = lock_key(f"product:{product}") & 0xFFFFFFFFFFFFFFFF
    rows = session.rows(_HOLDER, (key >> 32, key & 0xFFFFFFFF))
    return rows[0] if rows else None


def describe_holder(holder: Row | None) -> str:
    """The holder in words."""
    if holder is None:
        return "one that has just ended"
    pid, application, client, since = holder
    start = f" since {since:%Y-%m-%d %H:%M:%S} UTC" if since is not None else ""
    return f"{application or 'unknown'} on {client} (server process {pid}){start}"


def end_own_session(session: Session, product: str, pid: int, started: object) -> None:
    """End the runner's own former session where a cut wire has left it holding the lock."""
    holder = lock_holder(session, product)
    if holder is not None and holder[0] == pid and holder[3] == started:
        session.run("SELECT pg_catalog.pg_terminate_backend(%s)", (pid,))


@contextmanager
def hold_briefly(session: Session, name: str, stop: Stop) -> Iterator[None]:
    """Hold a lock for a moment, however long it takes to get it."""
    key = lock_key(name)
    while not _try(session, key):
        stop.wait(_FIRST_REST)
    try:
        yield
    finally:
        if not session.connection.closed:
            session.run("SELECT pg_catalog.pg_advisory_unlock(%s)", (key,))


def _try(session: Session, key: int) -> bool:
    return bool(session.rows("SELECT pg_catalog.pg_try_advisory_lock(%s)", (key,))[0][0])
