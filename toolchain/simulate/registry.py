"""The registrations with all shards, as `check_in`, `check_out`, `retire` and time leave them.

A server registers with every shard alike, so that ten million rows are one row for each host, and
the few that are apart: with a shard that a host could not reach, its row is another one. A host
is known by its key, which is its name, or the name of the host that it was copied from.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from toolchain.simulate.fleet import Fleet
from toolchain.simulate.members import EXPIRES, Host, Node


@dataclass(frozen=True, slots=True)
class Row:
    """A registration: the release that registered, and when it was seen last."""

    place: int
    seen: int


class Registry:
    """Who is known to the shards; places are those that a server said of itself."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.refreshing: dict[int, dict[int, None]] = {}
        self.known: dict[int, int] = {}
        self.left: dict[int, Row] = {}
        self.apart: dict[int, dict[int, Row | None]] = {}
        # Which host, of those of one name, registered last.
        self._by: dict[int, int] = {}

    def register(self, host: Host, place: int) -> None:
        """Every shard has taken the registration, and it is refreshed from now on."""
        self._take_over(host, host.since)
        self.forget(host)
        for name in host.apart:
            del self.apart[name][host.key]
        host.apart.clear()
        self.known[host.key] = place
        self.refreshing.setdefault(place, {})[host.key] = None
        host.registers(host.since, place)

    def register_again(self, host: Host, place: int, now: int) -> None:
        """Every shard that the running server can reach has taken a refresh of it."""
        self._take_over(host, now)
        self.forget(host)
        for name in [name for name in host.apart if name not in host.cut]:
            self.rejoin(host, name)
        self.known[host.key] = place
        self.refreshing.setdefault(place, {})[host.key] = None

    def _take_over(self, host: Host, now: int) -> None:
        """Shards that knew another host by this name are in doubt about that one."""
        known = host.key in self.known or host.key in self.left
        if known and self._by.get(host.key, host.name) != host.name:
            self.doubt(self._asked(host), now)
        self._by[host.key] = host.name

    def doubt(self, shards: Iterable[Node], now: int) -> None:
        """These shards may have lost a registration that its server still needs."""
        for shard in shards:
            shard.doubted = now

    def forget(self, host: Host) -> None:
        """The common row is gone from all shards; those apart stay."""
        place = self.known.pop(host.key, None)
        if place is not None:
            here = self.refreshing[place]
            del here[host.key]
            if not here:
                del self.refreshing[place]
        self.left.pop(host.key, None)

    def leave(self, host: Host, now: int) -> None:
        """Nobody refreshes it any more: it will expire."""
        place = self.known.get(host.key)
        if place is not None:
            row = Row(place, host.refreshed(now))
            self.forget(host)
            self.left[host.key] = row

    def check_out(self, host: Host, now: int) -> None:
        """A server that stops says so to the shards that it can reach."""
        if host.isolated is not None:
            return
        self._take_over(host, now)
        for name in self._fleet.down:
            self.part(host, self._fleet.shards[name], now)
        for name in [*host.apart]:
            if name not in host.cut and name not in self._fleet.down:
                self.rejoin(host, name)
        self.forget(host)
        host.registers(now, None)

    def part(self, host: Host, shard: Node, now: int) -> None:
        """A shard is out of a host's reach: the row with it grows old by itself."""
        if shard.name not in host.apart:
            row = self.row(host, shard, now)
            if row is not None:
                self.set_apart(host, shard.name, row)

    def set_apart(self, host: Host, shard: int, row: Row | None) -> None:
        """The row with one shard, or none, whatever the others have."""
        self.apart.setdefault(shard, {})[host.key] = row
        host.apart[shard] = None

    def rejoin(self, host: Host, shard: int) -> None:
        """The row with a shard is again as with the others."""
        if shard in host.apart:
            del host.apart[shard]
            del self.apart[shard][host.key]

    def row(self, host: Host, shard: Node, now: int) -> Row | None:
        """What one shard knows of one host."""
        if shard.name in host.apart:
            return self.apart[shard.name][host.key]
        place = self.known.get(host.key)
        if place is None:
            return self.left.get(host.key)
        seen = host.refreshed(now)
        if shard.gone <= seen < shard.back or (shard.down is not None and seen >= shard.gone):
            seen = host.refreshed(shard.gone)
        return Row(place, seen)

    def rows(self, shard: Node, now: int) -> tuple[tuple[int, Row, bool], ...]:
        """A shard's table: the host, its row, whether it is live.

        Of hosts that stand alike, by release and life, one stands for all.
        """
        found: dict[tuple[int, bool], tuple[int, Row, bool]] = {}
        for name, row in self._differing(shard, now):
            live = shard.live(row.seen, now)
            found.setdefault((row.place, live), (name, row, live))
        apart = self.apart.get(shard.name, {})
        for place, hosts in self.refreshing.items():
            if shard.all_live(now) and (place, True) not in found:
                witness = next((witness for witness in hosts if witness not in apart), None)
                if witness is not None:
                    found[place, True] = (witness, Row(place, now), True)
        return tuple(found.values())

    def _differing(self, shard: Node, now: int) -> Iterator[tuple[int, Row]]:
        """The rows that need a look each."""
        apart = self.apart.get(shard.name, {})
        for name, row in apart.items():
            if row is not None:
                yield name, row
        for name, row in self.left.items():
            if name not in apart:
                yield name, row
        if not shard.all_live(now):
            for hosts in self.refreshing.values():
                for name in hosts:
                    if name not in apart:
                        one = self.row(self._fleet.hosts[name], shard, now)
                        assert one is not None  # noqa: S101  (it refreshes)
                        yield name, one

    def against(self, host: Host, place: int, now: int) -> int | None:
        """A live server, seen by a shard that the host can ask, which is no peer for a release."""
        fits = self._fleet.facts.accepts_peer[place]
        for other, hosts in self.refreshing.items():
            if not fits[other]:
                for name in hosts:
                    if name != host.key and self._seen(host, self._fleet.hosts[name], now):
                        return name
        for name, row in self.left.items():
            if name != host.key and not fits[row.place] and self._live(host, row, now):
                return name
        for shard, rows in self.apart.items():
            if rows and shard not in host.cut and shard not in self._fleet.down:
                node = self._fleet.shards[shard]
                for name, one in rows.items():
                    if (
                        one is not None
                        and name != host.key
                        and not fits[one.place]
                        and node.live(one.seen, now)
                    ):
                        return name
        return None

    def _seen(self, host: Host, other: Host, now: int) -> bool:
        """Whether a shard that one host can ask counts another, who refreshes, as live."""
        for shard in self._asked(host):
            if shard.name not in other.apart and shard.all_live(now):
                return True
            row = self.row(other, shard, now)
            if row is not None and shard.live(row.seen, now):
                return True
        return False

    def _live(self, host: Host, row: Row, now: int) -> bool:
        if row.seen + EXPIRES + self._fleet.set_back <= now:
            return False
        return any(shard.live(row.seen, now) for shard in self._asked(host))

    def _asked(self, host: Host) -> Iterator[Node]:
        for shard in self._fleet.shards.values():
            if shard.name not in host.cut and shard.down is None:
                yield shard
