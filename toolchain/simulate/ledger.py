"""A shard's way through its phases: the runner's own order, its rules and its gate.

`walk`, `check_ledger` and `require_fit` are those that the database package carries. Only the
database is missing: a question about registrations is answered by the simulated registry.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from toolchain.model.change import Phase as ModelPhase
from toolchain.model.version import Version
from toolchain.plan.rollout.world.shard import ShardState, Stage
from toolchain.runner.core.law import Handshake
from toolchain.runner.core.session import Row as SqlRow
from toolchain.runner.core.session import Session
from toolchain.runner.core.version import Versions
from toolchain.runner.ledger import walk
from toolchain.runner.ledger.actions import (
    Backward,
    Close,
    Forward,
    Lower,
    MakeReady,
    Position,
    RunStep,
    UndoStep,
)
from toolchain.runner.ledger.gate import require_fit
from toolchain.runner.ledger.manifest import Manifest, Phase, Step
from toolchain.runner.ledger.records import Ledger, StepRecord
from toolchain.simulate.audit import host_name
from toolchain.simulate.facts import Facts, as_model
from toolchain.simulate.members import EXPIRES, ROLL_CALL, Node
from toolchain.simulate.registry import Registry
from toolchain.simulate.truth import truth

Action = Forward | Backward


class _Answers:
    """Stands where the runner has its session: the registrations, judged by the law."""

    def __init__(self, facts: Facts, registry: Registry, shard: Node, now: int) -> None:
        self._facts, self._registry, self._shard, self._now = facts, registry, shard, now

    def rows(self, _sql: str, parameters: tuple[object, ...]) -> list[SqlRow]:
        """The rows of the gate's question, as `interlock.servers` would give them."""
        schema, oldest, below, _product = parameters
        proposed = self._facts.number(_handshake(schema, oldest, below))
        found = self._registry.rows(self._shard, self._now)
        return [self._row(host, row.place, row.seen, live, proposed) for host, row, live in found]

    def _row(self, host: int, place: int, seen: int, live: bool, proposed: int) -> SqlRow:
        server = self._facts.servers[place]
        return (
            host_name(host), "server", str(server.version), server.schemas.oldest,
            server.schemas.below, str(server.peers.oldest),
            None if server.peers.below is None else str(server.peers.below),
            float(self._shard.clock(self._now) - self._shard.clock(seen)), float(EXPIRES),
            live, False, self._facts.accepts(place, proposed),
        )  # fmt: skip


def _handshake(schema: object, oldest: object, below: object) -> Handshake:
    return Handshake(cast("int", schema), Versions(cast("str", oldest), cast("str | None", below)))


class Phases:
    """Carries out a run's actions on one shard; `gated` is False where the gate was taken away."""

    def __init__(self, facts: Facts, registry: Registry, *, gated: bool) -> None:
        self._facts = facts
        self._registry = registry
        self._gated = gated
        self._forward: dict[object, tuple[Forward, ...]] = {}

    def roll_call(self, shard: Node, action: Action, now: int) -> int:
        """How many seconds an action still waits for servers that may have to register again."""
        if self._gated and isinstance(action, Close | Lower):
            return max(shard.doubted + ROLL_CALL - now, 0)
        return 0

    def act(self, shard: Node, place: int, action: Action, now: int) -> int:
        """One transaction of a run; what the shard says then, as a number.

        Raises Blocked where a live server stands against it. `place` is the package's release.
        """
        ledger = shard.ledger
        match action:
            case Close(release=release):
                said = walk.closed(ledger.handshake, release)
                self._ask(shard, said, f"the contract of {release.version}", now)
                shard.ledger = replace(ledger, handshake=said, closed=release.version)
            case MakeReady(release=release):
                self._make_ready(shard, ledger, release.version, place, now)
            case RunStep(step=step, release=release, completes=completes):
                if step in release.preparing:
                    said = walk.made_ready(ledger.handshake, release)
                    self._ask(shard, said, f"schema {release.schema} of {release.version}", now)
                ran = replace(ledger, steps={**ledger.steps, step.id: _record(step, "done")})
                shard.ledger = ran
                if completes:
                    self._make_ready(shard, ran, release.version, place, now)
            case Lower(handshake=said, ready=ready):
                self._ask(shard, said, f"going back to {said}", now)
                shard.ledger = replace(ledger, handshake=said, ready=ready)
            case UndoStep(step=step):
                steps = {**ledger.steps, step.id: _record(step, "undone")}
                shard.ledger = replace(ledger, steps=steps)
        return self._facts.number(shard.ledger.handshake)

    def forward(self, place: int, ledger: Ledger, phase: Phase) -> tuple[Forward, ...]:
        """What a database package would still do with a shard, up to a phase of its release."""
        key = (place, phase, ledger.ready, ledger.closed, ledger.handshake, _done(ledger))
        if key not in self._forward:
            manifest = self._facts.manifest(place)
            target = Position(len(manifest.releases) - 1, phase)
            self._forward[key] = walk.forward(manifest, ledger, target)
        return self._forward[key]

    def truth(self, shard: Node, place: int) -> int:
        """What is true of a shard, whatever it says; `place` is the last package's release."""
        return self._facts.number(truth(self._facts.true_manifest(place), shard.ledger))

    def _make_ready(self, shard: Node, ledger: Ledger, version: str, place: int, now: int) -> None:
        manifest = self._facts.manifest(place)
        release = manifest.releases[manifest.index(version)]
        said = walk.made_ready(ledger.handshake, release)
        self._ask(shard, said, f"schema {release.schema} of {version}", now)
        shard.ledger = replace(ledger, handshake=said, ready=version)

    def _ask(self, shard: Node, said: Handshake, purpose: str, now: int) -> None:
        if self._gated:
            session = cast("Session", _Answers(self._facts, self._registry, shard, now))
            require_fit(session, self._facts.said.name, said, purpose)


def _done(ledger: Ledger) -> tuple[str, ...]:
    return tuple(sorted(each.id for each in ledger.steps.values() if each.state == "done"))


def _record(step: Step, state: str) -> StepRecord:
    return StepRecord(
        id=step.id, release=step.release, phase=step.phase.value, checksum=step.script.sha256,
        state=state, adopted=False, batch_walk=None, cursor=None, rows=0,
    )  # fmt: skip


def grown(facts: Facts, place: int) -> Ledger:
    """The ledger of a shard that came to a release through all that its package carries."""
    manifest = facts.manifest(place)
    ledger = walk.fresh(manifest)
    target = Position(len(manifest.releases) - 1, Phase.CONTRACT)
    for action in walk.forward(manifest, ledger, target):
        match action:
            case Close(release=release):
                said = walk.closed(ledger.handshake, release)
                ledger = replace(ledger, handshake=said, closed=release.version)
            case MakeReady(release=release):
                ledger = _ready(ledger, manifest, release.version)
            case RunStep(step=step, release=release, completes=completes):
                steps = {**ledger.steps, step.id: _record(step, "done")}
                ledger = replace(ledger, steps=steps)
                if completes:
                    ledger = _ready(ledger, manifest, release.version)
    return ledger


def _ready(ledger: Ledger, manifest: Manifest, version: str) -> Ledger:
    release = manifest.releases[manifest.index(version)]
    return replace(
        ledger, handshake=walk.made_ready(ledger.handshake, release), ready=release.version
    )


def planned_state(facts: Facts, phases: Phases, ledger: Ledger) -> ShardState | None:
    """A ledger as the planner takes it; None before the first release is ready."""
    if ledger.ready is None:
        return None
    place = facts.names.index(ledger.ready)
    left = phases.forward(place, ledger, Phase.CONTRACT)
    return ShardState(
        release=Version.parse(ledger.ready),
        stage=Stage.READY if left else Stage.CLOSED,
        handshake=as_model(ledger.handshake),
        ahead=frozenset(_beyond(facts, ledger, place)),
    )


def _beyond(facts: Facts, ledger: Ledger, place: int) -> Iterable[str]:
    known = {
        step.id
        for release in facts.manifest(place).releases
        for step in release.steps
    }  # fmt: skip
    return (
        record.id
        for record in ledger.steps.values()
        if record.state == "done"
        and record.id not in known
        and record.phase != ModelPhase.CONTRACT.value
    )
