"""The JSON of a plan, or of the reason why there is none, has everything."""

import json

from tests.unit.plan.rollout.samples import STORY, V, excluded, fleet, planned, release
from toolchain.model.release import RolloutPolicy
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.world.facts import Chain
from toolchain.render.rollout import answer_json


def test_the_json_of_a_plan_names_each_host_and_each_origin():
    standing = fleet(STORY, "4.0.0 4.0.0", "4.0.0 4.0.0")
    plan = planned(STORY, standing, "4.2.0")
    command = ("demo-server", "sync")
    whole = answer_json("demo", "4.2.0", standing, plan, before_servers=command)
    answer = json.loads(json.dumps(whole))
    assert answer["result"] == "plan"
    assert [wave["wave"] for wave in answer["waves"]] == [1, 2, 3, 4]
    versions = {server["host"]: server["version"] for server in answer["fleet"]["servers"]}
    for wave in answer["waves"]:
        if wave["side"] == "servers":
            for move in wave["moves"]:
                for name in move["names"]:
                    assert versions[name] == move["from"]
                    versions[name] = move["to"]
        on_servers = wave["side"] == "servers"
        assert wave["run_before"] == (["demo-server", "sync"] if on_servers else [])
        for reason in wave["reasons"]:
            assert reason["origin"]
    assert set(versions.values()) == {"4.2.0"}
    assert answer["point_of_no_return"] == 4
    assert answer["waves"][0]["apply_phase"] == "contract"
    assert answer["waves"][3]["apply_phase"] == "contract"


def test_the_json_of_a_refusal():
    chain = Chain.of(
        [
            release("1.0.0", 1, 1, "a.expand", schemas=">= 1, < 2"),
            release("2.0.0", 2, 2, "b.expand", schemas=">= 2"),
        ]
    )
    standing = fleet(chain, "1.0.0", "1.0.0")
    answer = answer_json("demo", "2.0.0", standing, excluded(chain, standing, "2.0.0"))
    assert answer["result"] == "no way"
    assert {fact["side"] for fact in answer["exclusion"]} == {"servers", "shards"}
    assert answer["repair"]["reaches"] == "2.0.0"
    standing = fleet(STORY, "4.0.0", "4.2.0")
    unfit = plan_rollout(STORY, standing, V("4.2.0"), RolloutPolicy.DATABASE_FIRST)
    answer = answer_json("demo", "4.2.0", standing, unfit)
    assert answer["result"] == "not legal"
    assert answer["unfit"][0]["nearest"] == "4.1.0"
