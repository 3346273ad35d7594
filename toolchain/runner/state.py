"""What a shard holds at the moment: its ledger, checked, and how that is told."""

from __future__ import annotations

from .conflicts import check_ledger
from .drift import keep_snapshot
from .errors import LedgerConflict
from .fleet import Report
from .ledger import ledger_format
from .manifest import Manifest
from .records import Ledger, read_ledger
from .run import Run
from .session import Session
from .words import spell_count

_TABLES = """
SELECT count(*)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'interlock')
   AND n.nspname !~ '^pg_(toast|temp)'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
"""


def known_ledger(session: Session, manifest: Manifest) -> Ledger | None:
    """The product's ledger on this shard, checked against the manifest, or None."""
    if ledger_format(session) is None:
        return None
    ledger = read_ledger(session, manifest.product)
    if ledger is not None:
        check_ledger(manifest, ledger)
    return ledger


def count_tables(session: Session) -> int:
    """How many tables there are that neither PostgreSQL, an extension nor the ledger owns."""
    count: int = session.rows(_TABLES)[0][0]
    return count


def conclude(session: Session, run: Run) -> Report:
    """Keep the schema's snapshot at the end of a run, and report what was done."""
    keep_snapshot(session, run.product)
    ledger = read_ledger(session, run.product)
    if ledger is None:
        raise LedgerConflict(f"{run.product} has vanished from its ledger")
    did = f"{spell_count(len(run.ran), 'action')}, now " if run.ran else ""
    return Report(
        lines=(did + spell_state(ledger),), data={"ran": list(run.ran), **state_data(ledger)}
    )


def spell_state(ledger: Ledger) -> str:
    """A ledger's state in words."""
    return f"{ledger.ready or 'no release'} ready, {ledger.handshake}"


def state_data(ledger: Ledger) -> dict[str, object]:
    """A ledger's state for `--json`."""
    return {
        "ready": ledger.ready,
        "closed": ledger.closed,
        "schema": ledger.handshake.schema,
        "oldest_server": ledger.handshake.servers.oldest,
        "servers_below": ledger.handshake.servers.below,
    }
