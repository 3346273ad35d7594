"""The least waves to a target, in the order that is preferred."""

import pytest

from tests.unit.plan.rollout.samples import STORY, V, fleet, planned, release, told
from toolchain.model.release import RolloutPolicy
from toolchain.plan.rollout.world.facts import Chain


def test_shards_go_first_and_the_contract_comes_when_nobody_needs_the_old_form():
    plan = planned(STORY, fleet(STORY, "4.0.0 4.0.0", "4.0.0 4.0.0"), "4.2.0")
    # Server 4.2 needs nothing of schema 13, so the contract can wait to the end.
    assert told(plan) == ["shards 4.1.0", "servers 4.1.0", "servers 4.2.0", "shards 4.2.0"]
    assert [wave.no_return for wave in plan.waves] == [False, False, False, True]
    assert plan.waves[3].contracts == (V("4.2.0"),)


def test_nothing_to_do_is_a_plan_without_waves():
    assert planned(STORY, fleet(STORY, "4.2.0", "4.2.0"), "4.1.0").waves == ()


def test_servers_alone_and_shards_alone():
    assert told(planned(STORY, fleet(STORY, "4.0.0", ""), "4.2.0")) == [
        "servers 4.1.0",
        "servers 4.2.0",
    ]
    assert told(planned(STORY, fleet(STORY, "", "4.0.0"), "4.2.0")) == ["shards 4.2.0"]


def test_a_shard_that_waits_for_its_contract_gets_it():
    plan = planned(STORY, fleet(STORY, "4.2.0", "4.2.0?"), "4.2.0")
    assert told(plan) == ["shards 4.2.0 contract"]
    assert plan.point_of_no_return is plan.waves[0]


@pytest.mark.parametrize(
    ("policy", "first"),
    [(RolloutPolicy.DATABASE_FIRST, "shards"), (RolloutPolicy.ANY_ORDER, "servers")],
)
def test_where_either_side_may_go_first_the_policy_decides(policy: RolloutPolicy, first: str):
    chain = Chain.of(
        [release("1.0.0", 1, 1, "a.expand"), release("1.1.0", 2, 2, "b.expand", schemas=">= 1")]
    )
    plan = planned(chain, fleet(chain, "1.0.0", "1.0.0"), "1.1.0", policy)
    assert [wave.side.value for wave in plan.waves][0] == first
    assert plan.point_of_no_return is None
