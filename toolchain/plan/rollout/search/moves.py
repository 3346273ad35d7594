"""Which waves the law allows from where a fleet stands, in the order of preference.

A wave lifts all servers, or all shards, below a release to it, so the servers that run are given
by their oldest (the floor) and by those that stood higher from the beginning. A new server must
accept the old ones as peers even where there is only one: what that one wrote to queues and caches
outlives it.

What is preferred:

1. a wave that begins no contract before one that does, fewer contracts before more;
2. shards before servers where the rollout policy is `database-first`, servers before shards
   otherwise;
3. a release entered whole before one whose contract is left for later;
4. the newest release first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from toolchain.model.release import RolloutPolicy
from toolchain.plan.rollout.search.bound import Bound
from toolchain.plan.rollout.search.question import Node, Question
from toolchain.plan.rollout.search.walks import Stop, Walks
from toolchain.plan.rollout.world.inventory import Side
from toolchain.plan.rollout.world.shard import ShardState, Stage
from toolchain.plan.rollout.world.way import Goal


@dataclass(frozen=True, slots=True)
class Step:
    """One wave in the search: everything of one side that is below the goal goes there.

    `crossed` are the releases that shards enter for good on the way, `node` is where it ends.
    """

    side: Side
    goal: Goal
    crossed: frozenset[int]
    node: Node


class Moves:
    """The legal waves of one question, found once for each node."""

    def __init__(self, question: Question, walks: Walks, bound: Bound) -> None:
        self._question = question
        self._walks = walks
        self._bound = bound
        self._known: dict[Node, tuple[Step, ...]] = {}

    def of(self, node: Node) -> tuple[Step, ...]:
        """All legal waves from a node, in the order of preference."""
        if node not in self._known:
            found = [*self._of_servers(node), *self._of_shards(node)]
            self._known[node] = tuple(sorted(found, key=self._preference))
        return self._known[node]

    def end(self, state: ShardState, goal: Goal, floor: int) -> ShardState:
        """Where a shard in a state is after a legal wave to a goal."""
        stop = self._stop(state, goal, self.stops(state, floor))
        assert stop is not None  # noqa: S101  (a wave is legal if it takes every shard along)
        return stop.state

    def stops(self, state: ShardState, floor: int) -> Mapping[Goal, Stop]:
        """Where one shard may go while the oldest server stands at a floor."""
        return self._walks.stops(state, self._question.present(floor))

    def _preference(self, step: Step) -> tuple[int, bool, bool, int]:
        release, stage = step.goal
        shards_first = self._question.policy is RolloutPolicy.DATABASE_FIRST
        other = (step.side is Side.SHARDS) != shards_first
        return len(step.crossed), other, stage is Stage.READY, -release

    def _of_servers(self, node: Node) -> Iterator[Step]:
        question, fits = self._question, self._walks.fits
        if node.floor >= question.target:
            return
        present = question.present(node.floor)
        for place in range(node.floor + 1, self._bound.newest(node.floor) + 1):
            if (
                question.able[place]
                and fits.peers(place, present)
                and all(fits.shard((place,), state.handshake) for state in node.shards)
            ):
                after = Node(place, node.shards)
                yield Step(Side.SERVERS, (place, Stage.CLOSED), frozenset(), after)

    def _of_shards(self, node: Node) -> Iterator[Step]:
        question = self._question
        if question.database is None:
            return
        stops = {state: self.stops(state, node.floor) for state in node.shards}
        goals = {goal for known in stops.values() for goal in known if goal[0] in question.rests}
        seen = {node.shards}
        for goal in sorted(goals, key=lambda goal: (goal[0], -goal[1])):
            ends = [self._stop(state, goal, known) for state, known in stops.items()]
            reached = [stop for stop in ends if stop is not None]
            after = frozenset(stop.state for stop in reached)
            if len(reached) == len(ends) and after not in seen:
                seen.add(after)
                crossed = frozenset[int]().union(*(stop.crossed for stop in reached))
                yield Step(Side.SHARDS, goal, crossed, Node(node.floor, after))

    def _stop(self, state: ShardState, goal: Goal, stops: Mapping[Goal, Stop]) -> Stop | None:
        """Where a wave to a goal takes a shard; None where the law does not let it go there."""
        if self._question.place(state) >= goal:
            return Stop(state, frozenset())
        release, stage = goal
        if stage is Stage.READY and goal not in stops:
            # Nothing is left to close for this shard, so both goals are one.
            return stops.get((release, Stage.CLOSED))
        return stops.get(goal)
