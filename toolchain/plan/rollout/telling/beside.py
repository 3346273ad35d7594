"""Hosts with a server that run a shard's phases too: where one package alone does not fit."""

from collections.abc import Iterator
from dataclasses import dataclass

from toolchain.model.law import compatible
from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.plan.rollout.telling.orders import host_of
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.inventory import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """In a wave the host's package manager refuses one package beside the other.

    The packages' relations know no half states: a database package refuses every server that its
    release keeps out after its contract, also while the shard still bears it. `instead` is the
    database package that fits the server, where it is a server that moves.
    """

    wave: int
    side: Side
    host: str
    server: Version
    database: Version
    instead: Version | None = None

    @property
    def sentence(self) -> str:
        """What happens there, and the ways round it, without full stop."""
        if self.side is Side.SHARDS:
            return (
                f"on {self.host} apt and dnf refuse database {self.database} beside server"
                f" {self.server}: run these phases from another host"
            )
        return (
            f"on {self.host} apt and dnf refuse server {self.server} beside database"
            f" {self.database}: install database {self.instead} in the same run"
        )


def clashes(product: Product, plan: Plan) -> Iterator[Clash]:
    """The clashes of a plan, by wave and host.

    A host's database package is taken to be of the newest release of its shards; where one is
    refused, each clash's own way round it is taken.
    """
    servers = {host_of(one.host): one.version for one in plan.fleet.servers}
    runners = {one.name: one.host or one.name for one in plan.fleet.shards}
    databases: dict[str, Version] = {}
    for shard in plan.fleet.shards:
        host, release = runners[shard.name], shard.state.release
        databases[host] = max(release, databases.get(host, release))
    reached = dict(databases)
    both = servers.keys() & databases.keys()
    hosts_of = {one.host: host_of(one.host) for one in plan.fleet.servers}
    for wave in plan.waves:
        shards = wave.side is Side.SHARDS
        names = {name for move in wave.moves for name in move.names}
        moved = {(runners if shards else hosts_of)[name] for name in names}
        for host in sorted(moved & both):
            server = servers[host] if shards else wave.release
            database = wave.release if shards else databases[host]
            if shards:
                reached[host] = wave.release
            if _together(product, server, database):
                servers[host], databases[host] = server, database
                continue
            fits = _together(product, server, reached[host])
            instead = None if shards else reached[host] if fits else wave.release
            yield Clash(
                wave=wave.number,
                side=wave.side,
                host=host,
                server=server,
                database=database,
                instead=instead,
            )
            if instead is not None:
                servers[host], databases[host] = server, instead


def _together(product: Product, server: Version, database: Version) -> bool:
    """Whether the two packages' relations let them stand on one host."""
    return compatible(
        product.release(server).server_handshake, product.release(database).shard_handshake
    )
