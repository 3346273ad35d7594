"""What operators do besides installing: they retire hosts, and leave an override on."""

from collections.abc import Iterator
from functools import partial

from toolchain.simulate.audit import host_name, shard_name
from toolchain.simulate.commands import Assumption
from toolchain.simulate.faults import Faults
from toolchain.simulate.members import Host
from toolchain.simulate.world import World


class Operators:
    """Decisions of people in one world, unless an assumption excludes them."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._fleet = world.fleet
        self._registry = world.registry

    def retire(self, host: Host, *, force: bool) -> None:
        """Take a host's registrations out of the gate's sight; who is live, only by force."""
        world, word = self._world, " by force" if force else ""
        seen = next(self._seen(host), None)
        if seen is not None and not force:
            world.outcomes["refused by retire"] += 1
            world.say(f"retiring {host_name(host.name)} is refused: {shard_name(seen)} sees it")
            return
        if host.running is not None and Assumption.RETIRED not in world.lifted:
            return
        world.say(f"{host_name(host.name)} is retired{word}")
        if seen is not None:
            asked = (shard for shard in self._fleet.shards.values() if shard.down is None)
            self._registry.doubt(asked, world.now)
        self._registry.forget(host)
        for name in [*host.apart]:
            self._registry.set_apart(host, name, None)
        if host.running is not None and host.isolated is None:
            self._faults.refresh_later(host)

    def _seen(self, host: Host) -> Iterator[int]:
        """The shards that can be asked and count the host's registration as live."""
        now = self._world.now
        for name, shard in self._fleet.shards.items():
            row = None if shard.down is not None else self._registry.row(host, shard, now)
            if row is not None and shard.live(row.seen, now):
                yield name

    def override(self, host: Host, seconds: int) -> None:
        """Nobody takes back what somebody needed once; it ends with its time, or with the boot."""
        if host.up and not host.overridden:
            host.overridden = True
            self._world.say(f"{host_name(host.name)}: the hook is overridden for {seconds} s")
            self._world.after(seconds, partial(self._end, host, host.life))

    def _end(self, host: Host, life: int) -> None:
        if host.life == life:
            host.overridden = False
            self._world.say(f"{host_name(host.name)}: the override has ended")
