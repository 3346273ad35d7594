"""`history`: what has happened to a shard, the oldest first."""

from __future__ import annotations

from ..core.errors import Refused
from ..core.fleet import Report
from ..core.session import Session
from ..ledger.install import ledger_format
from ..ledger.manifest import Manifest


def history(session: Session, manifest: Manifest, limit: int) -> Report:
    """The last `limit` events of the ledger."""
    if ledger_format(session) is None:
        raise Refused(f"there is no ledger of {manifest.product}")
    rows = session.rows(
        "SELECT * FROM (SELECT id, at, kind, subject, detail, role, operator, host"
        " FROM interlock.events WHERE product = %s ORDER BY id DESC LIMIT %s) AS last"
        " ORDER BY id",
        (manifest.product, limit),
    )
    names = ("at", "kind", "subject", "detail", "role", "operator", "host")
    events = [dict(zip(names, (row[1].isoformat(timespec="seconds"), *row[2:]))) for row in rows]
    return Report(
        lines=tuple(
            f"{at:%Y-%m-%d %H:%M:%S} {kind:<9} {subject}: {detail}{_by(operator, host)}"
            for _, at, kind, subject, detail, _, operator, host in rows
        ),
        data={"events": events},
    )


def _by(operator: str, host: str) -> str:
    return f" ({operator}@{host})" if operator else ""
