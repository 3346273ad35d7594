"""A plan's JSON has everything, and its picture is well-formed, escaped and complete."""

import json
from dataclasses import replace
from xml.etree import ElementTree

from tests.unit.plan.rollout.test_plans import STORY
from tests.unit.plan.rollout.world import V, excluded, fleet, planned, release
from toolchain.model.release import RolloutPolicy
from toolchain.plan.rollout.facts import Chain
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.render.rollout import answer_json
from toolchain.render.rollout_svg import plan_svg

SVG = "{http://www.w3.org/2000/svg}"


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


def test_the_picture_has_a_dot_for_each_wave_and_a_line_without_return():
    plan = planned(STORY, fleet(STORY, "4.0.0", "4.0.0"), "4.2.0")
    picture = ElementTree.fromstring(plan_svg("demo", plan))  # noqa: S314 - our own text
    assert len(picture.findall(f"{SVG}circle")) == 4
    assert len(picture.findall(f"{SVG}line[@class='return']")) == 1
    assert picture.find(f"{SVG}title") is not None
    described = picture.findtext(f"{SVG}desc") or ""
    assert "Wave 4: 1 shards to 4.2.0." in described
    texts = [text.text for text in picture.findall(f"{SVG}text")]
    assert "point of no return" in texts
    assert "prefers-color-scheme: dark" in (picture.findtext(f"{SVG}style") or "")


def test_text_in_the_picture_is_escaped():
    plan = planned(STORY, fleet(STORY, "4.0.0", "4.0.0"), "4.2.0")
    text = plan_svg("<script>&", plan)
    assert "<script>" not in text
    ElementTree.fromstring(text)  # noqa: S314 - our own text


def test_a_plan_without_waves_has_a_picture_too():
    plan = planned(STORY, fleet(STORY, "4.0.0", "4.0.0"), "4.2.0")
    ElementTree.fromstring(plan_svg("demo", replace(plan, waves=())))  # noqa: S314 - our own text
