"""A second look at a statement that takes its time: who blocks it, how far an index build is."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import psycopg2

from ..core.duration import spell_duration
from ..core.errors import RunnerError
from ..core.session import Row, Session, open_session
from .activity import Activity
from .run import Run

_DELAY = 0.3
_POLL = 0.25
_LINE_EVERY = 30.0

_BLOCKERS = """
SELECT b.pid, coalesce(nullif(a.application_name, ''), a.backend_type), a.usename,
       coalesce(a.client_hostname, host(a.client_addr), 'this host'), a.state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8,
       (SELECT min(coalesce(l.relation::regclass::text, l.locktype)) FROM pg_catalog.pg_locks l
         WHERE l.pid = %s AND NOT l.granted)
  FROM unnest(pg_catalog.pg_blocking_pids(%s)) AS b(pid)
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
 ORDER BY a.xact_start NULLS LAST
"""

_INDEX_BUILD = """
SELECT phase, CASE WHEN blocks_total > 0 THEN 100 * blocks_done / blocks_total
                   WHEN tuples_total > 0 THEN 100 * tuples_done / tuples_total END
  FROM pg_catalog.pg_stat_progress_create_index WHERE pid = %s
"""


class Watch:
    """Looks on from a session of its own while a statement runs; opens none for quick ones.

    `blockers` names who was seen in the way last, and stays readable afterwards.
    """

    def __init__(self, session: Session, run: Run, what: str) -> None:
        self._session = session
        self._run = run
        self._what = what
        self.blockers = ""

    def look(self, over: threading.Event) -> None:
        """Look on until it is over, and tell what is seen."""
        settings = self._run.settings
        # Late enough for batches to be over, early enough to see who makes a lock time out.
        delay = min(max(_DELAY, 2 * settings.batch_time), settings.lock_timeout / 3)
        if over.wait(delay):
            return
        with suppress(RunnerError, psycopg2.Error):
            other = open_session(
                self._session.shard, f"{self._run.application} watch", self._run.connect
            )
            try:
                self._follow(other, over)
            finally:
                other.close()

    def _follow(self, other: Session, over: threading.Event) -> None:
        began = said = time.monotonic()
        poll = min(_POLL, self._run.settings.lock_timeout / 4)
        while True:
            text = self._what
            rows = other.rows(_BLOCKERS, (self._session.pid, self._session.pid))
            if rows:
                self.blockers = describe_blockers(rows)
                text = f"{self._what}: {self.blockers}"
            else:
                build = other.rows(_INDEX_BUILD, (self._session.pid,))
                if build:
                    phase, percent = build[0]
                    text = f"{self._what}: {phase}" + ("" if percent is None else f" {percent} %")
            now = time.monotonic()
            self._run.teller.show(Activity(text))
            if now - said >= _LINE_EVERY:
                said = now
                self._run.teller.say(f"{text}, {spell_duration(now - began)} so far")
            if over.wait(poll):
                return


def describe_blockers(rows: list[Row]) -> str:
    """Who blocks, in words: application, user, place, state and since when."""
    named = []
    for pid, application, user, client, state, seconds, _ in rows[:3]:
        if not pid:
            named.append("a prepared transaction")
            continue
        age = "" if seconds is None else f" for {spell_duration(seconds)}"
        named.append(
            f"{application or 'an application'} of {user or 'another role'} on {client}"
            f" (server process {pid}, {state or 'active'}{age})"
        )
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    target = rows[0][6]
    return f"{', '.join(named)}{more} blocks" + (f" {target}" if target else " it")
