"""Which releases others need: the stops of their rollouts to the newest."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.plan.rollout.facts import Chain
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.routes import uniform
from toolchain.plan.rollout.waves import Plan


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


def rollout(
    chain: Chain, start: Version, target: Version, policy: RolloutPolicy
) -> frozenset[Version] | None:
    """The releases that a fleet comes to on its way; None where there is no way."""
    answer = plan_rollout(chain, uniform(chain, start), target, policy)
    if not isinstance(answer, Plan):
        return None
    return frozenset(wave.release for wave in answer.waves)


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
    while waiting:
        start = waiting.pop()
        for need in _needs(chain, start, policies, stays=start in done):
            if need.release not in done:
                done.add(need.release)
                waiting.append(need.release)
                found[need.release] = need
    return found


def _needs(
    chain: Chain, start: Version, policies: tuple[RolloutPolicy, ...], *, stays: bool
) -> Iterator[Need]:
    # The database package that goes with a release may be an earlier one's.
    database = chain.database(chain.places[start]) if stays else None
    if database is not None:
        yield Need(release=chain[database].version, start=start, target=start)
    for target in targets(chain):
        if target <= start:
            continue
        for policy in policies:
            for stop in sorted(rollout(chain, start, target, policy) or ()):
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
        if facts.withdrawn is None and facts.version.stage is None and chain.database(at) == place:
            yield facts.version
            return


def stranded(
    before: Chain, after: Chain, starts: Iterable[Version]
) -> tuple[tuple[Version, Version], ...]:
    """Each release whose fleets come to a target of `after` in `before`, and no more in `after`."""
    policy = RolloutPolicy.ANY_ORDER  # whether there is a way does not depend on what is preferred
    return tuple(
        (start, target)
        for start in starts
        for target in targets(after)
        if start < target
        and rollout(before, start, target, policy) is not None
        and rollout(after, start, target, policy) is None
    )
