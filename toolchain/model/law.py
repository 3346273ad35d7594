"""The law: newer knows older, so each side bounds only the other's past.

Package relations, the start-up check's SQL and the matrix are forms of these functions and are
tested against them.
"""

from dataclasses import dataclass

from toolchain.model.version import Version
from toolchain.model.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHandshake:
    """What a server says of itself: its version, the schemas and the peers that it accepts."""

    version: Version
    schemas: Window[int]
    peers: Window[Version]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardHandshake:
    """What a shard or a database package says of itself: its schema, the servers it accepts."""

    schema: int
    servers: Window[Version]


def compatible(server: ServerHandshake, shard: ShardHandshake) -> bool:
    """Whether this server may work on this shard; both windows bind, ceilings included."""
    return server.version in shard.servers and shard.schema in server.schemas


def peers_compatible(one: ServerHandshake, other: ServerHandshake) -> bool:
    """Whether two servers may run side by side: the newer one decides, the older cannot know.

    Raises nothing; two servers of one version always fit.
    """
    newer, older = (one, other) if one.version >= other.version else (other, one)
    return older.version == newer.version or older.version in newer.peers
