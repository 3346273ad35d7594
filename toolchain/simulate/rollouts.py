"""Rollouts as the planner orders them: wave after wave, host by host, until all stand there."""

from collections import deque
from collections.abc import Iterator
from random import Random

from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.telling.waves import Part, Plan, Wave
from toolchain.plan.rollout.world.inventory import Fleet as PlannedFleet
from toolchain.plan.rollout.world.inventory import Server, Shard, Side
from toolchain.runner.ledger.manifest import Phase
from toolchain.simulate.commands import Apply, Command, Retire, Upgrade, Way
from toolchain.simulate.ledger import planned_state
from toolchain.simulate.members import Host, Node
from toolchain.simulate.world import World

# How many rounds a wave may take before the operator plans anew.
_PATIENCE = 12


class Rollouts:
    """One operator who keeps to the plan, and plans anew when others have crossed it."""

    def __init__(self, world: World, random: Random, target: int) -> None:
        self._world = world
        self._random = random
        self.target = target
        self._waves: deque[Wave] = deque()
        self._waiting: deque[int] = deque()
        self._rounds = 0
        self.ended = False
        self.reached = False

    def some(self, count: int) -> Iterator[Command]:
        """The next commands; `ended` where everything stands at the target, or no way is left."""
        if not self._waiting and not self._continue():
            return
        wave = self._waves[0]
        for _ in range(min(count, len(self._waiting))):
            yield self._command(wave, self._waiting.popleft())
        if wave.contracts:
            # Who is gone would keep a contract waiting until its registration expires.
            for host in self._world.fleet.hosts.values():
                if not host.up and host.name % 3 == 0 and self._random.randrange(20) == 0:
                    yield Retire(host.name)

    def _continue(self) -> bool:
        """See who is left of the wave, go on to the next one, or plan anew."""
        for _ in range(2):
            while self._waves:
                self._waiting.extend(self._behind(self._waves[0]))
                if self._waiting and self._rounds < _PATIENCE:
                    self._rounds += 1
                    return True
                if self._waiting:
                    self._waiting.clear()
                    self._waves.clear()
                    break
                self._waves.popleft()
                self._rounds = 0
            self._plan()
            if self.ended:
                return False
        return False

    def _plan(self) -> None:
        world = self._world
        fleet, facts = world.fleet, world.facts
        states = {
            planned_state(facts, world.phases, shard.ledger) for shard in fleet.shards.values()
        }
        known = sorted(
            (state for state in states if state is not None),
            key=lambda state: (
                state.release,
                state.stage,
                str(state.handshake),
                sorted(state.ahead),
            ),
        )
        versions = sorted(
            {host.running for host in fleet.hosts.values() if host.running is not None}
        )
        standing = PlannedFleet(
            tuple(Server(host=str(at), version=facts.versions[at]) for at in versions),
            tuple(Shard(name=str(at), state=state) for at, state in enumerate(known)),
        )
        answer = plan_rollout(
            facts.chain, standing, facts.versions[self.target], facts.said.rollout
        )
        self._rounds = 0
        if isinstance(answer, Plan) and answer.waves:
            world.outcomes["plans"] += 1
            world.say(f"a plan of {len(answer.waves)} waves leads to {answer.target}")
            self._waves.extend(answer.waves)
        else:
            self.ended = True
            self.reached = isinstance(answer, Plan)
            world.outcomes["rollouts ended" if self.reached else "no way left"] += 1

    def _behind(self, wave: Wave) -> Iterator[int]:
        """Who is not yet where the wave leads."""
        place = self._world.facts.chain.places[wave.release]
        if wave.side is Side.SERVERS:
            for host in self._world.fleet.hosts.values():
                if self._is_behind(host, place):
                    yield host.name
        else:
            for shard in self._world.fleet.shards.values():
                if self._is_open(shard, place, contract=wave.part is not Part.PREPARE):
                    yield shard.name

    def _is_behind(self, host: Host, place: int) -> bool:
        # An inventory knows one host of a name, and not its copy.
        known = host.up and host.key == host.name
        return known and host.installed is not None and host.installed < place

    def _is_open(self, shard: Node, place: int, *, contract: bool) -> bool:
        ready = shard.ledger.ready
        versions = self._world.facts.names
        if ready is None or versions.index(ready) < place:
            return True
        if not contract or versions.index(ready) > place:
            return False
        return bool(self._world.phases.forward(place, shard.ledger, Phase.CONTRACT))

    def _command(self, wave: Wave, name: int) -> Command:
        place = self._world.facts.chain.places[wave.release]
        fleet, solver = self._world.fleet, self._world.solver
        # A host that carries both packages gets both in one run, where one alone does not fit; or
        # its shard's phases are run from another host.
        if wave.side is Side.SERVERS:
            unpack, restart = self._random.randrange(2, 60), self._random.randrange(1, 30)
            beside, database = fleet.database_on(name), None
            if beside is not None and not solver.beside_database(place, beside.package):
                database = self._world.facts.chain.database(place)
            return Upgrade(name, place, Way.APT, unpack, restart, database)
        host = fleet.hosts.get(name) if fleet.database_on(name) is not None else None
        server = None if host is None else host.installed
        return Apply(
            shard=name,
            release=place,
            contract=wave.part is not Part.PREPARE,
            pace=self._random.randrange(1, 90),
            elsewhere=server is not None and not solver.beside_database(server, place),
        )
