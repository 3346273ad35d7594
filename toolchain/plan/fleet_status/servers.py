"""The servers of a fleet, each once: what all the shards that it registered with say of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from toolchain.model.version import Version
from toolchain.plan.fleet_status.seen import Registration, ShardSeen


class Life(Enum):
    """Whether a server counts: one that has neither stopped nor been seen for too long has expired.

    One that stopped in order has taken its registration back and is not seen at all.
    """

    LIVE = "live"
    EXPIRED = "expired"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """One instance on one host; ages in seconds.

    `version` is the oldest that it is live with: in the middle of a restart the old is still true.
    `age` is that of its last sight by any shard, `left` the time until no shard counts it.
    `shards` are those that it is registered with, `misfits` those of them that have not retired it
    and that it does not fit.
    """

    host: str
    instance: str
    version: Version
    life: Life
    age: float
    left: float
    shards: tuple[str, ...]
    misfits: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCount:
    """The servers of one version, by their life; ages in seconds.

    `youngest` and `oldest` are the last sights of those that live, None where none does.
    """

    version: Version
    live: int
    expired: int
    retired: int
    youngest: float | None
    oldest: float | None
    misfits: int


def servers_of(shards: Iterable[ShardSeen]) -> tuple[ServerStatus, ...]:
    """Every server that any shard knows, by host and instance."""
    found: dict[tuple[str, str], list[tuple[ShardSeen, Registration]]] = {}
    for shard in shards:
        for server in shard.ledger.servers if shard.ledger else ():
            found.setdefault((server.host, server.instance), []).append((shard, server))
    return tuple(_server(*key, sightings) for key, sightings in sorted(found.items()))


def _server(
    host: str, instance: str, sightings: Sequence[tuple[ShardSeen, Registration]]
) -> ServerStatus:
    live = [server for _, server in sightings if server.live]
    counted = live or [server for _, server in sightings]
    if live:
        life = Life.LIVE
    else:
        retired = all(server.retired for server in counted)
        life = Life.RETIRED if retired else Life.EXPIRED
    return ServerStatus(
        host=host,
        instance=instance,
        version=min(server.version for server in counted),
        life=life,
        age=min(server.age for server in counted),
        left=max(server.left for server in counted),
        shards=tuple(shard.name for shard, _ in sightings),
        misfits=tuple(
            shard.name
            for shard, server in sightings
            if not server.retired and shard.ledger and not server.fits(shard.ledger.handshake)
        ),
    )


def by_version(servers: Iterable[ServerStatus]) -> tuple[VersionCount, ...]:
    """The servers of each version, the newest first."""
    found: dict[Version, list[ServerStatus]] = {}
    for server in servers:
        found.setdefault(server.version, []).append(server)
    return tuple(_count(version, found[version]) for version in sorted(found, reverse=True))


def _count(version: Version, servers: Sequence[ServerStatus]) -> VersionCount:
    ages = [server.age for server in servers if server.life is Life.LIVE]
    return VersionCount(
        version=version,
        live=len(ages),
        expired=sum(server.life is Life.EXPIRED for server in servers),
        retired=sum(server.life is Life.RETIRED for server in servers),
        youngest=min(ages, default=None),
        oldest=max(ages, default=None),
        misfits=sum(bool(server.misfits) for server in servers),
    )
