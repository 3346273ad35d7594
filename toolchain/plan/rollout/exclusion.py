"""Where there is no way: how far a fleet comes, and the facts that exclude each other there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.plan.rollout.inventory import Fleet
from toolchain.plan.rollout.reasons import Refusal, server_bars, shard_bars
from toolchain.plan.rollout.repair import Repair, repair_of
from toolchain.plan.rollout.search import Node, Search, Side
from toolchain.plan.rollout.shard import Stage

# Nodes to look at without coming any further.
_PATIENCE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """There is no way to the target.

    `servers` and `shards` say how far the fleet comes at the most; `refusals` are the facts that
    exclude each other there, one for each side that is stuck.
    """

    target: Version
    servers: Version | None
    shards: tuple[str, ...]
    refusals: tuple[tuple[Side, Refusal], ...]
    repair: Repair | None


def exclusion_of(search: Search, fleet: Fleet, policy: RolloutPolicy) -> Exclusion:
    """The smallest reason why a search found nothing."""
    node = _furthest(search)
    refusals = tuple(_stuck(search, node))
    return Exclusion(
        target=search.chain[search.target].version,
        servers=search.chain[node.floor].version if search.standing else None,
        shards=tuple(sorted({f"{state.release}" for state in node.shards if search.behind(state)})),
        refusals=refusals,
        repair=repair_of(search, fleet, policy, node, [refusal for _, refusal in refusals]),
    )


def _furthest(search: Search) -> Node:
    """The node that is furthest on: found by always going on from the furthest.

    In a chain of a thousand releases there are too many nodes to look at them all; the search ends
    when it has long found nothing further.
    """
    furthest, seen, vain = search.start, {search.start}, 0
    waiting = [(_behind(search, search.start), 0, search.start)]
    while waiting and vain < _PATIENCE:
        _, _, node = heappop(waiting)
        vain += 1
        if _progress(search, node) > _progress(search, furthest):
            furthest, vain = node, 0
        for step in search.steps(node):
            if step.node not in seen:
                seen.add(step.node)
                heappush(waiting, (_behind(search, step.node), len(seen), step.node))
    return furthest


def _behind(search: Search, node: Node) -> int:
    return -_progress(search, node)[0]


def _progress(search: Search, node: Node) -> tuple[int, int, int, list[tuple[int, int]]]:
    """How far a node is; the last parts only make the choice the same every time."""
    floor = min(node.floor, search.target)
    behind = sorted((*search.place(state),) for state in node.shards)
    lowest = behind[0][0] if behind else search.target
    return floor + min(lowest, search.target), lowest, floor, [(at, int(st)) for at, st in behind]


def _stuck(search: Search, node: Node) -> Iterator[tuple[Side, Refusal]]:
    """For each side that is not at its goal, the fact against the stop that least is against."""
    chain, present = search.chain, search.present(node.floor)
    if any(search.behind(state) for state in node.shards) and search.database is not None:
        lowest = min(search.place(state) for state in node.shards)
        goals = [
            (place, stage)
            for place in range(lowest[0], search.database + 1)
            if place in search.rests
            for stage in Stage
            if (place, stage) > lowest
        ]
        bars = [shard_bars(chain, goal, present, node.shards) for goal in goals]
        for refusal in _least([bar for bar in bars if bar]):
            yield Side.SHARDS, refusal
    if search.standing and node.floor < search.target:
        places = [at for at in range(node.floor + 1, search.target + 1) if search.able[at]]
        for refusal in _least([server_bars(chain, at, present, node.shards) for at in places]):
            yield Side.SERVERS, refusal


def _least(bars: Sequence[tuple[Refusal, ...]]) -> tuple[Refusal, ...]:
    found = min(bars, key=len, default=())
    return found[:1]
