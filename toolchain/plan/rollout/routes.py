"""How whole fleets come from each release of a product to the newest."""

from dataclasses import dataclass

from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.telling.exclusion import Exclusion
from toolchain.plan.rollout.telling.standing import Unfit
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Fleet, Server, Shard
from toolchain.plan.rollout.world.shard import state_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The answer of the planner for a fleet whose servers and shards all stand at a release."""

    start: Version
    target: Version
    answer: Plan | Exclusion | tuple[Unfit, ...]


def uniform(chain: Chain, version: Version) -> Fleet:
    """A server and a shard at one release; more of them would change no wave."""
    state = state_at(chain, chain.places[version])
    shards = () if state is None else (Shard(name="every shard", state=state),)
    return Fleet((Server(host="every server", version=version),), shards)


def newest(chain: Chain) -> Version | None:
    """The newest final release that is not withdrawn; None where there is none."""
    return next((facts.version for facts in reversed(chain.releases) if facts.recommended), None)


def routes(chain: Chain, policy: RolloutPolicy) -> tuple[Route, ...]:
    """A route from every release below the newest final one, oldest first."""
    target = newest(chain)
    if target is None:
        return ()
    return tuple(
        Route(
            start=facts.version,
            target=target,
            answer=plan_rollout(chain, uniform(chain, facts.version), target, policy),
        )
        for facts in chain.releases
        if facts.version < target
    )
