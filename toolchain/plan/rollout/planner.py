"""The one question that the rest of the tool asks: how this fleet comes to that release.

The planner is three rooms, of which each knows only those below it:

- `world` is what is given. The chain of releases with the windows of each (`facts`), what a shard
  can be on its way (`shard`, `way`, `possible`), the fleet as it stands (`inventory`).
- `search` finds the steps and knows no sentence. A node says how far servers and shards are
  (`question`). From each node the law (`fits`) leaves some waves open: a newer release for all
  servers, or one to which every shard may walk (`walks`, `moves`). A simpler question, with all
  that is rare left out, says how many waves are needed at the least (`bound`); with this number,
  and one more as long as that is not enough, the ways are tried in the order of preference
  (`deepening`).
- `telling` says what was found. Where steps were found, who moves in each and why no further
  (`plan`, `stops`); where none were, which facts exclude each other, and which release would mend
  it (`exclusion`, `repair`); where the fleet isn't legal as it stands, who does not fit whom
  (`standing`). Each reason names the line that says so (`reasons`). The waves are what people read
  (`waves`); engines are told plays and pins (`orders`, `pins`, `beside`).
"""

from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.plan.rollout.search.deepening import Search
from toolchain.plan.rollout.search.question import Question
from toolchain.plan.rollout.telling.exclusion import Exclusion, exclusion_of
from toolchain.plan.rollout.telling.plan import plan_of
from toolchain.plan.rollout.telling.standing import Unfit, unfit
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Fleet


def plan_rollout(
    chain: Chain, fleet: Fleet, target: Version, policy: RolloutPolicy
) -> Plan | Exclusion | tuple[Unfit, ...]:
    """The least waves to a target; why there are none; or what does not fit already.

    Every version of the fleet and the target must be in the chain (KeyError).
    """
    refused = unfit(chain, fleet)
    if refused:
        return refused
    search = Search(Question.of(chain, fleet, target, policy))
    steps = search.shortest()
    if steps is None:
        return exclusion_of(search)
    return plan_of(search, steps)
