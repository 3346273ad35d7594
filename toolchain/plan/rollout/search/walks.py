"""Where one shard may go while certain servers run: the ways that the law leaves open."""

from dataclasses import dataclass
from heapq import heappop, heappush

from toolchain.plan.rollout.search.fits import Fits
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.shard import ShardState, Stage
from toolchain.plan.rollout.world.way import Goal, carried_by, half_states


@dataclass(frozen=True, slots=True)
class Stop:
    """A state in which a shard may rest, and the releases whose contract it went through."""

    state: ShardState
    crossed: frozenset[int]


class Walks:
    """Where shards may go in a chain, asked once for each state and set of servers."""

    def __init__(self, chain: Chain, fits: Fits, last: int) -> None:
        self._chain = chain
        self.fits = fits
        self._last = last
        self._known: dict[tuple[ShardState, tuple[int, ...]], dict[Goal, Stop]] = {}
        self._children: list[list[int]] = [[] for _ in chain.releases]
        # Releases that go on from before a release although their version is later: all that a
        # shard on a branch of hotfixes can go to.
        self._beyond: list[list[int]] = [[] for _ in chain.releases]
        for at, parent in enumerate(chain.parents):
            if parent is not None:
                self._children[parent].append(at)
            for skipped in range(0 if parent is None else parent + 1, at):
                self._beyond[skipped].append(at)

    def stops(self, state: ShardState, servers: tuple[int, ...]) -> dict[Goal, Stop]:
        """Every release and stage that a shard may be brought to while these servers run."""
        key = (state, servers)
        if key not in self._known:
            self._known[key] = self._stops(state, servers)
        return self._known[key]

    def _stops(self, start: ShardState, servers: tuple[int, ...]) -> dict[Goal, Stop]:
        chain, here = self._chain, self._chain.places[start.release]
        found: dict[Goal, Stop] = {}
        waiting: list[int] = []
        # Releases whose history does not hold the one that the shard is at.
        foreign: set[int] = set()
        # Where the way into a release begins, for each release that may come next.
        begin: dict[int, Stop] = {}

        def go_on(place: int, stop: Stop) -> None:
            for child in self._children[place]:
                if place < child <= self._last:
                    begin[child] = stop
                    heappush(waiting, child)
                    if place in foreign:
                        foreign.add(child)

        origin = Stop(start, frozenset())
        whole = self._enter(origin, here, servers, found)
        if whole is not None:
            go_on(here, whole)
        for place in self._beyond[here]:
            if place <= self._last:
                begin[place] = origin
                foreign.add(place)
                heappush(waiting, place)
        while waiting:
            place = heappop(waiting)
            stop = begin[place]
            after: Stop | None = stop
            if chain[place].packaged:
                after = self._enter(stop, place, servers, found)
            if after is not None:
                go_on(place, after)
        # A release on the way may lack a step that the goal has again.
        return {
            goal: stop
            for goal, stop in found.items()
            if not (start.ahead or goal[0] in foreign) or not carried_by(chain, start, goal[0])
        }

    def _enter(
        self, stop: Stop, place: int, servers: tuple[int, ...], found: dict[Goal, Stop]
    ) -> Stop | None:
        """Go through a release; the shard wholly in it, or None where the law is in the way."""
        crossed = stop.crossed
        state = stop.state
        for half in half_states(self._chain, state, place):
            if not self.fits.shard(servers, half.state.handshake):
                return None
            state = half.state
            if half.final:
                crossed = crossed | {place}
            found[(place, state.stage)] = Stop(state, crossed)
        if state.stage is Stage.READY:
            return None
        return Stop(state, crossed)
