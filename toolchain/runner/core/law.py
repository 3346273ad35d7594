"""The law on this side of the border: newer knows older, so each side bounds the other's past."""

from __future__ import annotations

from dataclasses import dataclass

from .version import Schemas, Versions, version_key


@dataclass(frozen=True)
class Handshake:
    """What a shard says of itself: its schema and the servers that it accepts."""

    schema: int
    servers: Versions

    def __str__(self) -> str:
        return f"schema {self.schema}, servers {self.servers}"


@dataclass(frozen=True)
class Server:
    """What a server says of itself: its version, the schemas and the peers that it accepts."""

    version: str
    schemas: Schemas
    peers: Versions


def compatible(server: Server, shard: Handshake) -> bool:
    """Whether this server may work on this shard; ceilings bind like lower bounds."""
    return server.version in shard.servers and shard.schema in server.schemas


def peers_compatible(one: Server, other: Server) -> bool:
    """Whether two servers may run side by side: the newer one decides."""
    newer, older = (
        (one, other) if version_key(one.version) >= version_key(other.version) else (other, one)
    )
    return older.version == newer.version or older.version in newer.peers
