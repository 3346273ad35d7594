"""Operators who do things in the wrong order, and faults, by chance."""

from collections.abc import Callable, Iterator
from random import Random

from toolchain.simulate.commands import (
    AgentHangs,
    Apply,
    Assumption,
    ClockJump,
    Clone,
    Command,
    Cut,
    Outage,
    OverrideLeft,
    PowerLoss,
    RegistrarDies,
    Restore,
    Retire,
    RunnerKilled,
    Undo,
    Upgrade,
    Way,
)
from toolchain.simulate.faults import SHORT_CUT
from toolchain.simulate.losses import SHORT_AWAY
from toolchain.simulate.members import EXPIRES, Node
from toolchain.simulate.world import World

# What an operator types, as often as it stands here.
_WAYS = (Way.APT,) * 5 + (Way.OVERRIDDEN,) * 2 + (Way.DPKG,) * 2 + (Way.FORCED,)

_LONG = 4 * EXPIRES
# One look in so many finds somebody who does not wait for a contract that was refused.
_IMPATIENCE = 20


class Mistakes:
    """What comes by chance to one world. The same chances give the same commands."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self._hosts = tuple(world.fleet.hosts)
        self._shards = tuple(world.fleet.shards)
        self._calm = 0
        lifted = world.lifted
        self._dark = _LONG if Assumption.OUTAGES in lifted else SHORT_AWAY
        self._leap = _LONG if Assumption.CLOCKS in lifted else SHORT_AWAY
        self._parted = _LONG if Assumption.RETURNS in lifted else SHORT_CUT
        often = 4
        weighed: tuple[tuple[int, Callable[[], Command]], ...] = (
            (46, self._upgrade),
            (12, self._apply),
            (6, self._undo),
            (6, self._power_loss),
            (10 * (often if Assumption.RETURNS in lifted else 1), self._cut),
            (4, lambda: RunnerKilled(self._shard())),
            (4, lambda: AgentHangs(self._host(), self._seconds(60, _LONG))),
            (4, lambda: Retire(self._host())),
            (
                4 * (often if Assumption.CLOCKS in lifted else 1),
                lambda: ClockJump(self._one_or_all(), self._seconds(-_LONG, self._leap)),
            ),
            (3, lambda: RegistrarDies(self._host(), self._seconds(0, self._parted))),
            (1, self._outage),
            (2, lambda: OverrideLeft(self._host(), self._seconds(600, 2 * _LONG))),
            (int(Assumption.DURABLE in lifted), self._restore),
            (often * (Assumption.NAMES in lifted), lambda: Clone(self._host(), self._host())),
        )
        self._chances = tuple(make for weight, make in weighed for _ in range(weight))

    def some(self, count: int) -> Iterator[Command]:
        """So many commands for this moment."""
        for _ in range(count):
            yield self._chances[self._random.randrange(len(self._chances))]()
        for shard in self._world.fleet.shards.values():
            if shard.blocked_by and self._random.randrange(_IMPATIENCE) == 0:
                yield from self._insist(shard)

    def _insist(self, shard: Node) -> Iterator[Command]:
        """Get whoever blocks a contract out of its way, and try it again."""
        force = Assumption.RETIRED in self._world.lifted
        for host in shard.blocked_by:
            yield Retire(host, force=force)
        yield Apply(shard.name, shard.package, contract=True, pace=self._seconds(1, 60))

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
        return Cut(self._host(), self._one_or_all(), self._seconds(5, self._parted))

    def _one_or_all(self) -> int | None:
        return None if self._random.randrange(2) else self._shard()

    def _restore(self) -> Command:
        # A standby lags by seconds, a backup by hours.
        return Restore(self._shard(), self._seconds(1, self._seconds(2, 4 * _LONG)))

    def _outage(self) -> Command:
        # While a shard is away no server of the whole fleet starts, so this is rare at any size.
        if self._world.now < self._calm:
            return RunnerKilled(self._shard())
        self._calm = self._world.now + _LONG
        return Outage(self._one_or_all(), self._seconds(5, self._dark))
