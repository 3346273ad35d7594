"""A plan as people and programs read it: who moves in each wave, why there, what cannot return."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.plan.rollout.inventory import Fleet
from toolchain.plan.rollout.reasons import Refusal
from toolchain.plan.rollout.search import Node, Search, Side, Step
from toolchain.plan.rollout.shard import ShardState, Stage
from toolchain.plan.rollout.stops import stop_reasons


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


_Where = TypeVar("_Where", Version, ShardState)


def plan_of(search: Search, fleet: Fleet, steps: Sequence[Step], policy: RolloutPolicy) -> Plan:
    """The plan that a search has found."""
    chain = search.chain
    waves: list[Wave] = []
    node = search.start
    servers = {version: version for version in fleet.versions}
    hosts = _groups((server.version, server.host) for server in fleet.servers)
    shards = {state: state for state in fleet.states}
    names = _groups((shard.state, shard.name) for shard in fleet.shards)
    for at, step in enumerate(steps):
        release = chain[step.goal[0]].version
        following = next((after for after in steps[at + 1 :] if after.side is step.side), None)
        if step.side is Side.SERVERS:
            part = Part.WHOLE
            there = {start: max(here, release) for start, here in servers.items()}
            moves = _moves(servers, there, hosts, str)
            servers = there
        else:
            part = _part(step, node)
            ends = {start: end_of(search, here, step, node) for start, here in shards.items()}
            moves = _moves(shards, ends, names, spell)
            shards = ends
        waves.append(
            Wave(
                number=at + 1,
                side=step.side,
                release=release,
                part=part,
                moves=moves,
                contracts=tuple(chain[place].version for place in sorted(step.crossed)),
                no_return=bool(step.crossed) and not any(wave.no_return for wave in waves),
                next=chain[following.goal[0]].version if following else None,
                reasons=stop_reasons(search, node, steps[at:], following) if following else (),
            )
        )
        node = step.node
    return Plan(
        target=chain[search.target].version,
        database=None if search.database is None else chain[search.database].version,
        policy=policy,
        fleet=fleet,
        waves=tuple(waves),
    )


def spell(state: ShardState) -> str:
    """A shard's state in a word: its release, and whether the contract is still to come."""
    return str(state.release) if state.stage is Stage.CLOSED else spell_waiting(state.release)


def spell_waiting(release: Version) -> str:
    """A shard that is ready in a release, whose contract is still to come."""
    return f"{release} before its contract"


def end_of(search: Search, state: ShardState, step: Step, node: Node) -> ShardState:
    """Where a shard in a state is after a wave of shards."""
    if search.place(state) >= step.goal:
        return state
    stops = search.walks.stops(state, search.present(node.floor))
    return (stops.get(step.goal) or stops[step.goal[0], Stage.CLOSED]).state


def _part(step: Step, node: Node) -> Part:
    if step.goal[1] is Stage.READY:
        return Part.PREPARE
    moved = node.shards - step.node.shards
    ends = step.node.shards - node.shards
    begun = {state.release for state in moved} == {state.release for state in ends}
    return Part.CONTRACT if begun else Part.WHOLE


def _groups(pairs: Iterable[tuple[_Where, str]]) -> dict[_Where, tuple[str, ...]]:
    found: dict[_Where, list[str]] = {}
    for where, name in pairs:
        found.setdefault(where, []).append(name)
    return {where: tuple(names) for where, names in found.items()}


def _moves(
    before: Mapping[_Where, _Where],
    after: Mapping[_Where, _Where],
    groups: Mapping[_Where, tuple[str, ...]],
    shown: Callable[[_Where], str],
) -> tuple[Move, ...]:
    """What changes from one state of the fleet to the next, by where it goes from and to."""
    found: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for start, names in groups.items():
        if before[start] != after[start]:
            step = shown(before[start]), shown(after[start])
            found.setdefault(step, []).append(names)
    return tuple(
        Move(before=start, after=end, groups=tuple(sorted(names)))
        for (start, end), names in sorted(found.items())
    )
