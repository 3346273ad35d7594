"""A fleet as it stands: which server runs which version, which shard is how far."""

from dataclasses import dataclass, field
from enum import Enum

from toolchain.model.origin import Origin
from toolchain.model.version import Version
from toolchain.plan.rollout.world.shard import ShardState


class Side(Enum):
    """Which half of the fleet a wave moves."""

    SHARDS = "shards"
    SERVERS = "servers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server host."""

    host: str
    version: Version
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One shard; `host` is where its phases run, a host of the shard's name where it is None."""

    name: str
    state: ShardState
    host: str | None = None
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Fleet:
    """All servers by host and all shards by name, sorted, so that no order of input is left."""

    servers: tuple[Server, ...]
    shards: tuple[Shard, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "servers", tuple(sorted(self.servers, key=lambda one: one.host)))
        object.__setattr__(self, "shards", tuple(sorted(self.shards, key=lambda one: one.name)))

    @property
    def versions(self) -> tuple[Version, ...]:
        """The versions that servers run, oldest first, each once."""
        return tuple(sorted({server.version for server in self.servers}))

    @property
    def states(self) -> frozenset[ShardState]:
        """The states that shards are in, each once."""
        return frozenset(shard.state for shard in self.shards)
