"""`apply`: bring a shard forward to a place in the order, from wherever it is."""

from __future__ import annotations

from ..core.errors import LedgerConflict, Refused
from ..core.fleet import Report
from ..core.law import Handshake
from ..core.session import Session
from ..ledger import walk
from ..ledger.actions import Close, MakeReady, Position, RunStep, describe
from ..ledger.doubt import doubt_data, read_doubt
from ..ledger.gate import read_registrations
from ..ledger.install import grant_check, install_ledger
from ..ledger.manifest import Manifest
from ..ledger.records import Ledger, read_ledger
from ..ledger.state import count_tables, known_ledger, spell_state, state_data
from ..ledger.words import spell_count
from ..phases.activity import Activity
from ..phases.run import Run
from ..phases.steps import run_step
from ..phases.transitions import begin, close, make_ready, require_ready_fit
from .conclude import conclude


def apply(session: Session, run: Run, target: Position, *, create: bool) -> Report:
    """Run what is still to do until the target; raises RunnerError with one sentence."""
    ledger = _open(session, run, create=create)
    grant_check(session, run.settings.server_roles)
    asked: set[str] = set()
    for action in walk.forward(run.manifest, ledger, target):
        run.stop.check()
        run.teller.show(Activity(describe(action)))
        if isinstance(action, Close):
            close(session, run, action.release)
        elif isinstance(action, MakeReady):
            make_ready(session, run, action.release)
        else:
            if action.step in action.release.preparing and action.release.version not in asked:
                # Asked again where it counts; here, so that nothing is begun in vain.
                asked.add(action.release.version)
                require_ready_fit(session, run, action.release)
            run_step(session, run, action)
        run.did(describe(action))
    return conclude(session, run)


def preview(
    session: Session, manifest: Manifest, target: Position, *, create: bool, sql: bool
) -> Report:
    """What `apply` would do and who would block it, with the SQL if wanted; changes nothing."""
    ledger = known_ledger(session, manifest)
    registered = ledger is not None
    doubt = read_doubt(session, manifest.product) if registered else None
    if ledger is None:
        _refuse_existing(session, manifest, create=create)
        ledger = walk.fresh(manifest)
    lines: list[str] = []
    data: list[dict[str, object]] = []
    handshake = ledger.handshake
    for action in walk.forward(manifest, ledger, target):
        against: list[str] = []
        if isinstance(action, Close):
            handshake = walk.closed(handshake, action.release)
        elif isinstance(action, MakeReady) or action.completes:
            handshake = walk.made_ready(handshake, action.release)
        if registered and not (isinstance(action, RunStep) and not action.completes):
            against = _blockers(session, manifest, handshake)
        blocked = f" - blocked by {', '.join(against)}" if against else ""
        waits = isinstance(action, Close) and doubt is not None
        lines.append(describe(action) + blocked + (f" - {doubt}" if waits else ""))
        item: dict[str, object] = {"action": describe(action), "blocked_by": against}
        if waits:
            item["roll_call"] = doubt_data(doubt)
        if sql and isinstance(action, RunStep):
            item["sql"] = list(action.step.sql)
            for text in action.step.sql:
                lines += [f"    {line}" for line in text.strip().splitlines()]
        data.append(item)
    return Report(
        lines=tuple(lines) or (f"nothing to do: {spell_state(ledger)}",),
        data={"actions": data, **state_data(ledger)},
    )


def _open(session: Session, run: Run, *, create: bool) -> Ledger:
    ledger = known_ledger(session, run.manifest)
    if ledger is None:
        _refuse_existing(session, run.manifest, create=create)
        install_ledger(session, run.stop)
        begin(session, run)
        ledger = read_ledger(session, run.product)
        if ledger is None:
            raise LedgerConflict("the ledger does not keep what is written to it")
    for step in run.manifest.steps:
        if ledger.state(step) == "undoing":
            raise Refused(
                f"the undo of step {step} was interrupted", "finish it first with 'undo --to'"
            )
    return ledger


def _refuse_existing(session: Session, manifest: Manifest, *, create: bool) -> None:
    """Raise Refused before the first step of a new product would run on somebody's tables."""
    tables = count_tables(session)
    if tables and not create:
        raise Refused(
            f"the database holds {spell_count(tables, 'table')},"
            f" but no ledger of {manifest.product}",
            f"adopt an existing {manifest.product} with 'baseline RELEASE', or start a new one"
            " beside those tables with 'apply --create'",
        )


def _blockers(session: Session, manifest: Manifest, proposed: Handshake) -> list[str]:
    return [
        str(server)
        for server in read_registrations(session, manifest.product, proposed)
        if server.misfit
    ]
