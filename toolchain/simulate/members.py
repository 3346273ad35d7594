"""Hosts and shards as they stand, each with what it remembers of its own past."""

from bisect import bisect_right
from typing import TypeVar

from toolchain.runner.ledger.records import Ledger

# Seconds, as the packages set them: the agent's timer, a registration's refresh and its life, and
# how long a contract waits for whoever may have lost theirs.
SYNC = 60
REFRESH = 120
EXPIRES = 600
ROLL_CALL = 180

Known = TypeVar("Known")

# How many of a shard's last jumps of the clock, and of what it last said, are remembered.
_KEPT = 8


class Host:
    """A server host; `installed` and `running` are places of releases, None for none."""

    __slots__ = (
        "_registered", "agent_hung", "apart", "booted", "busy", "calm", "cut", "frozen",
        "installed", "isolated", "key", "life", "lost", "muted", "name", "overridden", "running",
        "since", "touched", "tries", "up",
    )  # fmt: skip

    def __init__(self, name: int, installed: int | None) -> None:
        self.name = name
        # The name under which it registers: another host's, where it is a copy of that one.
        self.key = name
        self.installed = installed
        self.running: int | None = None
        self.up = True
        self.busy = False
        # Raised when the host dies: what was under way for an earlier life is void.
        self.life = 0
        # Whether the package that is there came by a run of the package manager that nobody
        # has seen start yet.
        self.touched = False
        # How often its service was refused; a try that was due before is void.
        self.tries = 0
        self.overridden = False
        self.cut: dict[int, int] = {}
        # Until then no other fault of its network is bearable.
        self.calm = 0
        self.isolated: int | None = None
        # Shards with which this host's registration is another than with the rest.
        self.apart: dict[int, None] = {}
        self.since = 0
        # The start of the server that nobody refreshes the registration of.
        self.muted: int | None = None
        self._registered: list[tuple[int, int | None]] = [(-(10**9), installed)]
        self.booted = 0
        self.lost = 0
        self.agent_hung: int | None = None
        self.frozen: tuple[int, ...] = ()

    @property
    def mute(self) -> bool:
        """Whether the unit that refreshes the registration is dead."""
        return self.muted == self.since

    def become(self, original: "Host") -> None:
        """Be a copy of another host, about to boot; what the shards know is known of both."""
        self.installed, self.key, self.apart = original.installed, original.key, original.apart
        self.busy, self.touched = False, False
        self.life += 1

    def registers(self, now: int, place: int | None) -> None:
        """What the shards know of it from now on; None for nothing."""
        self._registered.append((now, place))
        del self._registered[:-_KEPT]

    def registered_at(self, moment: int) -> int | None:
        """What the shards knew of it at a moment."""
        return _at(self._registered, moment)

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
        "_backups", "_clock", "_past", "back", "blocked_by", "calm", "doubted", "down", "gone",
        "job", "ledger", "life", "name", "package", "says", "set_back", "truth",
    )  # fmt: skip

    def __init__(self, name: int, ledger: Ledger, says: int, package: int) -> None:
        self.name = name
        self.ledger = ledger
        self.says = says
        self.truth = says
        self.package = package
        self.job: str | None = None
        # The hosts that the gate named when it last refused a contract.
        self.blocked_by: tuple[int, ...] = ()
        self.life = 0
        # Since when nobody reaches it; and the last time that this began, and ended.
        self.down: int | None = None
        self.gone = -EXPIRES
        self.back = -EXPIRES
        self.calm = 0
        # When a registration was lost last that its server may still need.
        self.doubted = -ROLL_CALL
        self.set_back = 0
        self._clock = [(-(10**9), 0)]
        self._past = [(-(10**9), says)]
        self._backups = [(-(10**9), (ledger, says))]

    def back_up(self, now: int) -> None:
        """Keep the ledger, and what is true of the shard, as they are now."""
        self._backups.append((now, (self.ledger, self.truth)))
        del self._backups[: -4 * _KEPT]

    def backup(self, moment: int) -> tuple[Ledger, int]:
        """The ledger as it was, and what was true then."""
        return _at(self._backups, moment)

    def clock(self, moment: int) -> int:
        """What the database's clock shows."""
        if len(self._clock) == 1:
            return moment + self._clock[0][1]
        at = bisect_right(self._clock, (moment, 10**9)) - 1
        return moment + self._clock[max(at, 0)][1]

    def jump(self, now: int, seconds: int) -> None:
        """Set the clock."""
        self.set_back += max(-seconds, 0)
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
        return _at(self._past, moment)


def _at(past: list[tuple[int, Known]], moment: int) -> Known:
    at = bisect_right(past, moment, key=lambda one: one[0]) - 1
    return past[max(at, 0)][1]
