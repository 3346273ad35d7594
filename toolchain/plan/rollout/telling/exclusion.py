"""Where there is no way: how far a fleet comes, and the facts that exclude each other there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from toolchain.model.version import Version
from toolchain.plan.rollout.search.deepening import Search
from toolchain.plan.rollout.search.question import Node, Question
from toolchain.plan.rollout.telling.reasons import Refusal, server_bars, shard_bars
from toolchain.plan.rollout.telling.repair import Repair, repair_of
from toolchain.plan.rollout.world.inventory import Side
from toolchain.plan.rollout.world.shard import Stage

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


def exclusion_of(search: Search) -> Exclusion:
    """The smallest reason why a search found nothing."""
    question = search.question
    chain = question.chain
    node = _furthest(search)
    refusals = tuple(_stuck(question, node))
    behind = {f"{state.release}" for state in node.shards if question.behind(state)}
    return Exclusion(
        target=chain[question.target].version,
        servers=chain[node.floor].version if question.servers else None,
        shards=tuple(sorted(behind)),
        refusals=refusals,
        repair=repair_of(question, node, [refusal for _, refusal in refusals]),
    )


def _furthest(search: Search) -> Node:
    """The node that is furthest on: found by always going on from the furthest.

    In a chain of a thousand releases there are too many nodes to look at them all; the search ends
    when it has long found nothing further.
    """
    question, furthest, vain = search.question, search.start, 0
    seen = {furthest}
    waiting = [(_behind(question, furthest), 0, furthest)]
    while waiting and vain < _PATIENCE:
        _, _, node = heappop(waiting)
        vain += 1
        if _progress(question, node) > _progress(question, furthest):
            furthest, vain = node, 0
        for step in search.moves.of(node):
            if step.node not in seen:
                seen.add(step.node)
                heappush(waiting, (_behind(question, step.node), len(seen), step.node))
    return furthest


def _behind(question: Question, node: Node) -> int:
    return -_progress(question, node)[0]


def _progress(question: Question, node: Node) -> tuple[int, int, int, list[tuple[int, int]]]:
    """How far a node is; the last parts only make the choice the same every time."""
    floor = min(node.floor, question.target)
    behind = sorted((*question.place(state),) for state in node.shards)
    lowest = behind[0][0] if behind else question.target
    return floor + min(lowest, question.target), lowest, floor, [(at, int(st)) for at, st in behind]


def _stuck(question: Question, node: Node) -> Iterator[tuple[Side, Refusal]]:
    """For each side that is not at its goal, the fact against the stop that least is against."""
    chain, present = question.chain, question.present(node.floor)
    if question.database is not None and any(question.behind(state) for state in node.shards):
        lowest = min(question.place(state) for state in node.shards)
        goals = [
            (place, stage)
            for place in range(lowest[0], question.database + 1)
            if place in question.rests
            for stage in Stage
            if (place, stage) > lowest
        ]
        bars = [shard_bars(chain, goal, present, node.shards) for goal in goals]
        for refusal in _least([bar for bar in bars if bar]):
            yield Side.SHARDS, refusal
    if question.servers and node.floor < question.target:
        places = [at for at in range(node.floor + 1, question.target + 1) if question.able[at]]
        for refusal in _least([server_bars(chain, at, present, node.shards) for at in places]):
            yield Side.SERVERS, refusal


def _least(bars: Sequence[tuple[Refusal, ...]]) -> tuple[Refusal, ...]:
    found = min(bars, key=len, default=())
    return found[:1]
