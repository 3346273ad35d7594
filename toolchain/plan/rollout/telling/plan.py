"""From the steps that a search found to the waves that are told: who moves in each, and why."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from toolchain.model.version import Version
from toolchain.plan.rollout.search.deepening import Search
from toolchain.plan.rollout.search.moves import Step
from toolchain.plan.rollout.search.question import Node
from toolchain.plan.rollout.telling.stops import stop_reasons
from toolchain.plan.rollout.telling.waves import Move, Part, Plan, Wave, spell
from toolchain.plan.rollout.world.inventory import Side
from toolchain.plan.rollout.world.shard import ShardState, Stage

_Where = TypeVar("_Where", Version, ShardState)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Groups(Generic[_Where]):
    """Who stood alike at first, by where that was; `now` is where each group has come to."""

    names: Mapping[_Where, tuple[str, ...]]
    now: Mapping[_Where, _Where]
    shown: Callable[[_Where], str]

    @classmethod
    def of(
        cls, pairs: Iterable[tuple[_Where, str]], shown: Callable[[_Where], str]
    ) -> "_Groups[_Where]":
        names: dict[_Where, list[str]] = {}
        for where, name in pairs:
            names.setdefault(where, []).append(name)
        return cls(
            names={where: tuple(alike) for where, alike in names.items()},
            now={where: where for where in names},
            shown=shown,
        )

    def moved(self, after: Mapping[_Where, _Where]) -> tuple[tuple[Move, ...], "_Groups[_Where]"]:
        """The moves to where each group is after a wave, and the groups as they stand there."""
        found: dict[tuple[str, str], list[tuple[str, ...]]] = {}
        for start, names in self.names.items():
            if after[start] != self.now[start]:
                step = self.shown(self.now[start]), self.shown(after[start])
                found.setdefault(step, []).append(names)
        moves = tuple(
            Move(before=before, after=end, groups=tuple(sorted(names)))
            for (before, end), names in sorted(found.items())
        )
        return moves, replace(self, now=after)


def plan_of(search: Search, steps: Sequence[Step]) -> Plan:
    """The plan that a search has found."""
    question = search.question
    chain, fleet = question.chain, question.fleet
    servers = _Groups.of(((server.version, server.host) for server in fleet.servers), str)
    shards = _Groups.of(((shard.state, shard.name) for shard in fleet.shards), spell)
    waves: list[Wave] = []
    node = search.start
    for number, step in enumerate(steps, start=1):
        release = chain[step.goal[0]].version
        if step.side is Side.SERVERS:
            moves, servers = servers.moved(
                {start: max(here, release) for start, here in servers.now.items()}
            )
        else:
            moves, shards = shards.moved(
                {
                    start: search.moves.end(here, step.goal, node.floor)
                    for start, here in shards.now.items()
                }
            )
        rest = range(number, len(steps))
        following = next((at for at in rest if steps[at].side is step.side), None)
        waves.append(
            Wave(
                number=number,
                side=step.side,
                release=release,
                part=_part(step, node),
                moves=moves,
                contracts=tuple(chain[place].version for place in sorted(step.crossed)),
                no_return=bool(step.crossed) and not any(wave.no_return for wave in waves),
                next=None if following is None else chain[steps[following].goal[0]].version,
                reasons=()
                if following is None
                else stop_reasons(search, node, steps[number:following], steps[following]),
            )
        )
        node = step.node
    return Plan(
        target=chain[question.target].version,
        database=None if question.database is None else chain[question.database].version,
        policy=question.policy,
        fleet=fleet,
        waves=tuple(waves),
    )


def _part(step: Step, node: Node) -> Part:
    """How much of its release a wave from a node does; servers have no parts."""
    if step.goal[1] is Stage.READY:
        return Part.PREPARE
    moved = {state.release for state in node.shards - step.node.shards}
    ends = {state.release for state in step.node.shards - node.shards}
    return Part.CONTRACT if step.side is Side.SHARDS and moved == ends else Part.WHOLE
