"""How far a shard is on its way: the steps that have begun and not ended, and what waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from toolchain.model.change import Phase
from toolchain.model.version import Version
from toolchain.plan.fleet_status.seen import LedgerSeen, StepSeen
from toolchain.plan.rollout.world.facts import Chain

# Rows a second of a step of a shard, measured between two looks.
Rates = Mapping[tuple[str, str], float]


class State(Enum):
    """Of a step that has begun and not ended, whether anybody works on it.

    The ledger says `running` of both, since a runner that was killed writes no more; the lock
    tells. A standby does not see the primary's locks, so there nobody knows.
    """

    RUNNING = "running"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step that has begun and not ended; `total`, `rate` and `left` are None where unknown.

    `undoing` says that it is on its way back. `total` is PostgreSQL's estimate of the rows, `rate`
    is in rows a second, `left` in seconds.
    """

    step: str
    release: Version
    phase: Phase
    undoing: bool
    state: State
    rows: int
    total: int | None
    rate: float | None

    @property
    def fraction(self) -> float | None:
        """The part of the rows that is done; an estimate is never taken for the end."""
        return None if not self.total else min(self.rows / self.total, 0.99)

    @property
    def left(self) -> float | None:
        """Seconds that it takes still at its rate; None where it stands or nobody knows."""
        if self.state is not State.RUNNING or not self.total or not self.rate:
            return None
        return max(self.total - self.rows, 0) / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """The release that a shard is on its way into; `done` of its preparing steps have run.

    `total` counts all of them, expand and migrate; None without the specs.
    """

    release: Version
    phase: Phase
    done: int
    total: int | None


def progress_of(shard: str, ledger: LedgerSeen, rates: Rates) -> tuple[Progress, ...]:
    """The unfinished steps, in their order."""
    state = State.STOPPED if ledger.runner is None else State.RUNNING
    if ledger.standby:
        state = State.UNKNOWN
    return tuple(
        Progress(
            step=step.id,
            release=step.release,
            phase=step.phase,
            undoing=step.state == "undoing",
            state=state,
            rows=step.rows,
            total=step.estimate,
            rate=rates.get((shard, step.id), _average(step)),
        )
        for step in ledger.steps
        if step.unfinished
    )


def _average(step: StepSeen) -> float | None:
    """Rows for each second that its batches have taken; rests between them are not counted."""
    return step.rows / step.seconds if step.rows and step.seconds else None


def under_way(ledger: LedgerSeen, chain: Chain | None) -> UnderWay | None:
    """The newest release with a step that has begun, above the one that is ready."""
    begun = [
        step
        for step in ledger.steps
        if (step.done or step.unfinished) and (ledger.ready is None or step.release > ledger.ready)
    ]
    if not begun:
        return None
    release = max(step.release for step in begun)
    mine = [step for step in begun if step.release == release]
    total = None
    if chain is not None and release in chain.places:
        total = sum(step.phase is not Phase.CONTRACT for step in chain.at(release).steps)
    return UnderWay(
        release=release,
        phase=mine[-1].phase,
        done=sum(step.done for step in mine),
        total=total,
    )


def to_move(ledger: LedgerSeen, chain: Chain | None) -> tuple[str, ...]:
    """Steps of ready releases that still move data; no server waits for them, a contract does."""
    if chain is None or ledger.ready not in chain.places:
        return ()
    done = {step.id for step in ledger.steps if step.done}
    return tuple(
        step.id
        for place in chain.history(chain.places[ledger.ready])
        for step in chain[place].steps
        if step.phase is Phase.MIGRATE and step.id not in done
    )
