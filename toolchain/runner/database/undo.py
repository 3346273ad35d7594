"""`undo`: bring a shard back to a place in the order, as far as the last contract."""

from __future__ import annotations

from ..core.errors import Refused
from ..core.fleet import Report
from ..core.session import Session
from ..ledger import walk
from ..ledger.actions import Lower, Position, UndoStep, describe
from ..ledger.manifest import Manifest
from ..ledger.records import Ledger
from ..ledger.state import known_ledger, spell_state, state_data
from ..phases.activity import Activity
from ..phases.run import Run
from ..phases.steps import undo_step
from ..phases.transitions import lower
from .conclude import conclude


def undo(session: Session, run: Run, target: Position) -> Report:
    """Lower the handshake, then run the undo of every later step, the last one first."""
    ledger = _required(session, run.manifest)
    for action in walk.backward(run.manifest, ledger, target):
        run.stop.check()
        run.teller.show(Activity(describe(action)))
        if isinstance(action, Lower):
            lower(session, run, action)
        else:
            undo_step(session, run, action)
        run.did(describe(action))
    return conclude(session, run)


def preview_undo(session: Session, manifest: Manifest, target: Position) -> Report:
    """What `undo` would do, with the SQL; changes nothing."""
    ledger = _required(session, manifest)
    lines: list[str] = []
    data: list[dict[str, object]] = []
    for action in walk.backward(manifest, ledger, target):
        lines.append(describe(action))
        item: dict[str, object] = {"action": lines[-1]}
        if isinstance(action, UndoStep) and action.step.undo is not None:
            item["sql"] = [action.step.undo.text]
            lines += [f"    {line}" for line in action.step.undo.text.strip().splitlines()]
        data.append(item)
    return Report(
        lines=tuple(lines) or (f"nothing to undo: {spell_state(ledger)}",),
        data={"actions": data, **state_data(ledger)},
    )


def _required(session: Session, manifest: Manifest) -> Ledger:
    ledger = known_ledger(session, manifest)
    if ledger is None:
        raise Refused(f"there is no ledger of {manifest.product}, so there is nothing to undo")
    return ledger
