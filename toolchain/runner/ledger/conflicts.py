"""Where a ledger and this package contradict each other: found before anything is touched."""

from __future__ import annotations

from ..core.errors import LedgerConflict
from ..core.version import version_key
from .manifest import Manifest, Step
from .records import Ledger, StepRecord


def check_ledger(manifest: Manifest, ledger: Ledger) -> None:
    """Raise LedgerConflict with the first contradiction."""
    _check_age(manifest, ledger)
    known = {step.id: step for step in manifest.steps}
    for record in sorted(ledger.steps.values(), key=lambda record: record.id):
        step = known.get(record.id)
        if step is None:
            _check_unknown(manifest, record)
            continue
        if not _is_same(manifest, step, record):
            raise LedgerConflict(
                f"step {record.id} ran as {record.phase} of {record.release}, and this package"
                f" has it as {step.phase.value} of {step.release}"
            )
        if record.state == "undone":
            continue
        if record.checksum != step.script.sha256:
            raise LedgerConflict(
                f"step {step} has run with other SQL than this package carries"
                f" (checksum {record.checksum[:12]}, here {step.script.sha256[:12]})",
                "install the package that ran it, or release the difference as a new change",
            )
        if ended_by_itself(step, record.state, record.batch_walk):
            raise LedgerConflict(
                f"step {step} ended its own transaction (COMMIT or ROLLBACK in its SQL), so nobody"
                " knows what of it is there",
                "finish it by hand and record it with the author of the release",
            )
        if step.batch is not None and not record.adopted and record.batch_walk != step.batch.walk:
            raise LedgerConflict(
                f"step {step} has walked {record.batch_walk}, and this package walks"
                f" {step.batch.walk}"
            )
    _check_gaps(manifest, ledger)


def ended_by_itself(step: Step, state: str, batch_walk: str | None) -> bool:
    """Whether a committed record is one that only the step's own SQL can have committed.

    Nobody else commits a step in one transaction while it runs, or one without its walk
    (phases/batches.py).
    """
    return state == "running" and step.transaction and (step.batch is None or batch_walk is None)


def _check_age(manifest: Manifest, ledger: Ledger) -> None:
    last = manifest.releases[-1].version
    for version in (ledger.ready, ledger.closed):
        if version is not None and version_key(version) > version_key(last):
            raise _too_new(manifest, version)
    oldest = manifest.baseline.version
    if ledger.ready is not None and version_key(ledger.ready) < version_key(oldest):
        raise LedgerConflict(
            f"it is at release {ledger.ready}, older than this package's baseline {oldest}",
            f"first apply a package that still carries the steps from {ledger.ready} to {oldest}",
        )


def _check_unknown(manifest: Manifest, record: StepRecord) -> None:
    last = manifest.releases[-1].version
    if version_key(record.release) > version_key(last):
        if record.state != "undone":
            raise _too_new(manifest, record.release)
    elif version_key(record.release) >= version_key(manifest.baseline.version):
        raise LedgerConflict(
            f"its step {record.id} of {record.release} is unknown to this package",
            "install a package of the same product line",
        )
    elif record.state not in {"done", "undone"}:
        raise LedgerConflict(
            f"its step {record.id} of {record.release} is unfinished, and this package no longer"
            " carries it",
            f"finish it with the database package {record.release}",
        )


def _too_new(manifest: Manifest, version: str) -> LedgerConflict:
    return LedgerConflict(
        f"it has steps of release {version}, newer than this package ({manifest.release})",
        f"install {manifest.product}-database {version} or later",
    )


def _is_same(manifest: Manifest, step: Step, record: StepRecord) -> bool:
    """Whether a record is of this step: of its own release, or of a hotfix that had it first."""
    if record.phase != step.phase.value:
        return False
    return record.release == step.release or _is_early(manifest, step, record)


def _is_early(manifest: Manifest, step: Step, record: StepRecord) -> bool:
    """Whether a hotfix on another branch ran the step; its checksum says that it is the same."""
    carried = {release.version for release in manifest.releases}
    last = manifest.releases[-1].version
    return (
        record.release not in carried
        and record.checksum == step.script.sha256
        and version_key(record.release) < version_key(last)
    )


def _check_gaps(manifest: Manifest, ledger: Ledger) -> None:
    missing = None
    for step in manifest.steps:
        record = ledger.steps.get(step.id)
        if record is not None and _is_early(manifest, step, record):
            continue
        state = ledger.state(step)
        if missing is not None and state != "pending":
            raise LedgerConflict(
                f"step {step} has run before {missing}: there is a gap in the ledger",
                "compare with 'history', and restore the ledger from a backup of the same moment"
                " as the data",
            )
        if state != "done" and missing is None:
            missing = step
