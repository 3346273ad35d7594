"""`baseline`: adopt a database that was made without this tool, without running anything."""

from __future__ import annotations

from dataclasses import replace

from ..core.errors import Refused
from ..core.fleet import Report
from ..core.session import RELEASE_PATH, Session
from ..ledger import walk
from ..ledger.actions import Position
from ..ledger.install import grant_check, install_ledger
from ..ledger.manifest import Manifest, Phase, Step
from ..ledger.records import Ledger, begin_step, finish_step, write_handshake
from ..ledger.state import count_tables, known_ledger, state_data
from ..phases.run import Run
from .conclude import conclude


def baseline(session: Session, run: Run, target: Position) -> Report:
    """Record every step up to the target as done; raises Refused where it does not fit."""
    if not _adopted_before(session, run.manifest, target):
        check_adoptable(session, run.manifest, target)
        install_ledger(session, run.stop)
        _adopt(session, run, target)
        run.did(f"adopted {run.manifest.releases[target.release].version}")
    grant_check(session, run.settings.server_roles)
    return conclude(session, run)


def preview_baseline(session: Session, manifest: Manifest, target: Position) -> Report:
    """What `baseline` would record; changes nothing."""
    ledger = adopted(manifest, target)
    check_adoptable(session, manifest, target)
    steps = [str(step) for step in adopted_steps(manifest, target)]
    return Report(
        lines=(*(f"adopt {step}" for step in steps), f"say {ledger.handshake}"),
        data={"adopts": steps, **state_data(ledger)},
    )


def adopted(manifest: Manifest, target: Position) -> Ledger:
    """What the ledger says of a database that stands at the target.

    Before a release's contract its shard accepts what the contract before it left. Nobody knows
    what stood before the first release, so there its own window is taken: narrower, never wrong.
    """
    shut = target.release if target.phase is Phase.CONTRACT else target.release - 1
    return Ledger(
        walk.expected(manifest, target.release, shut),
        manifest.releases[target.release].version,
        walk.last_closed(manifest, shut),
        {},
    )


def _adopted_before(session: Session, manifest: Manifest, target: Position) -> bool:
    """Whether the very same baseline was recorded before, by a run that was cut off, say."""
    ledger = known_ledger(session, manifest)
    return (
        ledger is not None
        and replace(ledger, steps={}) == adopted(manifest, target)
        and set(ledger.steps) == {step.id for step in adopted_steps(manifest, target)}
        and all(record.adopted for record in ledger.steps.values())
    )


def _adopt(session: Session, run: Run, target: Position) -> None:
    ledger = adopted(run.manifest, target)
    with session.transaction():
        write_handshake(session, run.author, ledger.handshake, ledger.ready, ledger.closed)
        for step in adopted_steps(run.manifest, target):
            begin_step(session, run.author, run.manifest, step)
            finish_step(session, run.author, step, state="done", seconds=0.0, adopted=True)


def adopted_steps(manifest: Manifest, target: Position) -> tuple[Step, ...]:
    """The steps up to the target, in order."""
    return tuple(
        step
        for index, release in enumerate(manifest.releases)
        for step in release.steps
        if Position(index, step.phase) <= target
    )


def check_adoptable(session: Session, manifest: Manifest, target: Position) -> None:
    """Raise Refused where the database cannot be what it is said to be."""
    if known_ledger(session, manifest) is not None:
        raise Refused(f"there is a ledger of {manifest.product} already", "see 'status'")
    if not count_tables(session):
        raise Refused("the database is empty", "bring it up with 'apply'")
    if target.phase is Phase.MIGRATE:
        for step in manifest.releases[target.release].of(Phase.MIGRATE):
            if step.batch is not None and not _table_exists(session, step.batch.table):
                raise Refused(
                    f"the table {step.batch.table}, which {step} walks, is not there",
                    "check that the database stands at the release that was named",
                )


def _table_exists(session: Session, table: str) -> bool:
    with session.transaction():
        session.run(f"SET LOCAL search_path = {RELEASE_PATH}")
        return bool(
            session.rows(
                "SELECT to_regclass((SELECT string_agg(quote_ident(part), '.' ORDER BY place)"
                " FROM unnest(string_to_array(%s, '.')) WITH ORDINALITY AS p(part, place)))"
                " IS NOT NULL",
                (table,),
            )[0][0]
        )
