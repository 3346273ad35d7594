"""What happens on shards: a database package comes, its phases run, one transaction at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from toolchain.runner.core.errors import RunnerError
from toolchain.runner.ledger import walk
from toolchain.runner.ledger.actions import Position, describe
from toolchain.runner.ledger.conflicts import check_ledger
from toolchain.runner.ledger.gate import Blocked
from toolchain.runner.ledger.manifest import Phase
from toolchain.simulate.audit import host_number, shard_name
from toolchain.simulate.commands import Apply, Gate, Undo
from toolchain.simulate.ledger import Action
from toolchain.simulate.members import Node
from toolchain.simulate.world import World


@dataclass(frozen=True, slots=True)
class _Run:
    """A database package's run on a shard, and what it still has to do there; pace in seconds."""

    shard: Node
    rest: Iterator[Action]
    package: int
    pace: int
    life: int


class Shards:
    """What happens on the shards of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._fleet = world.fleet
        self._facts = world.facts

    def apply(self, command: Apply) -> None:
        """A database package comes, and its `apply` begins."""
        shard = self._fleet.shards[command.shard]
        if not self._facts.has_database(command.release) or not self._installed(shard, command):
            return
        phase = Phase.CONTRACT if command.contract else Phase.MIGRATE
        self._begin(shard, command.release, command.release, phase, command.pace)

    def _installed(self, shard: Node, command: Apply) -> bool:
        """Whether the database package is there, beside a server perhaps."""
        if command.elsewhere or shard.package == command.release:
            return True
        world, host = self._world, self._fleet.hosts.get(shard.name)
        beside = host is not None and self._fleet.database_on(shard.name) is shard
        if beside and host is not None and host.installed is not None:
            fits = world.solver.beside_database(host.installed, command.release)
            if world.has(Gate.RELATIONS) and not fits:
                world.outcomes["refused by relations"] += 1
                if world.tell:
                    server = self._facts.names[host.installed]
                    name = self._facts.names[command.release]
                    world.say(
                        f"{shard_name(shard.name)}: database {name} is refused by relations:"
                        f" server {server} is on the same host"
                    )
                return False
        shard.package = command.release
        return True

    def undo(self, command: Undo) -> None:
        """The installed database package takes the shard back."""
        shard = self._fleet.shards[command.shard]
        self._begin(shard, shard.package, command.release, None, command.pace)

    def _begin(
        self, shard: Node, package: int, release: int, phase: Phase | None, pace: int
    ) -> None:
        """Take the lock, look at the ledger, and plan the way; each as the runner does."""
        if shard.job is not None or shard.down is not None:
            return
        world, name = self._world, self._facts.names
        manifest = self._facts.manifest(package)
        verb = "undo" if phase is None else "apply"
        what = f"{verb} to {name[release]}" + (
            ", contract included" if phase is Phase.CONTRACT else ""
        )
        actions: tuple[Action, ...]
        try:
            check_ledger(manifest, shard.ledger)
            if phase is None:
                target = Position(manifest.index(name[release]), Phase.CONTRACT)
                actions = walk.backward(manifest, shard.ledger, target)
            else:
                actions = world.phases.forward(package, shard.ledger, phase)
        except RunnerError as error:
            world.outcomes["refused by the ledger"] += 1
            if world.tell:
                world.say(f"{shard_name(shard.name)}: {what} is refused: {error}")
            return
        shard.blocked_by = ()
        if actions:
            shard.job = what
            world.outcomes["runs begun"] += 1
            if world.tell:
                world.say(f"{shard_name(shard.name)}: {what} begins")
            coming = iter(actions)
            self._next(_Run(shard, coming, package, pace, shard.life), next(coming))

    def _next(self, run: _Run, action: Action) -> None:
        self._world.after(run.pace, partial(self._act, run, action))

    def _act(self, run: _Run, action: Action, *, waited: bool = False) -> None:
        shard, world = run.shard, self._world
        if shard.life != run.life:
            return
        left = world.phases.roll_call(shard, action, world.now)
        if left and not waited:
            if world.tell:
                world.say(f"{shard_name(shard.name)}: {describe(action)} waits for the roll call")
            world.after(left, partial(self._act, run, action, waited=True))
            return
        if left:
            self._refused(shard, "another registration may be lost; run it again", ())
            return
        try:
            says = world.phases.act(shard, run.package, action, world.now)
        except Blocked as error:
            blockers = tuple(host_number(one.host) for one in error.servers)
            self._refused(shard, error, blockers)
            return
        if world.tell:
            world.say(f"{shard_name(shard.name)}: {describe(action)}")
        self._fleet.move(shard, world.now, says, world.phases.truth(shard, run.package))
        shard.back_up(world.now)
        following = next(run.rest, None)
        if following is None:
            shard.job = None
        else:
            self._next(run, following)
        world.audit.shard(shard)

    def _refused(self, shard: Node, why: object, blocked_by: tuple[int, ...]) -> None:
        """The run ends, as the gate does not open."""
        shard.job = None
        shard.life += 1
        shard.blocked_by = blocked_by
        self._world.outcomes["refused by contract"] += 1
        if self._world.tell:
            self._world.say(f"{shard_name(shard.name)}: {why}")

    def kill(self, shard: Node) -> None:
        """The runner dies between two transactions; its lock dies with it."""
        if shard.job is not None:
            self._world.say(f"{shard_name(shard.name)}: the runner is killed")
            shard.job = None
            shard.life += 1
