"""The least number of waves: iterative deepening over server floors and shard states.

A wave lifts all servers, or all shards, below a release to it, so the servers that run are given
by their oldest (the floor) and by those that stood higher from the beginning. A new server must
accept the old ones as peers even where there is only one: what that one wrote to queues and caches
outlives it.

Moves are tried in the order of preference. The first plan that is found within the least number of
waves is therefore the preferred one, and the same for every order of input:

1. a wave that begins no contract before one that does, fewer contracts before more;
2. shards before servers where the rollout policy is `database-first`, servers before shards
   otherwise;
3. a release entered whole before one whose contract is left for later;
4. the newest release first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from heapq import heappop, heappush

from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.plan.rollout.bound import UNREACHABLE, Bound
from toolchain.plan.rollout.facts import Chain
from toolchain.plan.rollout.fits import Fits
from toolchain.plan.rollout.inventory import Fleet
from toolchain.plan.rollout.shard import ShardState, Stage
from toolchain.plan.rollout.walks import Goal, Walks


class Side(Enum):
    """Which half of the fleet a wave moves."""

    SHARDS = "shards"
    SERVERS = "servers"


@dataclass(frozen=True, slots=True)
class Node:
    """Where a fleet stands: the place of its oldest server, and the states of its shards."""

    floor: int
    shards: frozenset[ShardState]


@dataclass(frozen=True, slots=True)
class Step:
    """One wave in the search: everything of one side that is below the goal goes there."""

    side: Side
    goal: Goal
    crossed: frozenset[int]
    node: Node


class Search:
    """Plans for one fleet, one target and one chain.

    `walks` may be those of another search in the same chain to the same target: they remember.
    """

    def __init__(
        self,
        chain: Chain,
        fleet: Fleet,
        target: Version,
        policy: RolloutPolicy,
        walks: Walks | None = None,
    ) -> None:
        self.chain = chain
        self.target = chain.places[target]
        self.database = chain.database(self.target)
        self.walks = Walks(chain, Fits(chain), self.target) if walks is None else walks
        self.fits = self.walks.fits
        self.standing = tuple(chain.places[version] for version in fleet.versions)
        self.start = Node(
            floor=self.standing[0] if self.standing else len(chain), shards=fleet.states
        )
        self._shards_first = policy is RolloutPolicy.DATABASE_FIRST
        # A pre-release is a stop only for those who ask for it.
        self.able = tuple(
            at == self.target or (facts.withdrawn is None and facts.version.stage is None)
            for at, facts in enumerate(chain.releases)
        )
        # A final release without a database package of its own may have that of its pre-release.
        databases = (chain.database(at) for at, able in enumerate(self.able) if able)
        self.rests = frozenset(at for at in databases if at is not None)
        self._bound = Bound(
            chain,
            servers=self.standing,
            states=tuple(fleet.states),
            target=self.target,
            database=self.database,
            able=self.able,
        )
        self._steps: dict[Node, tuple[Step, ...]] = {}
        self._least: dict[Node, int] = {}
        # The waves that are known not to be enough from a node.
        self._vain: dict[Node, int] = {}

    def present(self, floor: int) -> tuple[int, ...]:
        """The versions that run while the oldest server stands at a floor."""
        if not self.standing:
            return ()
        return (floor, *(place for place in self.standing if place > floor))

    def behind(self, state: ShardState) -> bool:
        """Whether a shard is not yet where the target wants it."""
        goal = (self.database, Stage.CLOSED)
        return self.database is not None and (self.place(state) < goal)

    def place(self, state: ShardState) -> Goal:
        """A shard's state as release and stage."""
        return self.chain.places[state.release], state.stage

    def needed(self, node: Node) -> int:
        """The waves that a node needs at the least."""
        if node not in self._least:
            # Those that are where they must be count, too: servers may need them to go further.
            places = [self.place(state) for state in node.shards]
            self._least[node] = self._bound.waves(
                node.floor if self.standing else None,
                min(2 * release + stage for release, stage in places) if places else None,
            )
        return self._least[node]

    def steps(self, node: Node) -> tuple[Step, ...]:
        """All legal waves from a node, in the order of preference."""
        if node not in self._steps:
            found = [*self._server_steps(node), *self._shard_steps(node)]
            self._steps[node] = tuple(sorted(found, key=self._preference))
        return self._steps[node]

    def _preference(self, step: Step) -> tuple[int, bool, bool, int]:
        release, stage = step.goal
        other = (step.side is Side.SHARDS) != self._shards_first
        return len(step.crossed), other, stage is Stage.READY, -release

    def _server_steps(self, node: Node) -> Iterator[Step]:
        if node.floor >= self.target:
            return
        present = self.present(node.floor)
        for place in range(node.floor + 1, self._bound.newest(node.floor) + 1):
            if (
                self.able[place]
                and self.fits.peers(place, present)
                and all(self.fits.shard((place,), state.handshake) for state in node.shards)
            ):
                after = Node(place, node.shards)
                yield Step(Side.SERVERS, (place, Stage.CLOSED), frozenset(), after)

    def _shard_steps(self, node: Node) -> Iterator[Step]:
        if self.database is None:
            return
        present = self.present(node.floor)
        behind = {state: self.walks.stops(state, present) for state in node.shards}
        goals = {goal for stops in behind.values() for goal in stops if goal[0] in self.rests}
        seen: set[frozenset[ShardState]] = set()
        for goal in sorted(goals, key=lambda goal: (goal[0], -goal[1])):
            after: set[ShardState] = set()
            crossed: frozenset[int] = frozenset()
            for state, stops in behind.items():
                if self.place(state) >= goal:
                    after.add(state)
                elif goal in stops:
                    after.add(stops[goal].state)
                    crossed |= stops[goal].crossed
                elif goal[1] is Stage.READY and (goal[0], Stage.CLOSED) in stops:
                    # Nothing is left to close for this shard, so both goals are one.
                    stop = stops[goal[0], Stage.CLOSED]
                    after.add(stop.state)
                    crossed |= stop.crossed
                else:
                    break
            else:
                frozen = frozenset(after)
                if frozen != node.shards and frozen not in seen:
                    seen.add(frozen)
                    yield Step(Side.SHARDS, goal, crossed, Node(node.floor, frozen))

    def shortest(self) -> tuple[Step, ...] | None:
        """The preferred plan of the least waves; None when there is no plan at all."""
        least = self.needed(self.start)
        if least >= UNREACHABLE or not self._reachable():
            return None
        while True:
            found = self._within(least)
            if found is not None:
                return found
            least += 1

    def _within(self, limit: int) -> tuple[Step, ...] | None:
        """The first plan, in the order of preference, of at most so many waves."""
        if self.needed(self.start) == 0:
            return ()
        path: list[Step] = []
        nodes = [self.start]
        open_ = [iter(self.steps(self.start))]
        while open_:
            left = limit - len(path) - 1
            for step in open_[-1]:
                needed = self.needed(step.node)
                if needed > left or self._vain.get(step.node, -1) >= left:
                    continue
                path.append(step)
                if needed == 0:
                    return tuple(path)
                nodes.append(step.node)
                open_.append(iter(self.steps(step.node)))
                break
            else:
                open_.pop()
                self._vain[nodes.pop()] = left + 1
                if path:
                    path.pop()
        return None

    def _reachable(self) -> bool:
        return any(self.needed(node) == 0 for node in self.explore())

    def explore(self) -> Iterator[Node]:
        """Every node that legal waves lead to, the promising ones first."""
        seen = {self.start}
        count = 0
        waiting = [(self.needed(self.start), count, self.start)]
        while waiting:
            _, _, node = heappop(waiting)
            yield node
            for step in self.steps(node):
                if step.node not in seen:
                    seen.add(step.node)
                    count += 1
                    heappush(waiting, (self.needed(step.node), count, step.node))
