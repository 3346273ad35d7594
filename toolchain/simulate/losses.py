"""What befalls shards: they go away, their clocks jump, and they lose what they had committed."""

from collections.abc import Iterable
from functools import partial

from toolchain.simulate.audit import shard_name
from toolchain.simulate.commands import Assumption
from toolchain.simulate.members import EXPIRES, REFRESH, Node
from toolchain.simulate.registry import Row
from toolchain.simulate.servers import Servers
from toolchain.simulate.shards import Shards
from toolchain.simulate.world import World

# Seconds. What takes a shard away or leaps over a part of its time is no longer than this, and
# rare: together with the refresh before and the one after it is less than a registration lives.
SHORT_AWAY = 150
_RARE = 2 * EXPIRES


class Losses:
    """Blows of fate for the shards of one world, unless an assumption excludes them."""

    def __init__(self, world: World, servers: Servers, shards: Shards) -> None:
        self._world = world
        self._servers = servers
        self._shards = shards
        self._fleet = world.fleet
        self._registry = world.registry

    def lose(self, shards: Iterable[Node], seconds: int) -> None:
        """Nobody can reach these shards for a time; who works on them dies."""
        world = self._world
        for shard in shards:
            if shard.down is not None or world.now < shard.back + REFRESH:
                continue
            if not self._bearable(shard, seconds, Assumption.OUTAGES):
                continue
            self._shards.kill(shard)
            shard.down = shard.gone = world.now
            self._fleet.down[shard.name] = None
            world.say(f"{shard_name(shard.name)} is down")
            world.after(seconds, partial(self._return, shard))

    def _return(self, shard: Node) -> None:
        world = self._world
        shard.down = None
        shard.back = world.now
        del self._fleet.down[shard.name]
        world.say(f"{shard_name(shard.name)} is back")
        world.audit.shard(shard)
        self._servers.try_again()

    def jump(self, shards: Iterable[Node], seconds: int) -> None:
        """The clocks of these databases are set."""
        word = "forward" if seconds > 0 else "back"
        for shard in shards:
            if shard.down is None and self._bearable(shard, seconds, Assumption.CLOCKS):
                self._fleet.jump(shard, self._world.now, seconds)
                self._world.say(
                    f"the clock of {shard_name(shard.name)} jumps {word} by {abs(seconds)} s"
                )

    def _bearable(self, shard: Node, seconds: int, assumption: Assumption) -> bool:
        now = self._world.now
        if assumption not in self._world.lifted:
            if seconds > SHORT_AWAY or now < shard.calm:
                return False
            shard.calm = now + _RARE
        return True

    def restore(self, shard: Node, seconds: int) -> None:
        """A shard is what it was, ledger and registrations; each server that runs comes back."""
        world = self._world
        if Assumption.DURABLE not in world.lifted or shard.down is not None:
            return
        moment = max(world.now - seconds, 0)
        self._shards.kill(shard)
        shard.ledger, truth = shard.backup(moment)
        self._registry.doubt([shard], world.now)
        world.say(
            f"{shard_name(shard.name)} is restored as it was {world.now - moment} s ago:"
            f" {shard.ledger.handshake}"
        )
        for host in self._fleet.hosts.values():
            place = host.registered_at(moment)
            row = None if place is None else Row(place, moment)
            self._registry.set_apart(host, shard.name, row)
            wait = host.next_refresh(world.now) - world.now
            world.expected(wait, partial(self._servers.refresh, host, shard, host.since))
        self._fleet.move(shard, world.now, world.facts.number(shard.ledger.handshake), truth)
        shard.back_up(world.now)
        world.audit.shard(shard)
