"""The one question that the rest of the tool asks: how this fleet comes to that release."""

from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.plan.rollout.exclusion import Exclusion, exclusion_of
from toolchain.plan.rollout.facts import Chain
from toolchain.plan.rollout.inventory import Fleet
from toolchain.plan.rollout.search import Search
from toolchain.plan.rollout.standing import Unfit, unfit
from toolchain.plan.rollout.waves import Plan, plan_of


def plan_rollout(
    chain: Chain, fleet: Fleet, target: Version, policy: RolloutPolicy
) -> Plan | Exclusion | tuple[Unfit, ...]:
    """The least waves to a target; why there are none; or what does not fit already.

    Every version of the fleet and the target must be in the chain (KeyError).
    """
    standing = unfit(chain, fleet)
    if standing:
        return standing
    search = Search(chain, fleet, target, policy)
    steps = search.shortest()
    if steps is None:
        return exclusion_of(search, fleet, policy)
    return plan_of(search, fleet, steps, policy)
