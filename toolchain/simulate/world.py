"""One simulated world: the fleet and all that watches it, the clock, and the list of what comes."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from enum import IntEnum
from heapq import heappop, heappush

from toolchain.simulate.audit import Audit
from toolchain.simulate.commands import Assumption, Gate
from toolchain.simulate.facts import Facts
from toolchain.simulate.fleet import Fleet
from toolchain.simulate.ledger import Phases, grown
from toolchain.simulate.members import Host, Node
from toolchain.simulate.registry import Registry
from toolchain.simulate.solver import Solver

Tell = Callable[[int, str], None]
# Called with a host, and with another one whose server is no peer for it.
Late = Callable[[int, int | None], None]


class _Rank(IntEnum):
    """What comes first of one moment; a replay keeps the order, whenever things were asked for."""

    COMES = 0
    FOLLOWS = 1
    EXPECTED = 2


class World:
    """The state of a run, and the events that are still to come, in order of time.

    `tell` hears a sentence for each event, or is None. `late` hears of each host whose service is
    down because a package that does not fit came through. `steps` counts what has happened: no
    operator's look, and no command that found nothing to do.
    """

    def __init__(
        self,
        facts: Facts,
        *,
        hosts: Iterable[int],
        shards: Iterable[int],
        start: int,
        without: Collection[Gate] = (),
        lifted: Collection[Assumption] = (),
        tell: Tell | None = None,
        late: Late | None = None,
    ) -> None:
        self.facts = facts
        self.without = frozenset(without)
        self.lifted = frozenset(lifted)
        self.tell = tell
        self.late = late
        self.start = start
        database = facts.chain.database(start)
        assert database is not None  # noqa: S101  (a start is chosen among those that have one)
        ledger = grown(facts, database)
        says = facts.number(ledger.handshake)
        # On every 30th host no server is installed yet; on half of these a database is.
        self.fleet = Fleet(
            facts,
            (Host(name, None if name % 30 == 8 else start) for name in hosts),
            (Node(name, ledger, says, database) for name in shards),
        )
        self.registry = Registry(self.fleet)
        self.solver = Solver(facts)
        self.audit = Audit(self.fleet)
        self.phases = Phases(facts, self.registry, gated=Gate.CONTRACT not in self.without)
        self.outcomes: Counter[str] = Counter()
        self.now = 0
        self.steps = 0
        self._count = 0
        self._said = 0
        self._coming: list[tuple[int, _Rank, int, Callable[[], None]]] = []
        for shard in self.fleet.shards.values():
            shard.truth = self.phases.truth(shard, database)
            shard.back_up(0)
        self.fleet.truths = dict(Counter(shard.truth for shard in self.fleet.shards.values()))
        for host in self.fleet.hosts.values():
            if host.installed is not None:
                self.fleet.start(host, 0)
                self.registry.register(host, host.installed)

    def after(self, seconds: int, act: Callable[[], None]) -> None:
        """Let something follow later; what is due at one moment comes in the order of asking."""
        self._put(self.now + seconds, _Rank.FOLLOWS, act)

    def command(self, moment: int, act: Callable[[], None]) -> None:
        """Let something come from outside; at its moment it comes before what follows by itself."""
        self._put(moment, _Rank.COMES, act)

    def expected(self, seconds: int, act: Callable[[], None]) -> None:
        """Let something follow later that is no step: an operator's look, another refresh.

        It comes after all else of its moment.
        """
        self._put(self.now + seconds, _Rank.EXPECTED, act)

    def _put(self, moment: int, rank: "_Rank", act: Callable[[], None]) -> None:
        self._count += 1
        heappush(self._coming, (moment, rank, self._count, act))

    def step(self) -> bool:
        """The next event; False where nothing is to come."""
        if not self._coming:
            return False
        self.now, rank, _, act = heappop(self._coming)
        before = self._traces() if rank is _Rank.COMES else None
        act()
        if rank is _Rank.FOLLOWS or (before is not None and self._traces() != before):
            self.steps += 1
        return True

    def _traces(self) -> tuple[int, int, int]:
        """What a command that does anything changes: what comes, what was said, what came of it."""
        return self._count, self._said, sum(self.outcomes.values())

    def due(self) -> int | None:
        """When the next event comes."""
        return self._coming[0][0] if self._coming else None

    def say(self, sentence: str) -> None:
        """Tell what has just happened."""
        self._said += 1
        if self.tell is not None:
            self.tell(self.now, sentence)

    def has(self, gate: Gate) -> bool:
        """Whether a gate stands."""
        return gate not in self.without
