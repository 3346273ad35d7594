"""The one order of all that can happen to a shard, and the ways to a place in it and back."""

from __future__ import annotations

from ..core.errors import Refused
from ..core.law import Handshake
from ..core.version import Versions, version_key
from .actions import (
    BEFORE_ALL,
    Backward,
    Close,
    Forward,
    Lower,
    MakeReady,
    Position,
    RunStep,
    UndoStep,
)
from .manifest import Manifest, Phase, Release, Step
from .records import Ledger


def fresh(manifest: Manifest) -> Ledger:
    """The ledger of a database that holds nothing of the product yet.

    No server can need anything older than what the baseline's contract leaves, so the baseline's
    window is true from the first moment.
    """
    return Ledger(Handshake(0, manifest.baseline.servers), None, None, {})


def made_ready(current: Handshake, release: Release) -> Handshake:
    """The handshake once a release's schema is ready; a wider ceiling holds from then on."""
    ceilings = (current.servers.below, release.servers.below)
    below = None if None in ceilings else max((c for c in ceilings if c), key=version_key)
    return Handshake(max(current.schema, release.schema), Versions(current.servers.oldest, below))


def closed(current: Handshake, release: Release) -> Handshake:
    """The handshake once a release's contract has begun."""
    oldest = max(current.servers.oldest, release.servers.oldest, key=version_key)
    return Handshake(current.schema, Versions(oldest, release.servers.below))


def release_index(manifest: Manifest, version: str | None) -> int:
    """A release's place in the manifest; -1 for none and for one before the baseline.

    A hotfix of an older branch, which the manifest does not carry, stands where the release does
    that it was built upon.
    """
    if version is None:
        return -1
    before = [
        index
        for index, release in enumerate(manifest.releases)
        if version_key(release.version) <= version_key(version)
    ]
    return before[-1] if before else -1


def forward(manifest: Manifest, ledger: Ledger, target: Position) -> tuple[Forward, ...]:
    """What is still to do until the target, in order."""
    ready = release_index(manifest, ledger.ready)
    shut = release_index(manifest, ledger.closed)
    handshake = ledger.handshake
    actions: list[Forward] = []
    for index, release in enumerate(manifest.releases):
        wanted = [step for step in release.preparing if Position(index, step.phase) <= target]
        pending = [step for step in wanted if ledger.state(step) != "done"]
        whole = Position(index, release.readied_by) <= target
        for step in pending:
            last = whole and index > ready and step is pending[-1]
            actions.append(RunStep(step, release, completes=last))
        if whole and index > ready:
            if not pending:
                actions.append(MakeReady(release))
            handshake = made_ready(handshake, release)
        if Position(index, Phase.MIGRATE) <= target:
            actions += _still_to_run(ledger, release, release.trailing)
        if Position(index, Phase.CONTRACT) <= target:
            contracts = release.of(Phase.CONTRACT)
            # A gate that changes nothing leaves no mark; a later release that is ready is one.
            passed = index <= shut or index < ready
            if not passed and (contracts or closed(handshake, release) != handshake):
                actions.append(Close(release))
                handshake = closed(handshake, release)
            actions += _still_to_run(ledger, release, contracts)
    return tuple(actions)


def _still_to_run(ledger: Ledger, release: Release, steps: tuple[Step, ...]) -> list[RunStep]:
    return [
        RunStep(step, release, completes=False) for step in steps if ledger.state(step) != "done"
    ]


def expected(manifest: Manifest, ready: int, shut: int) -> Handshake:
    """What a shard says after these releases (by index, -1 for none) are ready and closed."""
    handshake = fresh(manifest).handshake
    for index, release in enumerate(manifest.releases):
        if index <= ready:
            handshake = made_ready(handshake, release)
        if index <= shut:
            handshake = closed(handshake, release)
    return handshake


def last_closed(manifest: Manifest, shut: int) -> str | None:
    """The last release, up to an index, whose gate changed anything: the mark that it leaves."""
    handshake = fresh(manifest).handshake
    mark = None
    for release in manifest.releases[: shut + 1]:
        handshake = made_ready(handshake, release)
        if release.of(Phase.CONTRACT) or closed(handshake, release) != handshake:
            mark = release.version
        handshake = closed(handshake, release)
    return mark


def backward(manifest: Manifest, ledger: Ledger, target: Position) -> tuple[Backward, ...]:
    """What to undo until the target, in order; raises Refused where there is no way back."""
    ready = release_index(manifest, ledger.ready)
    shut = release_index(manifest, ledger.closed)
    if Position(shut, Phase.MIGRATE) >= target and shut >= 0:
        raise Refused(
            f"the contract of {manifest.releases[shut].version} has begun, and what it removes"
            " does not come back",
            f"undo reaches back to: --to {manifest.releases[shut].version} --phase contract",
        )
    later = [
        step
        for index, release in enumerate(manifest.releases)
        for step in release.steps
        if Position(index, step.phase) > target and ledger.state(step) != "pending"
    ]
    for step in later:
        if ledger.steps[step.id].adopted:
            raise Refused(f"step {step} was adopted by baseline, so this tool cannot undo it")
        if step.undo is None and step.phase is not Phase.MIGRATE:
            raise Refused(f"step {step} has no undo")
    remaining = _ready_at(manifest, ready, target)
    actions: list[Backward] = []
    if remaining < ready:
        actions.append(_lower(manifest, ledger, remaining))
    actions += [UndoStep(step) for step in reversed(later)]
    return tuple(actions)


def _ready_at(manifest: Manifest, ready: int, target: Position) -> int:
    if target == BEFORE_ALL:
        return -1
    readied = Position(target.release, manifest.releases[target.release].readied_by)
    return min(ready, target.release if readied <= target else target.release - 1)


def _lower(manifest: Manifest, ledger: Ledger, remaining: int) -> Lower:
    shut = release_index(manifest, ledger.closed)
    then = expected(manifest, remaining, shut)
    servers = ledger.handshake.servers
    if expected(manifest, release_index(manifest, ledger.ready), shut) == ledger.handshake:
        servers = then.servers
    return Lower(
        Handshake(min(then.schema, ledger.handshake.schema), servers),
        None if remaining < 0 else manifest.releases[remaining].version,
    )
