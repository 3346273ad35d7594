"""The audit: no server works with a shard, or beside a server, that it does not fit.

It knows what is true and nothing of gates. After each event it looks at what the event has changed;
now and then it looks at everything, and at every pair where the fleet is small.
"""

from dataclasses import dataclass

from toolchain.simulate.fleet import Fleet
from toolchain.simulate.members import Host, Node

_EVERY_PAIR = 20_000


@dataclass
class IllegalStateError(Exception):
    """A state that the gates are to keep out; `shard` is None where two servers do not fit."""

    host: int
    shard: int | None
    other: int | None
    sentence: str

    def __str__(self) -> str:
        return self.sentence


class AuditError(Exception):
    """The simulation contradicts itself, which is a mistake of ours."""


class Audit:
    """Watches one fleet; every question raises IllegalStateError."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._facts = fleet.facts

    def host(self, host: Host) -> None:
        """A server has begun to work, or is back in the network."""
        place = host.running
        if place is None or host.isolated is not None:
            return
        if any(not self._facts.fits(place, state) for state in self._fleet.truths):
            for shard in self._fleet.shards.values():
                self.pair(host, shard)
        fits = self._facts.fits_peer[place]
        for other, names in self._fleet.running.items():
            if not fits[other]:
                for name in names:
                    beside = self._fleet.hosts[name]
                    if name != host.name and beside.isolated is None:
                        raise IllegalStateError(
                            host.name, None, name,
                            f"server {self._facts.names[place]} on {host_name(host.name)} works"
                            f" beside server {self._facts.names[other]} on {host_name(name)},"
                            " and they do not fit",
                        )  # fmt: skip

    def shard(self, shard: Node) -> None:
        """A shard is not what it was, or is back in the network."""
        for place, names in self._fleet.running.items():
            if not self._facts.fits(place, shard.truth):
                for name in names:
                    self.pair(self._fleet.hosts[name], shard)

    def pair(self, host: Host, shard: Node) -> None:
        """One server with one shard."""
        if (
            host.running is not None
            and host.isolated is None
            and shard.down is None
            and shard.name not in host.cut
            and not self._facts.fits(host.running, shard.truth)
        ):
            raise IllegalStateError(
                host.name, shard.name, None,
                f"server {self._facts.names[host.running]} on {host_name(host.name)} works with"
                f" {shard_name(shard.name)} ({self._facts.states[shard.truth]}), which it does"
                " not fit",
            )  # fmt: skip

    def everything(self) -> None:
        """All of it, from nothing but hosts and shards; raises AuditError on a wrong count."""
        fleet = self._fleet
        running: dict[int, int] = {}
        says: dict[int, int] = {}
        truths: dict[int, int] = {}
        for host in fleet.hosts.values():
            if host.running is not None:
                running[host.running] = running.get(host.running, 0) + 1
        for shard in fleet.shards.values():
            says[shard.says] = says.get(shard.says, 0) + 1
            truths[shard.truth] = truths.get(shard.truth, 0) + 1
        counted = {place: len(names) for place, names in fleet.running.items()}
        if (running, says, truths) != (counted, fleet.says, fleet.truths):
            raise AuditError("the counts of the simulated fleet are wrong")
        if len(fleet.hosts) * len(fleet.shards) <= _EVERY_PAIR:
            for host in fleet.hosts.values():
                for shard in fleet.shards.values():
                    self.pair(host, shard)
        for host in fleet.hosts.values():
            self.host(host)


def host_name(name: int) -> str:
    """How a host is called in sentences."""
    return f"host{name:05d}"


def host_number(name: str) -> int:
    """The host that a sentence calls so."""
    return int(name.removeprefix("host"))


def shard_name(name: int) -> str:
    """How a shard is called in sentences."""
    return f"shard{name:04d}"
