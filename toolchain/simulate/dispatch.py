"""Each command from outside to what carries it out."""

from typing import assert_never

from toolchain.simulate.commands import (
    AgentHangs,
    Apply,
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
)
from toolchain.simulate.faults import Faults
from toolchain.simulate.servers import Servers
from toolchain.simulate.shards import Shards
from toolchain.simulate.world import World


class Dispatch:
    """Carries out commands in one world."""

    def __init__(self, world: World) -> None:
        self._hosts = world.fleet.hosts
        self._nodes = world.fleet.shards
        self._servers = Servers(world)
        self._shards = Shards(world)
        self._faults = Faults(world, self._servers, self._shards)

    def carry_out(self, command: Command) -> None:
        """Do it; raises IllegalStateError."""
        match command:
            case Upgrade():
                self._servers.upgrade(command)
            case Apply():
                self._shards.apply(command)
            case Undo():
                self._shards.undo(command)
            case Retire(host=host):
                self._faults.retire(self._hosts[host])
            case PowerLoss(host=host, seconds=seconds):
                self._servers.lose_power(self._hosts[host], seconds)
            case Cut(host=host, shard=shard, seconds=seconds):
                self._faults.cut(self._hosts[host], shard, seconds)
            case Outage(shard=shard, seconds=seconds):
                self._faults.lose(self._nodes[shard], seconds)
            case ClockJump(shard=shard, seconds=seconds):
                self._faults.jump(self._nodes[shard], seconds)
            case RunnerKilled(shard=shard):
                self._shards.kill(self._nodes[shard])
            case AgentHangs(host=host, seconds=seconds):
                self._faults.hang(self._hosts[host], seconds)
            case RegistrarDies(host=host):
                self._faults.registrar_dies(self._hosts[host])
            case _:
                assert_never(command)
