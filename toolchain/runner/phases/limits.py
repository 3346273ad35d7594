"""Reasons for a migrate step to pause: standbys behind, old transactions, no room to connect."""

from __future__ import annotations

import time

from ..core.duration import spell_duration
from ..core.options import Settings
from ..core.session import Session
from ..ledger.words import spell_count
from .activity import Activity
from .run import Run

_EVERY = 1.0

# replay_lag stands still while a standby's replay does; the bytes go on counting.
_STANDBY = """
SELECT application_name, extract(epoch FROM replay_lag)::float8,
       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint
  FROM pg_catalog.pg_stat_replication
 WHERE replay_lag > %s * interval '1 second'
    OR pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) > %s
 ORDER BY 3 DESC NULLS LAST LIMIT 1
"""

_OLD_TRANSACTION = """
SELECT pid, application_name, extract(epoch FROM clock_timestamp() - xact_start)::float8
  FROM pg_catalog.pg_stat_activity
 WHERE clock_timestamp() - xact_start > %s * interval '1 second'
   AND backend_type = 'client backend' AND pid <> pg_backend_pid()
   AND datname = current_database()
 ORDER BY xact_start LIMIT 1
"""

_FREE_CONNECTIONS = """
SELECT current_setting('max_connections')::bigint
       - current_setting('superuser_reserved_connections')::bigint
       - coalesce(current_setting('reserved_connections', true), '0')::bigint
       - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend')
"""


def hindrance(session: Session, settings: Settings) -> str | None:
    """Why a migrate step should pause now; None where nothing is in the way."""
    return (
        _standby_behind(session, settings)
        or _old_transaction(session, settings)
        or _no_room(session, settings)
    )


class Limits:
    """Asks for hindrances once a second, and waits while there is one."""

    def __init__(self, session: Session, run: Run, what: str) -> None:
        self._session = session
        self._run = run
        self._what = what
        self._asked = float("-inf")

    def wait(self) -> None:
        """Return when nothing is in the way; raises Interrupted on a wish to stop."""
        paused: str | None = None
        while time.monotonic() - self._asked >= _EVERY or paused is not None:
            self._asked = time.monotonic()
            reason = hindrance(self._session, self._run.settings)
            if reason is None:
                break
            if paused is None:
                self._run.teller.say(f"{self._what} pauses: {reason}")
            paused = reason
            self._run.teller.show(Activity(f"{self._what} pauses: {reason}"))
            self._run.stop.wait(_EVERY)
        if paused is not None:
            self._run.teller.say(f"{self._what} goes on")


def _standby_behind(session: Session, settings: Settings) -> str | None:
    seconds, size = settings.replication_lag_limit, settings.replication_bytes_limit
    if seconds is None and size is None:
        return None
    rows = session.rows(_STANDBY, (seconds or 1e9, size or 1 << 62))
    if not rows:
        return None
    name, lag, behind = rows[0]
    late = "" if lag is None else f"{spell_duration(lag)} and "
    return f"standby {name} is {late}{_spell_size(behind or 0)} behind"


def _spell_size(size: int) -> str:
    return f"{size // 1024} kB" if size < 10 * 1024 * 1024 else f"{size // 1024 // 1024} MB"


def _old_transaction(session: Session, settings: Settings) -> str | None:
    if settings.long_transaction_limit is None:
        return None
    rows = session.rows(_OLD_TRANSACTION, (settings.long_transaction_limit,))
    if not rows:
        return None
    pid, application, age = rows[0]
    return (
        f"a transaction of {application or 'an application'} (server process {pid}) is open for"
        f" {spell_duration(age)}"
    )


def _no_room(session: Session, settings: Settings) -> str | None:
    free = session.rows(_FREE_CONNECTIONS)[0][0]
    if free >= settings.connection_reserve:
        return None
    return f"only {spell_count(max(free, 0), 'connection')} free"
