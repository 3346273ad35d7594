"""Networks that part, shards that go away, clocks that jump, units that die, hosts retired."""

from collections.abc import Iterator
from functools import partial

from toolchain.simulate.audit import host_name, shard_name
from toolchain.simulate.commands import Assumption
from toolchain.simulate.fleet import EXPIRES, REFRESH, Host, Node
from toolchain.simulate.servers import Servers
from toolchain.simulate.shards import Shards
from toolchain.simulate.world import World

# Seconds. A registration lives on if what keeps its host from refreshing it, what keeps its shard
# from being reached and what its clock leaps over are no longer than these, and rare: together
# with the refresh before and the one after they are less than it lives.
SHORT_CUT = 200
SHORT_AWAY = 150
_RARE = 2 * EXPIRES


class Faults:
    """Blows of fate in one world; those that an assumption excludes do not happen."""

    def __init__(self, world: World, servers: Servers, shards: Shards) -> None:
        self._world = world
        self._servers = servers
        self._shards = shards
        self._fleet = world.fleet
        self._registry = world.registry

    def cut(self, host: Host, shard: int | None, seconds: int) -> None:
        """A host and a shard, or all shards, can't reach each other for a time."""
        world, now = self._world, self._world.now
        if host.isolated is not None or not host.up:
            return
        if Assumption.RETURNS not in world.lifted:
            if seconds > SHORT_CUT or now < host.calm:
                return
            host.calm = now + _RARE
        if shard is None:
            host.isolated = now
            if host.running is not None:
                self._registry.leave(host, now)
            world.say(f"{host_name(host.name)} is cut off from every shard")
            world.after(seconds, partial(self._rejoin, host))
            return
        if shard in host.cut:
            return
        self._registry.part(host, self._fleet.shards[shard], now)
        host.cut[shard] = now
        world.say(f"{host_name(host.name)} is cut off from {shard_name(shard)}")
        world.after(seconds, partial(self._heal, host, shard))

    def _rejoin(self, host: Host) -> None:
        world = self._world
        host.isolated = None
        world.say(f"{host_name(host.name)} can reach the shards again")
        world.audit.host(host)
        self._refresh_later(host)

    def _heal(self, host: Host, name: int) -> None:
        world, shard = self._world, self._fleet.shards[name]
        del host.cut[name]
        world.say(f"{host_name(host.name)} can reach {shard_name(name)} again")
        world.audit.pair(host, shard)
        wait = host.next_refresh(world.now) - world.now
        world.after(wait, partial(self._refresh_one, host, name, host.since))

    def _refresh_one(self, host: Host, name: int, since: int) -> None:
        """Its next refresh reaches that shard, too."""
        if host.since == since and host.running is not None and name not in host.cut:
            self._registry.rejoin(host, name)

    def _refresh_later(self, host: Host) -> None:
        wait = host.next_refresh(self._world.now) - self._world.now
        self._world.after(wait, partial(self._refresh_all, host, host.since))

    def _refresh_all(self, host: Host, since: int) -> None:
        """Its next refresh registers it again, where every shard accepts it."""
        if host.since != since or host.running is None or host.isolated is not None:
            return
        place = host.running
        if self._servers.against(host, place, unreachable=False) is None:
            self._registry.register_again(host, place)

    def lose(self, shard: Node, seconds: int) -> None:
        """Nobody can reach a shard for a time; who works on it dies."""
        world = self._world
        if shard.down is not None or world.now < shard.back + REFRESH:
            return
        if not self._bearable(shard, seconds, Assumption.OUTAGES):
            return
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

    def jump(self, shard: Node, seconds: int) -> None:
        """A database's clock is set."""
        if shard.down is not None or not self._bearable(shard, seconds, Assumption.CLOCKS):
            return
        shard.jump(self._world.now, seconds)
        word = "forward" if seconds > 0 else "back"
        self._world.say(f"the clock of {shard_name(shard.name)} jumps {word} by {abs(seconds)} s")

    def _bearable(self, shard: Node, seconds: int, assumption: Assumption) -> bool:
        now = self._world.now
        if assumption not in self._world.lifted:
            if seconds > SHORT_AWAY or now < shard.calm:
                return False
            shard.calm = now + _RARE
        return True

    def retire(self, host: Host) -> None:
        """An operator takes a host's registrations out of the gate's sight."""
        world = self._world
        seen = next(self._seen(host), None)
        if seen is not None:
            world.outcomes["refused by retire"] += 1
            world.say(f"retiring {host_name(host.name)} is refused: {shard_name(seen)} sees it")
            return
        if host.running is not None and Assumption.RETIRED not in world.lifted:
            return
        world.say(f"{host_name(host.name)} is retired")
        self._registry.forget(host)
        for name in [*host.apart]:
            self._registry.set_apart(host, name, None)
        if host.running is not None and host.isolated is None:
            self._refresh_later(host)

    def _seen(self, host: Host) -> Iterator[int]:
        """The shards that can be asked and count the host's registration as live."""
        now = self._world.now
        for name, shard in self._fleet.shards.items():
            row = None if shard.down is not None else self._registry.row(host, shard, now)
            if row is not None and shard.live(row.seen, now):
                yield name

    def hang(self, host: Host, seconds: int) -> None:
        """A host's shard packages stay as they are for a time."""
        if host.agent_hung is None:
            host.frozen = self._fleet.reads(host, self._world.now)
            host.agent_hung = self._world.now
            self._world.say(f"{host_name(host.name)}: the shard agent hangs")
            self._world.after(seconds, partial(self._wake, host))

    def _wake(self, host: Host) -> None:
        host.agent_hung = None
        self._world.say(f"{host_name(host.name)}: the shard agent reads the shards again")

    def registrar_dies(self, host: Host) -> None:
        """Started anew, it registers what the start of the server recorded, not what is installed.

        Where a shard refuses that, the registration stays as it was.
        """
        place = host.running
        if place is None or host.isolated is not None:
            return
        self._world.say(
            f"{host_name(host.name)}: the unit that refreshes the registration dies, and registers"
            f" {self._world.facts.names[place]}"
        )
        if self._servers.against(host, place, unreachable=False) is None:
            self._registry.register_again(host, place)
