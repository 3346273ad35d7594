"""Why a side stops on its way: what would not be legal if it went to its next stop at once."""

from collections.abc import Sequence

from toolchain.plan.rollout.reasons import Refusal, server_bars, shard_bars
from toolchain.plan.rollout.search import Node, Search, Side, Step
from toolchain.plan.rollout.shard import ShardState


def stop_reasons(
    search: Search, node: Node, steps: Sequence[Step], following: Step
) -> tuple[Refusal, ...]:
    """The facts that keep a side from going to its next stop at once.

    Where nothing does, it is a later wave of the other side that would not be legal.
    """
    floor, shards = node.floor, node.shards
    bars = _bars(search, following, floor, shards)
    if bars:
        return bars
    for step in steps[1:]:
        if step is following:
            break
        if step.side is not following.side:
            if following.side is Side.SERVERS:
                bars = _bars(search, step, following.goal[0], shards)
                shards = step.node.shards
            else:
                ends = {
                    search.walks.stops(state, search.present(floor)).get(following.goal)
                    for state in node.shards
                }
                bars = _bars(search, step, floor, frozenset(end.state for end in ends if end))
                floor = step.node.floor
            if bars:
                return bars
    return ()


def _bars(
    search: Search, step: Step, floor: int, shards: frozenset[ShardState]
) -> tuple[Refusal, ...]:
    present = search.present(floor)
    if step.side is Side.SERVERS:
        return server_bars(search.chain, step.goal[0], present, shards)
    return shard_bars(search.chain, step.goal, present, shards)
