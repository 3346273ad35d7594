"""All hosts and shards, with the counts that make each question a small one."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from toolchain.simulate.facts import Facts
from toolchain.simulate.members import Host, Node


class Fleet:
    """All hosts and shards by name, in the order of names; which of them run or say what."""

    def __init__(self, facts: Facts, hosts: Iterable[Host], shards: Iterable[Node]) -> None:
        self.facts = facts
        self.hosts = {host.name: host for host in hosts}
        self.shards = {shard.name: shard for shard in shards}
        self.running: dict[int, dict[int, None]] = {}
        self.down: dict[int, None] = {}
        # Seconds by which the clock was set back that was set back most, all its leaps together.
        self.set_back = 0
        # What shards say, and what is true of them, each with how many.
        self.says: dict[int, int] = {}
        self.truths: dict[int, int] = {}
        for shard in self.shards.values():
            self.says[shard.says] = self.says.get(shard.says, 0) + 1
            self.truths[shard.truth] = self.truths.get(shard.truth, 0) + 1
        self._pictures = [(-(10**9), dict(self.says))]

    def is_copied(self, host: Host) -> bool:
        """Whether another host goes by its name."""
        return any(each.key == host.name for each in self.hosts.values() if each is not host)

    def database_on(self, host: int) -> Node | None:
        """The shard whose database package is on the same host: of every fourth shard."""
        return self.shards.get(host) if host % 4 == 0 else None

    def start(self, host: Host, now: int) -> None:
        """The host's installed server runs."""
        assert host.installed is not None  # noqa: S101  (nothing else can be started)
        host.running = host.installed
        host.since = now
        self.running.setdefault(host.running, {})[host.name] = None

    def stop(self, host: Host) -> None:
        """Nothing runs there any more."""
        if host.running is not None:
            here = self.running[host.running]
            del here[host.name]
            if not here:
                del self.running[host.running]
            host.running = None

    def jump(self, shard: Node, now: int, seconds: int) -> None:
        """Set the clock of a shard's database."""
        shard.jump(now, seconds)
        self.set_back = max(self.set_back, shard.set_back)

    def move(self, shard: Node, now: int, says: int, truth: int) -> None:
        """A shard says, and is, something else."""
        if says != shard.says:
            _shift(self.says, shard.says, says)
            shard.say(now, says)
            self._pictures.append((now, dict(self.says)))
            if len(self._pictures) > 2_000:
                keep = bisect_right(self._pictures, now - 3600, key=lambda one: one[0])
                del self._pictures[: max(keep - 1, 1_000)]
        if truth != shard.truth:
            _shift(self.truths, shard.truth, truth)
            shard.truth = truth

    def reachable(self, host: Host) -> Iterator[int]:
        """What the shards say that a host can ask now, each once."""
        if not host.cut and not self.down:
            yield from self.says
            return
        away: dict[int, int] = {}
        for name in {**host.cut, **self.down}:
            said = self.shards[name].says
            away[said] = away.get(said, 0) + 1
        yield from (said for said, count in self.says.items() if count > away.get(said, 0))

    def reads(self, host: Host, now: int) -> tuple[int, ...]:
        """What the shard packages of a host say."""
        if host.agent_hung is not None:
            return host.frozen
        moment = host.synced(now)
        at = bisect_right(self._pictures, moment, key=lambda one: one[0]) - 1
        picture = dict(self._pictures[max(at, 0)][1])
        for name, since in host.cut.items():
            # A shard that does not answer keeps its package.
            shard = self.shards[name]
            _shift(picture, shard.said(moment), shard.said(min(since, moment)))
        return tuple(picture)


def _shift(counts: dict[int, int], before: int, after: int) -> None:
    left = counts.get(before, 0) - 1
    if left > 0:
        counts[before] = left
    else:
        counts.pop(before, None)
    counts[after] = counts.get(after, 0) + 1
