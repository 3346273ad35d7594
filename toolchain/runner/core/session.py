"""One connection to one shard: fixed settings, explicit transactions, one door for statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extensions import libpq_version

from . import sqlstate
from .config import Shard
from .errors import ShardError

if TYPE_CHECKING:
    from psycopg2.extensions import connection

Row = tuple[Any, ...]
Connect = Callable[..., "connection"]

OLDEST_POSTGRESQL = 120000

# The ledger's own statements see nothing but PostgreSQL's names (CVE-2018-1058). A release's SQL
# may use unqualified names: pg_catalog still comes first there, unsaid, and CREATE means public.
LEDGER_PATH = "pg_catalog, pg_temp"
RELEASE_PATH = "public, pg_temp"

# row_security off: where a policy would hide rows, a statement fails. A walk that passed rows by
# would end as if it had moved them all, and a contract drops what was not moved.
_SETTINGS = """
RESET ROLE; RESET ALL;
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),
       pg_catalog.set_config('client_encoding', 'UTF8', false),
       pg_catalog.set_config('client_min_messages', 'error', false),
       pg_catalog.set_config('standard_conforming_strings', 'on', false),
       pg_catalog.set_config('datestyle', 'ISO, YMD', false),
       pg_catalog.set_config('intervalstyle', 'postgres', false),
       pg_catalog.set_config('extra_float_digits', '1', false),
       pg_catalog.set_config('timezone', 'UTC', false),
       pg_catalog.set_config('row_security', 'off', false),
       pg_catalog.set_config('default_transaction_isolation', 'read committed', false),
       pg_catalog.set_config('statement_timeout', '0', false),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false),
       pg_catalog.set_config('lock_timeout', '{lock_timeout}ms', false),
       pg_catalog.set_config('plan_cache_mode', 'force_custom_plan', false),
       CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 140000
            THEN pg_catalog.set_config('idle_session_timeout', '0', false) END,
       CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 170000
            THEN pg_catalog.set_config('transaction_timeout', '0', false) END
"""

# PostgreSQL makes autovacuum yield to a lock that has been asked for deadlock_timeout long, and not
# to one that is given up by then; after a migration autovacuum is at work on that very table. So
# the timeouts must differ. Whoever looks for a deadlock first loses it: better the runner.
_LOCKS = """
SELECT pg_catalog.set_config('deadlock_timeout', '{half}ms', false)
 WHERE {may_set} AND pg_catalog.current_setting('deadlock_timeout')::interval > '{half}ms';
SELECT pg_catalog.set_config('lock_timeout', '{longer}ms', false)
 WHERE pg_catalog.current_setting('deadlock_timeout')::interval
       BETWEEN greatest('{shorter}ms'::interval, '{half}.001ms') AND '{whole}ms'
"""
_MAY_SET = "pg_catalog.current_setting('is_superuser') = 'on'"
_MAY_SET_SINCE_15 = "pg_catalog.has_parameter_privilege('deadlock_timeout', 'SET')"
_YIELDS_AFTER = 100

_FACTS = """
SELECT pg_catalog.current_setting('server_version_num')::int4,
       pg_catalog.pg_backend_pid(),
       pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('transaction_read_only')::bool,
       pg_catalog.current_setting('session_replication_role'),
       (SELECT backend_start FROM pg_catalog.pg_stat_activity
         WHERE pid = pg_catalog.pg_backend_pid())
"""


class Unreachable(ShardError):
    """The shard takes no connection; `passing` where trying again may well help."""

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing = passing


class ConnectionLost(ShardError):
    """The session ended in the middle; what it had not committed has not happened."""


class Session:
    """A shard's session. Every statement of the runner goes through `run` or `rows`."""

    def __init__(self, wire: connection, shard: Shard) -> None:
        self.connection = wire
        self.shard = shard
        self._asks_client = wire.server_version >= 140000
        self.settle()
        facts = self.rows(_FACTS)[0]
        self.server_version: int = facts[0]
        self.pid: int = facts[1]
        self.standby: bool = facts[2]
        self.read_only: bool = facts[3]
        self.replication_role: str = facts[4]
        self.started: Any = facts[5]

    def settle(self) -> None:
        """Set all that a database's owner or an earlier step could have set otherwise."""
        milliseconds = int(self.shard.settings.lock_timeout * 1000)
        self.run(_SETTINGS.format(lock_timeout=milliseconds))
        self.run(
            _LOCKS.format(
                may_set=_MAY_SET_SINCE_15 if self.connection.server_version >= 150000 else _MAY_SET,
                half=max(milliseconds // 2, 1),
                whole=milliseconds,
                shorter=milliseconds - _YIELDS_AFTER,
                longer=milliseconds + _YIELDS_AFTER,
            )
        )
        # PostgreSQL 14 on a system that can tell: a killed runner's statement ends soon after it.
        if self._asks_client:
            try:
                self.run("SET client_connection_check_interval = '2s'")
            except psycopg2.Error:
                self._asks_client = False

    def run(self, sql: str, parameters: Sequence[object] | None = None) -> int:
        """Send a statement; returns the count of rows. Without parameters `%` is only itself."""
        return self._send(sql, parameters)[0]

    def rows(self, sql: str, parameters: Sequence[object] | None = None) -> list[Row]:
        """Send a query; returns its rows, none for a statement without a result."""
        return self._send(sql, parameters)[1]

    def _send(self, sql: str, parameters: Sequence[object] | None) -> tuple[int, list[Row]]:
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.rowcount, cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            if sqlstate.lost(error, self.connection):
                self.close()
                raise ConnectionLost(
                    f"the connection was lost: {sqlstate.sentence(error)}"
                ) from error
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction under the ledger's search path; any exception rolls it back."""
        self.run(f"BEGIN; SET LOCAL search_path = {LEDGER_PATH}")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if not self.connection.closed:
                with suppress(ConnectionLost, psycopg2.Error):
                    self.run("ROLLBACK")
            raise

    def cancel(self) -> None:
        """Cancel the running statement; called from another thread."""
        with suppress(psycopg2.Error):
            self.connection.cancel()

    def close(self) -> None:
        """End the session, and with it every lock that it holds."""
        with suppress(psycopg2.Error):
            self.connection.close()


def open_session(shard: Shard, application: str, connect: Connect) -> Session:
    """Connect to a shard; raises Unreachable or ShardError with one sentence.

    `connect` is psycopg2's, and the seam by which tests stand between runner and PostgreSQL.
    """
    parameters: dict[str, object] = {
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        **({"tcp_user_timeout": 40000} if libpq_version() >= 120000 else {}),
        **shard.parameters,
        "application_name": application[:63],
        "client_encoding": "UTF8",
        "connect_timeout": max(2, int(shard.settings.connect_timeout)),
    }
    try:
        wire = connect(**parameters)
    except psycopg2.Error as error:
        raise Unreachable(
            f"cannot connect: {sqlstate.sentence(error)}", passing=sqlstate.refused_for_now(error)
        ) from error
    try:
        wire.autocommit = True
        session = Session(wire, shard)
        if session.server_version < OLDEST_POSTGRESQL:
            raise ShardError(
                f"it runs PostgreSQL {session.server_version // 10000}, and the oldest supported"
                f" is {OLDEST_POSTGRESQL // 10000}"
            )
    except psycopg2.Error as error:
        wire.close()
        raise ShardError(f"cannot prepare the session: {sqlstate.sentence(error)}") from error
    except BaseException:
        wire.close()
        raise
    return session


def require_writable(session: Session) -> None:
    """Raise ShardError unless this is a primary that takes writes and fires its triggers."""
    if session.standby:
        raise ShardError(
            "it is a standby in recovery, which takes no changes",
            "point its dsn at the primary, or name all hosts with target_session_attrs=read-write",
        )
    if session.read_only:
        raise ShardError(
            "it is read-only (default_transaction_read_only)", "lift that where it was set"
        )
    if session.connection.info.backend_pid != session.pid:
        raise ShardError(
            "a connection pooler stands between, and a session's lock does not survive there",
            "point its dsn at PostgreSQL itself",
        )
    if session.replication_role != "origin":
        raise ShardError(
            f"session_replication_role is {session.replication_role!r} for this role, so triggers"
            " would not fire",
            "connect by another role",
        )
