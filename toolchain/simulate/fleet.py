"""Hosts and shards as they stand, with the counts that make each question a small one."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from toolchain.runner.records import Ledger
from toolchain.simulate.facts import Facts

# Seconds, as the packages set them: the agent's timer, a registration's refresh and its life.
SYNC = 60
REFRESH = 120
EXPIRES = 600


# How many of a shard's last jumps of the clock, and of what it last said, are remembered.
_KEPT = 8


class Host:
    """A server host; `installed` and `running` are places of releases, None for none."""

    __slots__ = (
        "agent_hung", "apart", "booted", "busy", "calm", "cut", "frozen", "installed", "isolated",
        "life", "lost", "name", "running", "since", "touched", "up",
    )  # fmt: skip

    def __init__(self, name: int, installed: int | None) -> None:
        self.name = name
        self.installed = installed
        self.running: int | None = None
        self.up = True
        self.busy = False
        # Raised when the host dies: what was under way for an earlier life is void.
        self.life = 0
        # Whether the package that is there came by a run of the package manager that nobody
        # has seen start yet.
        self.touched = False
        self.cut: dict[int, int] = {}
        # Until then no other fault of its network is bearable.
        self.calm = 0
        self.isolated: int | None = None
        # Shards with which this host's registration is another than with the rest.
        self.apart: dict[int, None] = {}
        self.since = 0
        self.booted = 0
        self.lost = 0
        self.agent_hung: int | None = None
        self.frozen: tuple[int, ...] = ()

    def refreshed(self, now: int) -> int:
        """When the running server was last seen by shards that it can reach."""
        phase = self.name * 7919 % REFRESH
        return max(self.since, now - (now - phase) % REFRESH)

    def next_refresh(self, now: int) -> int:
        """When it will be seen next."""
        phase = self.name * 7919 % REFRESH
        return now + REFRESH - (now - phase) % REFRESH

    def synced(self, now: int) -> int:
        """When its agent last read the shards."""
        at = now - (now - self.name * 104_729) % SYNC
        if at < self.booted:
            at = self.lost
        return at if self.isolated is None else min(at, self.isolated)


class Node:
    """A shard: its ledger, what it says and what is true of it, and who works on it."""

    __slots__ = (
        "_clock", "_past", "back", "calm", "down", "gone", "job", "ledger", "life",
        "name", "package", "says", "truth",
    )  # fmt: skip

    def __init__(self, name: int, ledger: Ledger, says: int, package: int) -> None:
        self.name = name
        self.ledger = ledger
        self.says = says
        self.truth = says
        self.package = package
        self.job: str | None = None
        self.life = 0
        # Since when nobody reaches it; and the last time that this began, and ended.
        self.down: int | None = None
        self.gone = -EXPIRES
        self.back = -EXPIRES
        self.calm = 0
        self._clock = [(-(10**9), 0)]
        self._past = [(-(10**9), says)]

    def clock(self, moment: int) -> int:
        """What the database's clock shows."""
        if len(self._clock) == 1:
            return moment + self._clock[0][1]
        at = bisect_right(self._clock, (moment, 10**9)) - 1
        return moment + self._clock[max(at, 0)][1]

    def jump(self, now: int, seconds: int) -> None:
        """Set the clock."""
        self._clock.append((now, self._clock[-1][1] + seconds))
        del self._clock[:-_KEPT]

    def live(self, seen: int, now: int) -> bool:
        """`interlock.live`: whether one who was seen then counts, by the database's clock."""
        return self.clock(seen) + EXPIRES > self.clock(now)

    def all_live(self, now: int) -> bool:
        """Whether everyone who refreshes counts, whenever that was last."""
        oldest = now - REFRESH
        if oldest < self.back and self.gone <= now:
            oldest = self.gone - REFRESH
        jumps = (moment for moment, _ in self._clock if oldest < moment <= now)
        return self.live(oldest, now) and all(self.live(moment, now) for moment in jumps)

    def say(self, now: int, state: int) -> None:
        """Say something else from now on."""
        self.says = state
        self._past.append((now, state))
        del self._past[:-_KEPT]

    def said(self, moment: int) -> int:
        """What it said at a moment."""
        at = bisect_right(self._past, (moment, 10**9)) - 1
        return self._past[max(at, 0)][1]


class Fleet:
    """All hosts and shards by name, in the order of names; which of them run or say what."""

    def __init__(self, facts: Facts, hosts: Iterable[Host], shards: Iterable[Node]) -> None:
        self.facts = facts
        self.hosts = {host.name: host for host in hosts}
        self.shards = {shard.name: shard for shard in shards}
        self.running: dict[int, dict[int, None]] = {}
        self.down: dict[int, None] = {}
        # What shards say, and what is true of them, each with how many.
        self.says: dict[int, int] = {}
        self.truths: dict[int, int] = {}
        for shard in self.shards.values():
            self.says[shard.says] = self.says.get(shard.says, 0) + 1
            self.truths[shard.truth] = self.truths.get(shard.truth, 0) + 1
        self._pictures = [(-(10**9), dict(self.says))]

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
