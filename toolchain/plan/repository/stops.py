"""Which releases others need: the stops of their rollouts to the newest."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.plan.rollout.routes import uniform
from toolchain.plan.rollout.search.deepening import Search
from toolchain.plan.rollout.search.fits import Fits
from toolchain.plan.rollout.search.question import Question
from toolchain.plan.rollout.search.walks import Walks
from toolchain.plan.rollout.telling.standing import unfit
from toolchain.plan.rollout.world.facts import Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Why a release stays: fleets at `start` stop at it on their way to `target`."""

    release: Version
    start: Version
    target: Version

    def __str__(self) -> str:
        return f"a fleet at {self.start} stops there on its way to {self.target}"


def targets(chain: Chain) -> tuple[Version, ...]:
    """Where fleets go: the newest final release, and the newest of all where that is later."""
    able = [facts.version for facts in chain.releases if facts.withdrawn is None]
    final = [version for version in able if version.stage is None]
    return tuple(dict.fromkeys(one[-1] for one in (final, able) if one))


class Ways:
    """The ways of fleets whose hosts all stand alike, in one chain; each is looked for once."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        # By target: where shards may go does not depend on where a fleet begins.
        self._walks: dict[Version, Walks] = {}
        self._known: dict[tuple[Version, Version, RolloutPolicy], frozenset[Version] | None] = {}

    def releases(
        self, start: Version, target: Version, policy: RolloutPolicy
    ) -> frozenset[Version] | None:
        """The releases that a fleet comes to on its way; None where there is no way."""
        key = start, target, policy
        if key not in self._known:
            self._known[key] = self._releases(start, target, policy)
        return self._known[key]

    def _releases(
        self, start: Version, target: Version, policy: RolloutPolicy
    ) -> frozenset[Version] | None:
        chain, fleet = self._chain, uniform(self._chain, start)
        if unfit(chain, fleet):
            return None
        if target not in self._walks:
            self._walks[target] = Walks(chain, Fits(chain), chain.places[target])
        # Not the whole plan: its reasons, or those why there is none, cost as much as the search.
        question = Question.of(chain, fleet, target, policy)
        steps = Search(question, self._walks[target]).shortest()
        return None if steps is None else frozenset(chain[step.goal[0]].version for step in steps)


def needed(
    chain: Chain,
    kept: Iterable[Version],
    policies: Iterable[RolloutPolicy] = RolloutPolicy,
    *,
    installed: Iterable[Version] = (),
) -> Mapping[Version, Need]:
    """Every release beside `kept` that has to stay for them, each with the first reason.

    It stays for fleets at `installed` too, releases that need not stay themselves. A release that
    stays has needs of its own, so this goes on until nothing is added. Packages don't say their
    product's rollout policy, so the stops of each policy are needed.
    """
    found: dict[Version, Need] = {}
    policies = tuple(policies)
    done = set(kept)
    waiting = sorted(done | set(installed), reverse=True)
    ways = Ways(chain)
    while waiting:
        start = waiting.pop()
        for need in _needs(chain, ways, start, policies, stays=start in done):
            if need.release not in done:
                done.add(need.release)
                waiting.append(need.release)
                found[need.release] = need
    return found


def _needs(
    chain: Chain,
    ways: Ways,
    start: Version,
    policies: tuple[RolloutPolicy, ...],
    *,
    stays: bool,
) -> Iterator[Need]:
    # The database package that goes with a release may be an earlier one's.
    database = chain.database(chain.places[start]) if stays else None
    if database is not None:
        yield Need(release=chain[database].version, start=start, target=start)
    for target in targets(chain):
        if target <= start:
            continue
        for policy in policies:
            for stop in sorted(ways.releases(start, target, policy) or ()):
                for release in (stop, *_whose_database(chain, stop)):
                    yield Need(release=release, start=start, target=target)


def _whose_database(chain: Chain, stop: Version) -> Iterator[Version]:
    """The final release that makes a pre-release a stop: one with no database package of its own.

    Where that is gone, nobody but who asks for the pre-release would stop there.
    """
    place = chain.places[stop]
    if stop.stage is None:
        return
    for at in range(place + 1, len(chain)):
        facts = chain[at]
        if facts.recommended and chain.database(at) == place:
            yield facts.version
            return


def stranded(
    before: Chain, after: Chain, starts: Iterable[Version]
) -> tuple[tuple[Version, Version], ...]:
    """Each release whose fleets come to a target of `after` in `before`, and no more in `after`."""
    ways_before, ways_after = Ways(before), Ways(after)
    policy = RolloutPolicy.ANY_ORDER  # whether there is a way does not depend on what is preferred
    return tuple(
        (start, target)
        for start in starts
        for target in targets(after)
        if start < target
        and ways_before.releases(start, target, policy) is not None
        and ways_after.releases(start, target, policy) is None
    )
