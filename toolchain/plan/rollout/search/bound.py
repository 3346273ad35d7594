"""How many waves are still needed at the least: the same question with all that is rare left out.

A search that knows this goes almost straight. The bound may be too low and never too high, so it
drops what it cannot know: ceilings of databases and peers, branches of hotfixes, all but the oldest
server and the shard that is furthest behind. What is left is so regular that whoever stands further
is never worse off, and then the longest wave of either side is always the best one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TypeVar

from toolchain.model.version import Version
from toolchain.plan.rollout.search.question import Question
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.shard import ShardState, Stage

UNREACHABLE = 1 << 30

_Key = TypeVar("_Key", int, Version)


class Bound:
    """Lower bounds for a floor (the place of the oldest server) and a shard place.

    A shard place counts two for each release: ready, then closed.
    """

    def __init__(self, question: Question) -> None:
        chain, target, database = question.chain, question.target, question.database
        states = question.fleet.states
        self._target = target
        self._goal = 2 * database + Stage.CLOSED if database is not None else 0
        top = max([target, *question.servers, *(chain.places[state.release] for state in states)])
        newer = [at for at in range(target + 1) if question.able[at]]
        main = set(chain.history(database)) if database is not None else set()
        line = [chain[at] if at in main and chain[at].packaged else None for at in range(top + 1)]
        lowest = Version(0, 0, 0)
        self._oldest = _highest(facts.shard.servers.oldest if facts else lowest for facts in line)
        self._made = _highest(facts.shard.schema if facts else -1 for facts in line)
        self._shards = (
            self._furthest_shards(chain, sorted({*question.servers, *newer}), top)
            if question.servers
            else [2 * top + Stage.CLOSED] * (top + 1)
        )
        self._by_peers = _furthest(
            [facts.version for facts in chain.releases[: top + 1]],
            [(chain[at].server.peers.oldest, at) for at in newer],
        )
        self._by_schema = (
            _furthest(
                _schemas(chain, states, top),
                [(chain[at].server.schemas.oldest, at) for at in newer],
            )
            if states
            else [target] * (top + 1)
        )
        self._known: dict[tuple[int, int], int] = {}

    def waves(self, floor: int | None, shard: int | None) -> int:
        """The waves that are needed at the least; None for a side that has nobody."""
        start = (
            self._target if floor is None else min(floor, len(self._shards) - 1),
            self._goal if shard is None else shard,
        )
        waiting = [start]
        while waiting:
            here = waiting[-1]
            if here in self._known:
                waiting.pop()
                continue
            following = self._moves(*here)
            unknown = [after for after in following if after not in self._known]
            if unknown:
                waiting.extend(unknown)
                continue
            least = min((self._known[after] for after in following), default=UNREACHABLE)
            done = here[0] >= self._target and here[1] >= self._goal
            self._known[here] = 0 if done else min(least + 1, UNREACHABLE)
        return self._known[start]

    def newest(self, floor: int) -> int:
        """The newest place that servers may go to beside one that stands at the floor."""
        return self._by_peers[floor]

    def _moves(self, floor: int, shard: int) -> list[tuple[int, int]]:
        """The longest wave of either side."""
        found = []
        # Beyond the goal, too: a hotfix's database may be what servers wait for.
        further = min(self._shards[floor], 2 * self._target + Stage.CLOSED)
        if further > shard:
            found.append((floor, further))
        if floor < self._target:
            place = min(shard // 2, len(self._by_schema) - 1)
            newer = min(self._by_peers[floor], self._by_schema[place])
            if newer > floor:
                found.append((newer, shard))
        return found

    def _furthest_shards(self, chain: Chain, usable: Sequence[int], top: int) -> list[int]:
        """The furthest shard place while the oldest server is at a place."""
        found = [-1] * (top + 1)
        for at in usable:
            server = chain[at].server
            refused = 2 * bisect_right(self._oldest, server.version) + Stage.CLOSED
            if server.schemas.below is not None:
                refused = min(refused, 2 * bisect_left(self._made, server.schemas.below))
            found[at] = refused - 1
        return _highest(found)


def _schemas(chain: Chain, states: Iterable[ShardState], top: int) -> list[int]:
    """The newest schema that any way to a place can have made ready."""
    schemas = [facts.shard.schema for facts in chain.releases[: top + 1]]
    for state in states:
        at = chain.places[state.release]
        schemas[at] = max(schemas[at], state.handshake.schema)
    return _highest(schemas)


def _highest(values: Iterable[_Key]) -> list[_Key]:
    """The highest value up to each place."""
    return list(accumulate(values, max))


def _furthest(keys: Sequence[_Key], least: list[tuple[_Key, int]]) -> list[int]:
    """For each place the furthest of those whose least key is met there; -1 for none."""
    ordered = sorted(least, key=lambda pair: pair[0])
    needed = [key for key, _ in ordered]
    best = _highest(far for _, far in ordered)
    found = (bisect_right(needed, key) for key in keys)
    return [best[met - 1] if met else -1 for met in found]
