"""The end of a run: the schema's snapshot is kept, and what was done is told."""

from __future__ import annotations

from ..core.errors import LedgerConflict
from ..core.fleet import Report
from ..core.session import Session
from ..ledger.drift import keep_snapshot
from ..ledger.records import read_ledger
from ..ledger.state import spell_state, spell_unmoved, state_data, unmoved_data
from ..ledger.words import spell_count
from ..phases.run import Run


def conclude(session: Session, run: Run) -> Report:
    """Keep the schema's snapshot at the end of a run, and report what was done."""
    keep_snapshot(session, run.product)
    ledger = read_ledger(session, run.product)
    if ledger is None:
        raise LedgerConflict(f"{run.product} has vanished from its ledger")
    did = f"{spell_count(len(run.ran), 'action')}, now " if run.ran else ""
    return Report(
        lines=(did + spell_state(ledger), *spell_unmoved(run.manifest, ledger)),
        data={
            "ran": list(run.ran),
            **state_data(ledger),
            "to_move": unmoved_data(run.manifest, ledger),
        },
    )
