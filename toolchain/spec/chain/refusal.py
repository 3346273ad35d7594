"""Which window keeps two halves of a product apart, and how wide it would have to be."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from toolchain.model.law import compatible, peers_compatible
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.spec.facts import Facts
from toolchain.spec.problem import Place

Bounded = TypeVar("Bounded", int, Version)


class Kind(Enum):
    """Which window of a release."""

    SCHEMAS = "schemas"
    SERVERS = "servers"
    PEERS = "peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A window that leaves something out: whose it is, where it stands, what mends it.

    `is_early` says that what it leaves out comes before it, not at its ceiling or after.
    """

    owner: Facts
    kind: Kind
    place: Place
    point: int | Version
    is_early: bool
    message: str
    cure: str

    @property
    def is_declared(self) -> bool:
        """Whether a spec declares the window, so that changing its reasons does not move it."""
        match self.kind:
            case Kind.SCHEMAS:
                return self.owner.schemas_declared
            case Kind.SERVERS:
                return self.owner.servers_declared
            case Kind.PEERS:
                return True


def shard_refusals(server: Facts, shard: Facts) -> tuple[Refusal, ...]:
    """Why a server may not work on a shard; nothing where the law lets it."""
    if compatible(server.server, shard.shard):
        return ()
    return (
        *_left_out(shard, Kind.SERVERS, shard.servers, server.version),
        *_left_out(server, Kind.SCHEMAS, server.schemas, shard.schema),
    )


def peer_refusals(newer: Facts, older: Facts) -> tuple[Refusal, ...]:
    """Why an older server may not run beside a newer one; nothing where the law lets it."""
    if peers_compatible(newer.server, older.server):
        return ()
    return tuple(_left_out(newer, Kind.PEERS, newer.peers, older.version))


def own_refusals(release: Facts) -> tuple[Refusal, ...]:
    """The windows of a release that leave out the release itself."""
    return (
        *shard_refusals(release, release),
        *_left_out(release, Kind.PEERS, release.peers, release.version),
    )


def _left_out(
    owner: Facts, kind: Kind, window: Window[Bounded], point: Bounded
) -> Iterator[Refusal]:
    if point in window:
        return
    places = {
        Kind.SCHEMAS: owner.schemas_place,
        Kind.SERVERS: owner.servers_place,
        Kind.PEERS: owner.peers_place,
    }
    noun = "schema" if kind is Kind.SCHEMAS else "server"
    if point < window.oldest:
        cure = f"begin the window with '>= {point}'"
    else:
        cure = f"raise its ceiling above {point}, or leave the ceiling out"
    yield Refusal(
        owner=owner,
        kind=kind,
        place=places[kind],
        point=point,
        is_early=point < window.oldest,
        message=f"the window '{window}' leaves out {noun} {point}",
        cure=cure,
    )
