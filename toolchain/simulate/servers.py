"""A server package's way onto a host, gate by gate, and a service's way up and down."""

from functools import partial

from toolchain.simulate.audit import host_name
from toolchain.simulate.commands import Gate, Upgrade, Way
from toolchain.simulate.members import Host, Node
from toolchain.simulate.world import World

# Seconds. systemd tries a refused start every five; a simulated one ever less often.
_RETRY = 300
_LONGEST_RETRY = 16 * _RETRY
_STOPPING = 2
_RESTARTS = 5

_UNREACHABLE = "a shard can't be asked"


class Servers:
    """What happens on server hosts of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._fleet = world.fleet
        self._facts = world.facts
        self._registry = world.registry
        # Hosts whose service was refused because a shard could not be asked.
        self._waiting: dict[int, None] = {}

    def upgrade(self, command: Upgrade) -> None:
        """A person or a tool asks for a release; refused here, nothing was touched."""
        host = self._fleet.hosts[command.host]
        if not host.up or host.busy or host.installed == command.release:
            return
        world = self._world
        refusal = self._refusal(host, command)
        what = f"{command.way.value} of server {self._facts.names[command.release]}"
        if refusal is not None:
            gate, why = refusal
            world.outcomes[f"refused by {gate.value}"] += 1
            if world.tell:
                world.say(f"{host_name(host.name)}: {what} is refused by {gate.value}: {why}")
            return
        world.outcomes["upgrades begun"] += 1
        if world.tell:
            world.say(f"{host_name(host.name)}: {what} is let in")
        host.busy = True
        world.after(command.unpack, partial(self._unpack, host, command, host.life))

    def _refusal(self, host: Host, command: Upgrade) -> tuple[Gate, str] | None:
        """The first gate before the unpacking that refuses, and what it says."""
        wanted, way, world = command.release, command.way, self._world
        if way.solved and world.has(Gate.RELATIONS):
            shard = self._fleet.database_on(host.name)
            database = command.database
            if database is None and shard is not None:
                database = shard.package
            if database is not None and not world.solver.beside_database(wanted, database):
                name = self._facts.names[database]
                return Gate.RELATIONS, f"it conflicts with database {name} on the same host"
        if host.installed is None:
            return None  # the agent and the hook come with the package
        if way.solved and world.has(Gate.SHARD_PACKAGES):
            for state in self._fleet.reads(host, world.now):
                if not world.solver.beside_shard(wanted, host.installed, state):
                    said = self._facts.states[state]
                    return Gate.SHARD_PACKAGES, f"a shard was read with {said}"
        if way.hooked and not host.overridden and world.has(Gate.HOOK):
            why = self.against(host, wanted, unreachable=True)
            if why is not None:
                return Gate.HOOK, why
        return None

    def against(self, host: Host, place: int, *, unreachable: bool) -> str | None:
        """What live shards and live peers have against a release on a host; None for nothing.

        With `unreachable` a shard that can't be asked counts, too.
        """
        if unreachable and (host.isolated is not None or host.cut or self._fleet.down):
            return _UNREACHABLE
        if host.isolated is not None:
            return None
        for state in self._fleet.reachable(host):
            if not self._facts.accepts(place, state):
                return f"a shard says {self._facts.states[state]}"
        other = self._registry.against(host, place, self._world.now)
        if other is None:
            return None
        return f"the server on {host_name(other)} is live and no peer for it"

    def _unpack(self, host: Host, command: Upgrade, life: int) -> None:
        """The package's script has the last word, then the files are there."""
        if host.life != life:
            return
        world, name = self._world, host_name(host.name)
        scripted = command.way.scripted and not host.overridden
        if scripted and host.installed is not None and world.has(Gate.HOOK):
            why = self.against(host, command.release, unreachable=False)
            if why is not None:
                host.busy = False
                world.outcomes["refused by hook"] += 1
                if world.tell:
                    world.say(f"{name}: the package's own script refuses: {why}")
                return
        host.installed = command.release
        host.touched = command.way is not Way.FORCED
        shard = self._fleet.database_on(host.name)
        if command.database is not None and shard is not None:
            shard.package = command.database
        if world.tell:
            world.say(f"{name}: server {self._facts.names[command.release]} is unpacked")
        world.after(command.restart, partial(self._restart, host, life))

    def _restart(self, host: Host, life: int) -> None:
        if host.life != life:
            return
        self.stop(host)
        if self._world.tell:
            self._world.say(f"{host_name(host.name)}: the service stops, to start anew")
        self._world.after(_STOPPING, partial(self.start, host, life))

    def stop(self, host: Host) -> None:
        """The service stops in order."""
        if host.running is not None:
            self._fleet.stop(host)
            self._registry.check_out(host, self._world.now)

    def start(self, host: Host, life: int, wait: int = _RETRY) -> None:
        """The check at the service's start; a refused one is tried again."""
        if host.life != life or host.running is not None or host.installed is None:
            return
        world, place, name = self._world, host.installed, host_name(host.name)
        host.busy = False
        why = self.against(host, place, unreachable=True)
        if why is not None and world.has(Gate.START_UP):
            self._refused(host, place, why)
            self._wait(host, wait, min(2 * wait, _LONGEST_RETRY))
            if why is _UNREACHABLE:
                self._waiting[host.name] = None
            return
        host.touched = False
        self._waiting.pop(host.name, None)
        self._fleet.start(host, world.now)
        if why is None:
            self._registry.register(host, place)
        else:
            self._registry.forget(host)
        world.outcomes["starts"] += 1
        if world.tell:
            world.say(f"{name}: server {self._facts.names[place]} runs")
        world.audit.host(host)

    def _wait(self, host: Host, wait: int, after: int) -> None:
        host.tries += 1
        self._world.after(wait, partial(self._try, host, host.life, host.tries, after))

    def _try(self, host: Host, life: int, number: int, after: int) -> None:
        if host.tries == number:
            self.start(host, life, after)

    def try_again(self) -> None:
        """What could not be asked can be; systemd's next try sees it (RestartSec is 5 s)."""
        if self._fleet.down:
            return
        for name in self._waiting:
            self._wait(self._fleet.hosts[name], 1 + name * 7919 % _RESTARTS, _RETRY)
        self._waiting.clear()

    def refresh(self, host: Host, shard: Node, since: int) -> None:
        """The next refresh of this start of the server reaches a shard, if that accepts it."""
        place = host.running
        if place is None or host.since != since or host.mute or host.isolated is not None:
            return
        reached = shard.name not in host.cut and shard.down is None
        if reached and self._facts.accepts(place, shard.says):
            self._registry.rejoin(host, shard.name)

    def refresh_all(self, host: Host) -> None:
        """A refresh registers what runs again, where every shard accepts it."""
        place = host.running
        if place is None or host.mute or host.isolated is not None:
            return
        if self.against(host, place, unreachable=False) is None:
            self._registry.register_again(host, place, self._world.now)

    def _refused(self, host: Host, place: int, why: str) -> None:
        world = self._world
        name = self._facts.names[place]
        world.outcomes["refused by start-up"] += 1
        # The unit says of a refused start, too, that nothing runs (ExecStopPost).
        self._registry.check_out(host, world.now)
        if world.tell:
            world.say(f"{host_name(host.name)}: server {name} does not start: {why}")
        # A shard that can't be asked is no misfit, and who forced a package in was warned.
        if host.touched and why is not _UNREACHABLE:
            host.touched = False
            world.outcomes["late: refused only after the package was there"] += 1
            if world.late is not None:
                world.late(host.name, self._registry.against(host, place, world.now))

    def lose_power(self, host: Host, seconds: int) -> None:
        """A host is dead at once; it boots later, and its service with it."""
        if not host.up:
            return
        world = self._world
        if host.running is not None:
            self._fleet.stop(host)
            self._registry.leave(host, world.now)
        host.lost = host.synced(world.now)
        host.up, host.busy, host.touched, host.overridden = False, False, False, False
        host.life += 1
        self._waiting.pop(host.name, None)
        if world.tell:
            world.say(f"{host_name(host.name)} loses its power")
        world.after(seconds, partial(self._boot, host, host.life))

    def _boot(self, host: Host, life: int) -> None:
        host.up = True
        host.booted = self._world.now
        if self._world.tell:
            self._world.say(f"{host_name(host.name)} boots")
        self._world.after(_STOPPING, partial(self.start, host, life))
