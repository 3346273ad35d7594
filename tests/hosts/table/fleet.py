"""Three servers' hosts before a product's shards, and the ways on which shards move."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from toolchain.model.version import Version

from ..host import Host
from ..lab import Lab, TreeName
from ..products import Customer, Packaged
from ..recipes import Packaging
from ..samples import Sample, build
from .rows import Row, Table
from .shards import ShardState, Situation, walk
from .site import BYSTANDER, Site

SERVERS = ("one", "two", "three")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A situation on a way; it is passed through only where it is not `tried`."""

    situation: Situation
    legal: tuple[Version, ...]
    tried: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Servers' hosts, and the states of a product's shards in the order of its releases."""

    sites: tuple[Site, ...]
    states: tuple[ShardState, ...]

    @property
    def packaged(self) -> Packaged:
        return self.sites[0].packaged

    @property
    def packaging(self) -> Packaging:
        return self.sites[0].packaging

    def rollout(self) -> tuple[Stop, ...]:
        """Shard by shard: each state of north beside the last one of south, then both."""
        pairs = [(self.states[0], self.states[0])]
        for before, after in pairwise(self.states):
            pairs += [(after, before), (after, after)]
        return tuple(self._stop(north, south) for north, south in pairs)

    def every_pair(self) -> tuple[Stop, ...]:
        """Every two states that some server bears."""
        pairs = (self._stop(north, south) for north in self.states for south in self.states)
        return tuple(stop for stop in pairs if stop.legal)

    def way(self, wanted: Sequence[Stop]) -> tuple[Stop, ...]:
        """The stops, those next to each other first, and those between which a server needs."""
        every, left = self.every_pair(), list(wanted)
        way = [left.pop(0)]
        while left:
            *passed, found = _nearest(way[-1], left, every)
            way += [replace(stop, tried=False) for stop in passed]
            way.append(found)
            left.remove(found)
        return tuple(way)

    def _stop(self, north: ShardState, south: ShardState) -> Stop:
        situation = Situation(north=north, south=south)
        return Stop(situation=situation, legal=situation.legal(self.packaged))

    def on_each(self, name: str, work: Callable[[Site, int], Iterable[Row]]) -> Table:
        """Do it on all hosts at once; the table's files have each row that came, whatever fails."""
        table = Table(name=f"{name}-{self.packaging}")

        def fill(site: Site, number: int) -> None:
            for row in work(site, number):
                table.add(row)

        with table, ThreadPoolExecutor(len(self.sites)) as executor:
            list(executor.map(fill, self.sites, range(len(self.sites))))
        return table


def _nearest(start: Stop, wanted: Sequence[Stop], pairs: Sequence[Stop]) -> list[Stop]:
    """The shortest way to one of those wanted, on which a legal server stays legal at each step."""
    ways = deque([[start]])
    seen = {start.situation}
    while ways:
        way = ways.popleft()
        if way[-1] in wanted:
            return way[1:]
        for stop in pairs:
            if stop.situation not in seen and set(stop.legal) & set(way[-1].legal):
                seen.add(stop.situation)
                ways.append([*way, stop])
    raise AssertionError(f"no server can go from {start.situation} to {wanted[0].situation}")


def lead(site: Site, way: Sequence[Stop]) -> Iterator[Stop]:
    """Lead a server from stop to stop, on a version that is legal before and after each step.

    Yields with the shards' packages current; what is installed then must be one of the legal.
    """
    site.begin(way[0].situation, way[0].legal[0])
    for before, stop in zip((way[0], *way), way, strict=False):
        installed = site.customer.pair().server
        if installed not in stop.legal:
            site.move(next(version for version in before.legal if version in stop.legal))
        site.meet(stop.situation)
        if stop.tried:
            yield stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Where all the shards are, and the servers' hosts."""

    postgres: Host
    servers: tuple[Host, ...]


def boot(lab: Lab, tree: TreeName, packages: Path, work: Path) -> Hosts:
    """Boot the hosts, and offer them the packages of every product."""
    with ThreadPoolExecutor(len(SERVERS) + 1) as executor:
        names = ("shards", *SERVERS)
        booting = [
            executor.submit(lab.host, name, tree=tree, postgres=name == "shards") for name in names
        ]
        postgres, *servers = (future.result() for future in booting)
        list(executor.map(lambda host: host.add_repository(packages), (postgres, *servers)))
    bystander = build(Sample(name=BYSTANDER, version="1"), postgres.packaging, work)
    for host in servers:
        host.push(bystander, f"/srv/{bystander.name}")
        tool = "dpkg" if host.packaging is Packaging.DEB else "rpm"
        host.run(tool, "--install", f"/srv/{bystander.name}")
    return Hosts(postgres=postgres, servers=tuple(servers))


def set_up(hosts: Hosts, packaged: Packaged) -> Fleet:
    """Walk a product's shards through all their states, prepare its servers."""
    sites = tuple(
        Site(customer=Customer(host=host, packaged=packaged), postgres=hosts.postgres)
        for host in hosts.servers
    )
    for site in sites:
        site.prepare()
    return Fleet(sites=sites, states=walk(hosts.postgres, packaged))
