"""Each command from outside to what carries it out."""

from typing import assert_never

from toolchain.simulate.commands import (
    AgentHangs,
    Apply,
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
)
from toolchain.simulate.faults import Faults
from toolchain.simulate.losses import Losses
from toolchain.simulate.members import Node
from toolchain.simulate.operators import Operators
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
        self._faults = Faults(world, self._servers)
        self._losses = Losses(world, self._servers, self._shards)
        self._operators = Operators(world, self._faults)

    def _meant(self, shard: int | None) -> tuple[Node, ...]:
        return tuple(self._nodes.values()) if shard is None else (self._nodes[shard],)

    def carry_out(self, command: Command) -> None:
        """Do it; raises IllegalStateError."""
        match command:
            case Upgrade():
                self._servers.upgrade(command)
            case Apply():
                self._shards.apply(command)
            case Undo():
                self._shards.undo(command)
            case Retire(host=host, force=force):
                self._operators.retire(self._hosts[host], force=force)
            case OverrideLeft(host=host, seconds=seconds):
                self._operators.override(self._hosts[host], seconds)
            case PowerLoss(host=host, seconds=seconds):
                self._servers.lose_power(self._hosts[host], seconds)
            case Cut(host=host, shard=shard, seconds=seconds):
                self._faults.cut(self._hosts[host], shard, seconds)
            case Outage(shard=shard, seconds=seconds):
                self._losses.lose(self._meant(shard), seconds)
            case ClockJump(shard=shard, seconds=seconds):
                self._losses.jump(self._meant(shard), seconds)
            case Restore(shard=shard, seconds=seconds):
                self._losses.restore(self._nodes[shard], seconds)
            case RunnerKilled(shard=shard):
                self._shards.kill(self._nodes[shard])
            case AgentHangs(host=host, seconds=seconds):
                self._faults.hang(self._hosts[host], seconds)
            case RegistrarDies(host=host, seconds=seconds):
                self._faults.registrar_dies(self._hosts[host], seconds)
            case Clone(host=host, original=original):
                self._faults.clone(self._hosts[host], self._hosts[original])
            case _:
                assert_never(command)
