"""Why a side stops on its way: what would not be legal if it went to its next stop at once."""

from collections.abc import Sequence

from toolchain.plan.rollout.search.deepening import Search
from toolchain.plan.rollout.search.moves import Step
from toolchain.plan.rollout.search.question import Node
from toolchain.plan.rollout.telling.reasons import Refusal, server_bars, shard_bars
from toolchain.plan.rollout.world.inventory import Side
from toolchain.plan.rollout.world.shard import ShardState


def stop_reasons(
    search: Search, node: Node, between: Sequence[Step], following: Step
) -> tuple[Refusal, ...]:
    """The facts that keep a side, at a node, from going to its next stop at once.

    Where nothing does, one of the other side's waves in between would not be legal afterwards.
    """
    bars = _bars(search, following, node.floor, node.shards)
    floor, shards = node.floor, node.shards
    for step in between:
        if bars:
            break
        if following.side is Side.SERVERS:
            bars = _bars(search, step, following.goal[0], shards)
            shards = step.node.shards
        else:
            ends = {search.moves.stops(state, floor).get(following.goal) for state in shards}
            bars = _bars(search, step, floor, frozenset(end.state for end in ends if end))
            floor = step.node.floor
    return bars


def _bars(
    search: Search, step: Step, floor: int, shards: frozenset[ShardState]
) -> tuple[Refusal, ...]:
    """What is in the way of a wave while servers stand at a floor and shards in these states."""
    chain, present = search.question.chain, search.question.present(floor)
    if step.side is Side.SERVERS:
        return server_bars(chain, step.goal[0], present, shards)
    return shard_bars(chain, step.goal, present, shards)
