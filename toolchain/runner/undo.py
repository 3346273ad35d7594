"""`undo`: bring a shard back to a place in the order, as far as the last contract."""

from __future__ import annotations

from . import walk
from .errors import Refused
from .fleet import Report
from .manifest import Manifest
from .records import Ledger
from .run import Activity, Run
from .session import Session
from .state import conclude, known_ledger, spell_state, state_data
from .steps import undo_step
from .transitions import lower


def undo(session: Session, run: Run, target: walk.Position) -> Report:
    """Lower the handshake, then run the undo of every later step, the last one first."""
    ledger = _required(session, run.manifest)
    for action in walk.backward(run.manifest, ledger, target):
        run.stop.check()
        run.teller.show(Activity(walk.describe(action)))
        if isinstance(action, walk.Lower):
            lower(session, run, action)
        else:
            undo_step(session, run, action)
        run.did(walk.describe(action))
    return conclude(session, run)


def preview_undo(session: Session, manifest: Manifest, target: walk.Position) -> Report:
    """What `undo` would do, with the SQL; changes nothing."""
    ledger = _required(session, manifest)
    lines: list[str] = []
    data: list[dict[str, object]] = []
    for action in walk.backward(manifest, ledger, target):
        lines.append(walk.describe(action))
        item: dict[str, object] = {"action": lines[-1]}
        if isinstance(action, walk.UndoStep) and action.step.undo is not None:
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
