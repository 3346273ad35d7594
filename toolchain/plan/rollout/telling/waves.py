"""A plan as people and programs read it: who moves in each wave, why there, what cannot return."""

from dataclasses import dataclass
from enum import Enum

from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.plan.rollout.telling.reasons import Refusal
from toolchain.plan.rollout.world.inventory import Fleet, Side
from toolchain.plan.rollout.world.shard import ShardState, Stage


class Part(Enum):
    """How much of its release a wave of shards does."""

    WHOLE = "whole"
    PREPARE = "prepare"  # expand and migrate; the contract is left for a later wave
    CONTRACT = "contract"  # what an earlier wave left


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Servers or shards that make the same step in one wave.

    `groups` are the names of those that stood alike from the beginning, and so always move
    together: ten thousand hosts are a handful of groups.
    """

    before: str
    after: str
    groups: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(name for group in self.groups for name in group))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One wave; `contracts` are the releases that it enters for good, in version order.

    `reasons` say why the same side does not go to its `next` stop at once; both are empty in the
    last wave of a side. `no_return` marks the wave after which the fleet cannot go back to where
    it was: the first that begins a contract, or runs an expand that has no undo.
    """

    number: int
    side: Side
    release: Version
    part: Part
    moves: tuple[Move, ...]
    contracts: tuple[Version, ...]
    no_return: bool
    next: Version | None
    reasons: tuple[Refusal, ...]

    @property
    def count(self) -> int:
        """How many hosts or shards move."""
        return sum(len(group) for move in self.moves for group in move.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The least number of waves to a target; none where nothing is below it."""

    target: Version
    database: Version | None
    policy: RolloutPolicy
    fleet: Fleet
    waves: tuple[Wave, ...]

    @property
    def point_of_no_return(self) -> Wave | None:
        """The first wave that cannot be taken back; None where every one can."""
        return next((wave for wave in self.waves if wave.no_return), None)


def spell(state: ShardState) -> str:
    """A shard's state in a word: its release, and whether the contract is still to come."""
    return str(state.release) if state.stage is Stage.CLOSED else spell_waiting(state.release)


def spell_waiting(release: Version) -> str:
    """A shard that is ready in a release, whose contract is still to come."""
    return f"{release} before its contract"
