"""What a shard holds at the moment: its ledger, checked, and how that is told."""

from __future__ import annotations

from ..core.session import Session
from .conflicts import check_ledger
from .install import ledger_format
from .manifest import Manifest, Step
from .records import Ledger, read_ledger
from .walk import release_index

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


def unmoved(manifest: Manifest, ledger: Ledger) -> tuple[Step, ...]:
    """The steps of ready releases whose data is still to be moved, behind their ready schema."""
    ready = release_index(manifest, ledger.ready)
    return tuple(
        step
        for release in manifest.releases[: ready + 1]
        for step in release.trailing
        if ledger.state(step) != "done"
    )


def spell_unmoved(manifest: Manifest, ledger: Ledger) -> tuple[str, ...]:
    """A line that says which data is still to be moved; none where all is in its place."""
    steps = unmoved(manifest, ledger)
    if not steps:
        return ()
    return (
        f"data still to be moved by {', '.join(map(str, steps))}; no server waits for it, and"
        " 'apply' goes on",
    )


def unmoved_data(manifest: Manifest, ledger: Ledger) -> list[str]:
    """The ids of those steps, for `--json`."""
    return [step.id for step in unmoved(manifest, ledger)]


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
