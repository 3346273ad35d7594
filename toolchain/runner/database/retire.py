"""`retire`: take servers that are gone for good out of the gate's sight."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from ..core.duration import spell_duration
from ..core.errors import Refused, UsageError
from ..core.fleet import Report
from ..core.session import Row, Session
from ..ledger.doubt import raise_doubt
from ..ledger.install import ledger_format
from ..ledger.records import write_event
from ..phases.run import Run

_FIND = """
SELECT s.host, s.instance, s.version, extract(epoch FROM clock_timestamp() - s.last_seen)::float8,
       interlock.live(s)
  FROM interlock.servers AS s
 WHERE s.product = %s AND s.retired IS NULL AND coalesce(s.host = %s, true)
   AND coalesce(s.instance = %s, true)
 ORDER BY s.host COLLATE "C", s.instance COLLATE "C"
"""
_RETIRE = """
UPDATE interlock.servers AS s SET retired = clock_timestamp()
 WHERE s.product = %s AND s.host = %s AND s.instance = %s
"""
# Seconds. Right after an outage every server has expired, and each is seen again within minutes.
UNSEEN = 86400.0

# The servers that live with any shard, by host and instance, each in words.
Living = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Retirement:
    """Whom to retire: one `host`, or, where it is None, all expired and `unseen` for so long.

    `instance` None means all of the host's; `unseen` is in seconds; with `force` also who lives.
    """

    host: str | None
    instance: str | None
    unseen: float
    force: bool

    def __str__(self) -> str:
        if self.host is None:
            return f"expired registration that was not seen for {spell_duration(self.unseen)}"
        return f"registration of {self.host}" + (f"/{self.instance}" if self.instance else "")


def read_retirement(options: argparse.Namespace) -> Retirement:
    """What a command line asks for; raises UsageError."""
    if (options.server is None) == (not options.expired):
        raise UsageError("retire takes one HOST[/INSTANCE], or --expired")
    if options.older_than is not None and not options.expired:
        raise UsageError("--older-than goes with --expired")
    if options.force and options.expired:
        raise UsageError("--force goes with one HOST[/INSTANCE]: what has expired needs none")
    host, instance = options.server or (None, None)
    unseen = UNSEEN if options.older_than is None else options.older_than
    return Retirement(host, instance, unseen, options.force)


def read_living(session: Session, run: Run, wanted: Retirement) -> Report:
    """Who of those that are meant lives with this shard, as `living` of the report's data."""
    rows = [row for row in _find(session, run, wanted) if row[4]]
    return Report((), {"living": {(row[0], row[1]): f"seen {_ago(row)}" for row in rows}})


def retire(session: Session, run: Run, wanted: Retirement, living: Living) -> Report:
    """Retire registrations; a server that comes back registers anew, where it still fits.

    A server that lives with any shard is there, though another has lost sight of it. Raises
    Refused, with nothing retired, where one of the host named lives and `force` was not given.
    """
    with session.transaction():
        session.rows(
            "SELECT FROM interlock.handshake WHERE product = %s FOR NO KEY UPDATE", (run.product,)
        )
        rows = _find(session, run, wanted)
        living = {**living, **{(row[0], row[1]): f"seen {_ago(row)}" for row in rows if row[4]}}
        if wanted.host is None:
            rows = [row for row in rows if row[:2] not in living and row[3] >= wanted.unseen]
        elif not wanted.force:
            _require_expired(living)
        for host, instance, version, _, _ in rows:
            session.run(_RETIRE, (run.product, host, instance))
            write_event(session, run.author, "retired", f"{host}/{instance}", version)
            if (host, instance) in living:
                # It may run on, and registers again at its next refresh.
                raise_doubt(session, run.product, f"{host}/{instance} was retired by force")
    for row in rows:
        if row[4]:
            run.teller.say(f"{row[0]}/{row[1]} was seen {_ago(row)}: make sure that it is stopped")
    return Report(
        lines=tuple(f"retired {row[1]} {row[2]} on {row[0]}, last seen {_ago(row)}" for row in rows)
        or (f"no {wanted}",),
        data={"retired": [{"host": row[0], "instance": row[1], "version": row[2]} for row in rows]},
    )


def _find(session: Session, run: Run, wanted: Retirement) -> list[Row]:
    if ledger_format(session) is None:
        raise Refused(f"there is no ledger of {run.product}")
    return session.rows(_FIND, (run.product, wanted.host, wanted.instance))


def _ago(row: Row) -> str:
    return f"{spell_duration(row[3])} ago"


def _require_expired(living: Living) -> None:
    for (host, instance), seen in living.items():
        raise Refused(
            f"{instance} on {host} is live, {seen}, so a contract must not take away what it uses",
            "stop it, or wait until its registration has expired; if its host is gone for good,"
            " 'retire --force' does it at once",
        )
