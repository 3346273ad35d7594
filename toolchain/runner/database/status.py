"""`status`: where a shard stands, what is pending, who is live, who holds the lock."""

from __future__ import annotations

from ..core.fleet import Report
from ..core.session import Row, Session
from ..ledger import walk
from ..ledger.actions import Forward, Position, describe
from ..ledger.doubt import doubt_data, read_doubt
from ..ledger.gate import Registration, read_registrations, server_data
from ..ledger.lock import describe_holder, lock_holder
from ..ledger.manifest import Manifest, Phase, Step
from ..ledger.records import Ledger
from ..ledger.state import known_ledger, spell_state, spell_unmoved, state_data, unmoved_data
from ..ledger.words import spell_count


def status(session: Session, manifest: Manifest) -> Report:
    """Read a shard's state; changes nothing and waits for nobody."""
    before = lock_holder(session, manifest.product)
    ledger = known_ledger(session, manifest)
    if ledger is None:
        return Report(
            lines=(f"no ledger of {manifest.product}: 'apply' starts one, 'baseline' adopts",),
            data={"ledger": False},
        )
    last = len(manifest.releases) - 1
    prepare = walk.forward(manifest, ledger, Position(last, Phase.MIGRATE))
    everything = walk.forward(manifest, ledger, Position(last, Phase.CONTRACT))
    unfinished = [step for step in manifest.steps if ledger.state(step) in {"running", "undoing"}]
    servers = read_registrations(session, manifest.product, ledger.handshake)
    doubt = read_doubt(session, manifest.product)
    # Asked before the ledger and after it: a runner that begins or ends in between was at work.
    holder = lock_holder(session, manifest.product) or before
    lines = [
        spell_state(ledger),
        *spell_unmoved(manifest, ledger),
        f"pending: {_pending(manifest, prepare, everything)}",
    ]
    remarks = [_unfinished(ledger, step, _attended(session, holder)) for step in unfinished]
    lines += [line for line, _ in remarks]
    if holder is not None:
        lines.append(f"at work: {describe_holder(holder)}")
    if doubt is not None:
        lines.append(f"a contract {doubt}")
    lines += [f"server: {server}{_remark(server)}" for server in servers]
    return Report(
        lines=tuple(lines),
        data={
            "ledger": True,
            **state_data(ledger),
            "to_move": unmoved_data(manifest, ledger),
            "pending": [describe(action) for action in prepare],
            "pending_contract": [describe(action) for action in everything[len(prepare) :]],
            "unfinished": [data for _, data in remarks],
            "roll_call": doubt_data(doubt),
            "locked_by": None if holder is None else describe_holder(holder),
            "servers": [server_data(server) for server in servers],
        },
    )


def _pending(
    manifest: Manifest, prepare: tuple[Forward, ...], everything: tuple[Forward, ...]
) -> str:
    contract = len(everything) - len(prepare)
    if not everything:
        return f"nothing, {manifest.release} is complete"
    if not prepare:
        return f"{spell_count(contract, 'action')} of the contract of {manifest.release}"
    return f"{spell_count(len(prepare), 'action')} to {manifest.release}" + (
        f", then {contract} of its contract" if contract else ""
    )


def _attended(session: Session, holder: Row | None) -> bool | None:
    """Whether a runner is at work; None on a standby, which does not see the primary's locks."""
    return None if session.standby else holder is not None


def _unfinished(ledger: Ledger, step: Step, attended: bool | None) -> tuple[str, dict[str, object]]:
    """A step that has begun and not ended, as a line and for `--json`.

    The ledger alone cannot tell a step that runs from one whose runner was killed; the lock can.
    """
    record = ledger.steps[step.id]
    undoing = record.state == "undoing"
    again = "'undo --to' finishes it" if undoing else "'apply' goes on there"
    told = {
        True: f"{step} is {record.state}, {record.rows} rows so far",
        False: f"{'the undo of ' if undoing else ''}{step} has stopped after {record.rows} rows,"
        f" and nobody works on it; {again}",
        None: f"{step} is {record.state} or has stopped, {record.rows} rows so far; a standby"
        " cannot tell which",
    }[attended]
    return f"unfinished: {told}", {
        "step": step.id,
        "state": "stopped" if attended is False else record.state,
        "undoing": undoing,
        "attended": attended,
        "rows": record.rows,
        "cursor": record.cursor,
    }


def _remark(server: Registration) -> str:
    if server.retired:
        return ", retired"
    return "" if server.fits else ", DOES NOT FIT this shard"
