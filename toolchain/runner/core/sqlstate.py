"""PostgreSQL's errors, sorted by what the runner does about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg2

from .errors import one_line

if TYPE_CHECKING:
    from psycopg2.extensions import connection

LOCK_NOT_AVAILABLE = "55P03"
READ_ONLY = "25006"
INSUFFICIENT_PRIVILEGE = "42501"

# A lock that was not had in time, a deadlock, a serialization failure: try again.
_CONTENTION = frozenset({LOCK_NOT_AVAILABLE, "40P01", "40001"})
# Class 53 is a lack of something that comes back: disk, memory, connections.
_SCARCITY = "53"
# admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout; class 08 is the wire.
_ENDINGS = ("57P01", "57P02", "57P03", "57P05", "08")
# libpq gives a refused connection no SQLSTATE, only the server's words.
_NOT_YET = (
    "too many clients",
    "too many connections",
    "remaining connection slots",
    "starting up",
    "shutting down",
    "in recovery mode",
    "not yet accepting connections",
)


def code(error: psycopg2.Error) -> str:
    """The error's SQLSTATE, or an empty text where there is none."""
    return error.pgcode or ""


def contention(error: psycopg2.Error) -> bool:
    """Whether others were in the way and the same statement may well pass later."""
    return code(error) in _CONTENTION


def scarcity(error: psycopg2.Error) -> bool:
    """Whether the server lacks disk, memory or connections at the moment."""
    return code(error).startswith(_SCARCITY)


def lost(error: psycopg2.Error, session: connection) -> bool:
    """Whether the session has ended: restart, failover, network."""
    return bool(session.closed) or code(error).startswith(_ENDINGS)


def refused_for_now(error: psycopg2.Error) -> bool:
    """Whether a server is there but takes no connection yet."""
    return any(words in str(error) for words in _NOT_YET)


def cancelled(error: psycopg2.Error) -> bool:
    """Whether the statement was cancelled on request."""
    return code(error) == "57014"


def sentence(error: psycopg2.Error) -> str:
    """PostgreSQL's own words on one line, with detail and hint, and the SQLSTATE."""
    primary = error.diag.message_primary
    if not primary:
        words = one_line(str(error)) or type(error).__name__
        return words[:400]
    more = [one_line(text) for text in (error.diag.message_detail, error.diag.message_hint) if text]
    detail = f" ({' '.join(more)})" if more else ""
    return f"{one_line(primary)}{detail}"[:600] + f" [{code(error)}]"
