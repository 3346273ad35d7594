"""`retire`: take a server that is gone for good out of the gate's sight."""

from __future__ import annotations

from .duration import spell_duration
from .errors import Refused
from .fleet import Report
from .ledger import ledger_format
from .records import write_event
from .run import Run
from .session import Session

_RETIRE = """
UPDATE interlock.servers AS s SET retired = clock_timestamp()
 WHERE s.product = %s AND s.host = %s AND (s.instance = %s OR %s IS NULL) AND s.retired IS NULL
RETURNING s.instance, s.version, extract(epoch FROM clock_timestamp() - s.last_seen)::float8,
          s.last_seen + s.expires > clock_timestamp()
"""


def retire(session: Session, run: Run, host: str, instance: str | None) -> Report:
    """Retire a host's registrations, or one of them; a server that comes back registers anew."""
    if ledger_format(session) is None:
        raise Refused(f"there is no ledger of {run.product}")
    with session.transaction():
        session.rows(
            "SELECT FROM interlock.handshake WHERE product = %s FOR NO KEY UPDATE", (run.product,)
        )
        rows = session.rows(_RETIRE, (run.product, host, instance, instance))
        for name, version, _, _ in rows:
            write_event(session, run.author, "retired", f"{host}/{name}", version)
    for name, _, age, live in rows:
        if live:
            run.teller.say(
                f"{host}/{name} was seen {spell_duration(age)} ago: make sure that it is stopped"
            )
    return Report(
        lines=tuple(f"retired {name} {version} on {host}" for name, version, _, _ in rows)
        or (f"no registration of {host}" + (f"/{instance}" if instance else ""),),
        data={
            "retired": [
                {"host": host, "instance": name, "version": version} for name, version, _, _ in rows
            ]
        },
    )
