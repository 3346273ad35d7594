"""What befalls hosts: networks that part, units that hang or die, a copy under the same name."""

from functools import partial

from toolchain.simulate.audit import host_name, shard_name
from toolchain.simulate.commands import Assumption
from toolchain.simulate.members import EXPIRES, REFRESH, Host
from toolchain.simulate.servers import Servers
from toolchain.simulate.world import World

# Seconds. What keeps a host from refreshing its registration is no longer than this, and rare:
# together with the refresh before and the one after it is less than a registration lives.
SHORT_CUT = 200
_RARE = 2 * EXPIRES
_BOOTING = 20


class Faults:
    """Blows of fate for the hosts of one world, unless an assumption excludes them."""

    def __init__(self, world: World, servers: Servers) -> None:
        self._world = world
        self._servers = servers
        self._fleet = world.fleet
        self._registry = world.registry

    def cut(self, host: Host, shard: int | None, seconds: int) -> None:
        """A host and a shard, or all shards, can't reach each other for a time."""
        world, now = self._world, self._world.now
        if host.isolated is not None or not host.up or not self._bearable(host, seconds):
            return
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

    def _bearable(self, host: Host, seconds: int) -> bool:
        now = self._world.now
        if Assumption.RETURNS not in self._world.lifted:
            if seconds > SHORT_CUT or now < host.calm:
                return False
            host.calm = now + _RARE
        return True

    def _rejoin(self, host: Host) -> None:
        world = self._world
        host.isolated = None
        world.say(f"{host_name(host.name)} can reach the shards again")
        world.audit.host(host)
        self.refresh_later(host)
        self._servers.try_again()

    def _heal(self, host: Host, name: int) -> None:
        world, shard = self._world, self._fleet.shards[name]
        del host.cut[name]
        world.say(f"{host_name(host.name)} can reach {shard_name(name)} again")
        world.audit.pair(host, shard)
        self._servers.try_again()
        wait = host.next_refresh(world.now) - world.now
        world.after(wait, partial(self._servers.refresh, host, shard, host.since))

    def refresh_later(self, host: Host) -> None:
        """Its next refresh registers it again, where every shard accepts it."""
        wait = host.next_refresh(self._world.now) - self._world.now
        self._world.after(wait, partial(self._refresh, host, host.since))

    def _refresh(self, host: Host, since: int) -> None:
        if host.since == since:
            self._servers.refresh_all(host)

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

    def registrar_dies(self, host: Host, seconds: int) -> None:
        """Until it is started anew the registration grows old."""
        place = host.running
        if place is None or host.mute or host.isolated is not None:
            return
        if not self._bearable(host, seconds):
            return
        self._world.say(f"{host_name(host.name)}: the unit that refreshes the registration dies")
        self._registry.leave(host, self._world.now)
        host.muted = host.since
        self._world.after(seconds, partial(self._registrar_returns, host, host.since))

    def _registrar_returns(self, host: Host, since: int) -> None:
        """It registers what the start of the server recorded, not what is installed.

        Where a shard refuses that, the registration stays as it was.
        """
        if host.running is None or host.since != since:
            return
        host.muted = None
        self._world.say(
            f"{host_name(host.name)}: the unit that refreshes the registration is back, with"
            f" {self._world.facts.names[host.running]}"
        )
        self._servers.refresh_all(host)

    def clone(self, host: Host, original: Host) -> None:
        """A host is made from another one's image, and nobody has given it a name of its own.

        The shards take both for one: each of the two overwrites the other's registration.
        """
        world = self._world
        if Assumption.NAMES not in world.lifted or original.installed is None:
            return
        if host is original or not host.up or host.busy or host.isolated is not None:
            return
        if host.cut or host.key != host.name or self._fleet.is_copied(host):
            return
        self._servers.stop(host)
        host.become(original)
        world.say(f"{host_name(host.name)} is a copy of {host_name(original.name)}, name included")
        world.after(_BOOTING, partial(self._servers.start, host, host.life))
        for one in (host, original):
            world.expected(one.next_refresh(world.now) - world.now, partial(self._take_turns, one))

    def _take_turns(self, host: Host) -> None:
        self._servers.refresh_all(host)
        self._world.expected(REFRESH, partial(self._take_turns, host))
