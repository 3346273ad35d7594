"""A fleet that is not legal as it stands."""

from tests.unit.plan.rollout.samples import STORY, V, fleet
from toolchain.model.release import RolloutPolicy
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.telling.standing import Unfit


def test_a_fleet_that_is_not_legal_is_refused_with_the_nearest_release_that_fits():
    answer = plan_rollout(
        STORY, fleet(STORY, "4.0.0 4.2.0", "4.2.0"), V("4.2.0"), RolloutPolicy.DATABASE_FIRST
    )
    assert isinstance(answer, tuple)
    shard, peer = answer
    assert isinstance(shard, Unfit)
    assert (shard.hosts, shard.others, shard.peers) == (("web1",), ("s1",), False)
    assert (peer.hosts, peer.others, peer.peers) == (("web1",), ("web2",), True)
    assert shard.nearest == V("4.1.0")
