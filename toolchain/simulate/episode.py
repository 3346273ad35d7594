"""One fleet from its first state until it has come to the newest release, or the steps are used."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from random import Random

from toolchain.simulate.audit import IllegalStateError
from toolchain.simulate.commands import Assumption, Command, Event, Gate
from toolchain.simulate.dispatch import Dispatch
from toolchain.simulate.facts import Facts
from toolchain.simulate.mistakes import Mistakes
from toolchain.simulate.rollouts import Rollouts
from toolchain.simulate.world import Late, Tell, World

# Seconds between two looks of the operators.
_ROUND = 60
# How long an episode goes on when the operators have left: a service that is refused would try its
# start for ever.
_AFTERMATH = 3_600
_AUDIT_EVERY = 10_000
_MOST_FAILURES = 5
# One look in so many is the other operator's, too.
_ABSENT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a run is made of; the same setting and seed give the same run, event by event."""

    facts: Facts
    servers: int
    shards: int
    without: frozenset[Gate] = frozenset()
    lifted: frozenset[Assumption] = frozenset()

    @property
    def whole(self) -> "Setting":
        """The same with all gates and assumptions."""
        facts = self.facts.honest
        return Setting(facts=facts, servers=self.servers, shards=self.shards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A world's beginning and all that came to it from outside: enough to see it again."""

    setting: Setting
    start: int
    hosts: tuple[int, ...]
    shards: tuple[int, ...]
    events: tuple[Event, ...] = field(repr=False)
    until: int

    @property
    def whole(self) -> "Scene":
        """The same with all gates and assumptions."""
        return replace(self, setting=self.setting.whole)

    def world(self, *, tell: Tell | None = None, late: Late | None = None) -> World:
        """The world at its beginning, with all events to come."""
        setting = self.setting
        world = World(
            setting.facts, hosts=self.hosts, shards=self.shards, start=self.start,
            without=setting.without, lifted=setting.lifted, tell=tell, late=late,
        )  # fmt: skip
        dispatch = Dispatch(world)
        for moment, command in self.events:
            world.command(moment, partial(dispatch.carry_out, command))
        return world


class Episode:
    """A fleet, an operator who keeps to the plan, one whose plan is stale, and all other people."""

    def __init__(
        self,
        setting: Setting,
        random: Random,
        *,
        tell: Tell | None = None,
        late: Callable[["Episode", int, int | None], None] | None = None,
    ) -> None:
        self._setting = setting
        self._random = random
        self._targets = rests(setting.facts)
        start = self._targets[random.randrange(max(len(self._targets) // 2, 1))]
        self.world = World(
            setting.facts, hosts=range(setting.servers), shards=range(setting.shards), start=start,
            without=setting.without, lifted=setting.lifted, tell=tell,
            late=None if late is None else partial(late, self),
        )  # fmt: skip
        self._dispatch = Dispatch(self.world)
        self._mistakes = Mistakes(self.world, random)
        self._place = start
        self._failures = 0
        self._rollouts = self._next_rollout()
        self._colleague = self._next_rollout()
        self._events: list[Event] = []
        self._ended = False
        self.illegal: IllegalStateError | None = None
        self.world.expected(0, self._look)

    def run(self, steps: int) -> bool:
        """Go so many steps; False where the episode has ended, by an illegal state or well."""
        world = self.world
        try:
            last = world.steps + steps
            while world.steps < last:
                done = world.steps
                if self._ended or not world.step():
                    return False
                if world.steps // _AUDIT_EVERY != done // _AUDIT_EVERY:
                    world.audit.everything()
        except IllegalStateError as error:
            self.illegal = error
            return False
        return True

    def scene(self, until: int) -> Scene:
        """All of it until a second, to be seen again."""
        return Scene(
            setting=self._setting,
            start=self.world.start,
            hosts=tuple(self.world.fleet.hosts),
            shards=tuple(self.world.fleet.shards),
            events=tuple(event for event in self._events if event[0] <= until),
            until=until,
        )

    def _look(self) -> None:
        """What operators and chance do in the next minute."""
        if self._rollouts.ended:
            if not self._go_on():
                self.world.expected(_AFTERMATH, self._end)
                return
            self._rollouts = self._next_rollout()
        size = self._setting.servers + self._setting.shards
        chances = self._random.randrange(max(4, size // 25))
        commands = chain(
            self._rollouts.some(size // 25 + 2),
            self._mistakes.some(chances),
            self._stale(size // 25 + 2),
        )
        now = self.world.now
        for command in commands:
            moment = now + 1 + self._random.randrange(_ROUND)
            event = (moment, command)
            self._events.append(event)
            self.world.command(moment, partial(self._dispatch.carry_out, command))
        self.world.expected(_ROUND, self._look)

    def _stale(self, count: int) -> Iterator[Command]:
        """What another operator does now and then, by a plan of some hours ago."""
        if self._random.randrange(_ABSENT) == 0:
            if self._colleague.ended:
                self._colleague = self._next_rollout()
            yield from self._colleague.some(count)

    def _end(self) -> None:
        self._ended = True

    def _go_on(self) -> bool:
        """Whether there is anything left to roll out."""
        if self._rollouts.reached:
            self._place = self._rollouts.target
            return self._place != self._targets[-1]
        self._failures += 1
        return self._failures < _MOST_FAILURES

    def _next_rollout(self) -> Rollouts:
        later = [place for place in self._targets if place > self._place] or self._targets[-1:]
        target = later[self._random.randrange(len(later))]
        return Rollouts(self.world, self._random, target)


def rests(facts: Facts) -> tuple[int, ...]:
    """The releases that a fleet may be at: final, not withdrawn, with a database."""
    return tuple(
        place
        for place, release in enumerate(facts.said.releases)
        if release.version.stage is None
        and release.withdrawn is None
        and facts.chain.database(place) is not None
    )
