"""Operators who do things in the wrong order, and faults, by chance."""

from collections.abc import Callable, Iterator
from random import Random

from toolchain.simulate.commands import (
    AgentHangs,
    Apply,
    Assumption,
    ClockJump,
    Command,
    Cut,
    Outage,
    PowerLoss,
    RegistrarDies,
    Retire,
    RunnerKilled,
    Undo,
    Upgrade,
    Way,
)
from toolchain.simulate.faults import SHORT_AWAY, SHORT_CUT
from toolchain.simulate.fleet import EXPIRES
from toolchain.simulate.world import World

# What an operator types, as often as it stands here.
_WAYS = (Way.APT,) * 5 + (Way.OVERRIDDEN,) * 2 + (Way.DPKG,) * 2 + (Way.FORCED,)

_LONG = 4 * EXPIRES


class Mistakes:
    """What comes by chance to one world. The same chances give the same commands."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self._hosts = tuple(world.fleet.hosts)
        self._shards = tuple(world.fleet.shards)
        self._calm = 0
        weighed: tuple[tuple[int, Callable[[], Command]], ...] = (
            (46, self._upgrade),
            (12, self._apply),
            (6, self._undo),
            (6, self._power_loss),
            (10, self._cut),
            (4, lambda: RunnerKilled(self._shard())),
            (4, lambda: AgentHangs(self._host(), self._seconds(60, _LONG))),
            (4, lambda: Retire(self._host())),
            (4, self._clock),
            (2, lambda: RegistrarDies(self._host())),
            (1, self._outage),
        )
        self._chances = tuple(make for weight, make in weighed for _ in range(weight))

    def some(self, count: int) -> Iterator[Command]:
        """So many commands for this moment."""
        for _ in range(count):
            yield self._chances[self._random.randrange(len(self._chances))]()

    def _host(self) -> int:
        return self._hosts[self._random.randrange(len(self._hosts))]

    def _shard(self) -> int:
        return self._shards[self._random.randrange(len(self._shards))]

    def _seconds(self, least: int, most: int) -> int:
        return self._random.randrange(least, most)

    def _near(self, place: int) -> int:
        """A release not far from another one, before it or after."""
        last = len(self._world.facts.versions) - 1
        return min(max(place + self._random.randrange(-2, 3), 0), last)

    def _upgrade(self) -> Command:
        host = self._host()
        there = self._world.fleet.hosts[host].installed
        return Upgrade(
            host=host,
            release=self._near(self._world.start if there is None else there),
            way=_WAYS[self._random.randrange(len(_WAYS))],
            unpack=self._seconds(2, 90),
            restart=self._seconds(1, 120),
        )

    def _apply(self) -> Command:
        shard = self._shard()
        return Apply(
            shard=shard,
            release=self._near(self._world.fleet.shards[shard].package),
            contract=self._random.randrange(2) == 0,
            pace=self._seconds(1, 120),
        )

    def _undo(self) -> Command:
        shard = self._shard()
        release = self._near(self._world.fleet.shards[shard].package)
        return Undo(shard, release, self._seconds(1, 60))

    def _power_loss(self) -> Command:
        return PowerLoss(self._host(), self._seconds(30, _LONG))

    def _cut(self) -> Command:
        most = _LONG if Assumption.RETURNS in self._world.lifted else SHORT_CUT
        shard = None if self._random.randrange(2) else self._shard()
        return Cut(self._host(), shard, self._seconds(5, most))

    def _clock(self) -> Command:
        most = _LONG if Assumption.CLOCKS in self._world.lifted else SHORT_AWAY
        return ClockJump(self._shard(), self._seconds(-_LONG, most))

    def _outage(self) -> Command:
        # While a shard is away no server of the whole fleet starts, so this is rare at any size.
        if self._world.now < self._calm:
            return RunnerKilled(self._shard())
        self._calm = self._world.now + _LONG
        most = _LONG if Assumption.OUTAGES in self._world.lifted else SHORT_AWAY
        return Outage(self._shard(), self._seconds(5, most))
