"""Plans that tell a story each: which waves, why the stops, where there is no way back."""

import pytest

from tests.unit.plan.rollout.world import V, excluded, fleet, planned, release, told
from toolchain.model.release import RolloutPolicy
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.telling.standing import Unfit
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Side

# The history of a split table: expanded in 4.1, contracted in 4.2.
STORY = Chain.of(
    [
        release("4.0.0", 1, 11, "base.expand", peers=">= 4.0.0", servers=">= 4.0.0"),
        release("4.1.0", 2, 12, "split.expand", peers=">= 4.0.0", servers=">= 4.0.0"),
        release(
            "4.2.0", 3, 13, "split.contract", schemas=">= 12", peers=">= 4.1.0", servers=">= 4.1.0"
        ),
    ]
)


def test_shards_go_first_and_the_contract_comes_when_nobody_needs_the_old_form():
    plan = planned(STORY, fleet(STORY, "4.0.0 4.0.0", "4.0.0 4.0.0"), "4.2.0")
    # Server 4.2 needs nothing of schema 13, so the contract can wait to the end.
    assert told(plan) == ["shards 4.1.0", "servers 4.1.0", "servers 4.2.0", "shards 4.2.0"]
    assert [wave.no_return for wave in plan.waves] == [False, False, False, True]
    assert plan.waves[3].contracts == (V("4.2.0"),)


def test_each_stop_has_its_reason_with_the_line_that_says_so():
    plan = planned(STORY, fleet(STORY, "4.0.0", "4.0.0"), "4.2.0")
    first, second = plan.waves[:2]
    assert [reason.sentence for reason in first.reasons] == [
        "database 4.2.0 accepts servers >= 4.1.0 (4.2.0.yaml:4), and 4.0.0 is not among them"
    ]
    assert first.reasons[0].origin is not None
    assert [reason.sentence for reason in second.reasons] == [
        "server 4.2.0 works beside servers >= 4.1.0 (4.2.0.yaml:3), and 4.0.0 is not among them"
    ]
    assert not plan.waves[-1].reasons


def test_a_wave_names_everyone_it_moves():
    plan = planned(STORY, fleet(STORY, "4.1.0 4.0.0 4.0.0", "4.1.0"), "4.2.0")
    wave = next(wave for wave in plan.waves if wave.side is Side.SERVERS)
    assert [(move.before, move.after, move.names) for move in wave.moves] == [
        ("4.0.0", "4.1.0", ("web2", "web3"))
    ]
    assert wave.count == 2


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


def test_withdrawn_releases_and_pre_releases_are_no_stops():
    def chain(**options: str) -> Chain:
        return Chain.of(
            [
                release("1.0.0", 1, 1, "a.expand"),
                release("1.1.0", 2, 1, peers=">= 1.0.0", packaged=False, **options),
                release("1.2.0-rc1", 3, 1, peers=">= 1.0.0", packaged=False),
                release("1.3.0", 4, 1, peers=">= 1.1.0", packaged=False),
            ]
        )

    standing = fleet(chain(), "1.0.0", "1.0.0")
    assert told(planned(chain(), standing, "1.3.0")) == ["servers 1.1.0", "servers 1.3.0"]
    exclusion = excluded(chain(withdrawn="loses mail"), standing, "1.3.0")
    assert exclusion.refusals[0][1].release == V("1.3.0")
    # A fleet may stand at a withdrawn release all the same.
    withdrawn = chain(withdrawn="loses mail")
    assert told(planned(withdrawn, fleet(withdrawn, "1.1.0", "1.0.0"), "1.3.0")) == [
        "servers 1.3.0"
    ]
    assert told(planned(withdrawn, standing, "1.2.0-rc1")) == ["servers 1.2.0-rc1"]


def own(*, packaged: bool = False) -> Chain:
    """The final 1.3.0 has the database of its candidate; a hotfix waits for what it carries."""
    return Chain.of(
        [
            release("1.0.0", 1, 1, "a.expand"),
            release("1.1.0", 2, 2, "split.expand", peers=">= 1.0.0"),
            release("1.1.1", 5, 2, "fix.expand", schemas=">= 2", peers=">= 1.0.0"),
            release("1.2.0", 3, 3, "split.migrate", schemas=">= 2", peers=">= 1.1.0"),
            release(
                "1.3.0-rc1", 6, 4, "split.contract", "fix.expand",
                schemas=">= 2", peers=">= 1.1.0", servers=">= 1.1.0",
            ),
            release(
                "1.3.0", 7, 4, schemas=">= 4", peers=">= 1.1.0", servers=">= 1.1.0",
                packaged=packaged,
            ),
            release("1.4.0", 8, 5, "x.expand", peers=">= 1.3.0", servers=">= 1.3.0", withdrawn="y"),
            release("1.5.0", 9, 5, peers=">= 1.3.0", servers=">= 1.3.0", schemas=">= 4"),
        ]
    )  # fmt: skip


@pytest.mark.parametrize("packaged", [False, True])
def test_shards_may_rest_at_the_pre_release_that_a_final_release_has_its_database_from(
    packaged: bool,
):
    chain = own(packaged=packaged)
    standing = fleet(chain, "1.1.1 1.1.1", "1.1.1 1.1.1")
    # Shards that go on to a package of 1.3.0 pass the contract of its candidate.
    at = "1.3.0" if packaged else "1.3.0-rc1 prepare"
    assert told(planned(chain, standing, "1.5.0")) == [
        f"shards {at}",
        "servers 1.3.0",
        "servers 1.5.0",
        "shards 1.5.0",
    ]


def test_a_release_without_a_database_package_leaves_the_shards_alone():
    chain = Chain.of([release("1.0.0", 1, 1, "a.expand"), release("1.0.1", 2, 1, packaged=False)])
    plan = planned(chain, fleet(chain, "1.0.0", "1.0.0"), "1.0.1")
    assert told(plan) == ["servers 1.0.1"]
    assert plan.database == V("1.0.0")


BRANCHES = Chain.of(
    [
        release("4.1.0", 1, 1, "a.expand"),
        release("4.1.1", 5, 3, "fix.expand", schemas=">= 1"),
        release("4.2.0", 3, 2, "b.expand", schemas=">= 1"),
        release("4.2.1", 6, 4, "fix.expand", schemas=">= 1"),
    ]
)


def test_what_a_hotfix_did_a_later_release_must_carry():
    standing = fleet(BRANCHES, "4.1.1", "4.1.1")
    exclusion = excluded(BRANCHES, standing, "4.2.0")
    (_, refusal) = exclusion.refusals[0]
    assert refusal.sentence == (
        "a shard at 4.1.1 has run fix.expand, which database 4.2.0 does not carry (4.2.0.yaml:1)"
    )
    assert exclusion.repair is not None
    assert exclusion.repair.sentence == "go to 4.2.1 instead, which carries fix.expand"
    assert exclusion.repair.waves == 2
    without = Chain.of(BRANCHES.releases[:-1])
    made_up = excluded(without, standing, "4.2.0").repair
    assert made_up is not None
    assert made_up.sentence == "a database 4.2.0 that carries fix.expand"
    assert told(planned(BRANCHES, standing, "4.2.1")) == ["shards 4.2.1", "servers 4.2.1"]


def test_no_way_names_two_facts_and_a_release_that_repairs_it():
    chain = Chain.of(
        [
            release("1.0.0", 1, 1, "a.expand"),
            release(
                "2.0.0", 2, 2, "a.contract", servers=">= 2.0.0", peers=">= 1.0.0", schemas=">= 2"
            ),
        ]
    )
    # Shards wait for servers of 2.0 and those for schema 2: only a split wave leads through.
    assert told(planned(chain, fleet(chain, "1.0.0", "1.0.0"), "2.0.0")) == [
        "shards 2.0.0 prepare",
        "servers 2.0.0",
        "shards 2.0.0 contract",
    ]
    ceiling = Chain.of(
        [
            release("1.0.0", 1, 1, "a.expand", schemas=">= 1, < 2"),
            release("2.0.0", 2, 2, "b.expand", schemas=">= 2", peers=">= 1.0.0"),
        ]
    )
    exclusion = excluded(ceiling, fleet(ceiling, "1.0.0", "1.0.0"), "2.0.0")
    assert [(side, refusal.sentence) for side, refusal in exclusion.refusals] == [
        (
            Side.SHARDS,
            "server 1.0.0 runs on schemas >= 1, < 2 (1.0.0.yaml:2),"
            " and a shard at 2.0.0 has schema 2",
        ),
        (
            Side.SERVERS,
            "server 2.0.0 runs on schemas >= 2 (2.0.0.yaml:2), and a shard at 1.0.0 has schema 1",
        ),
    ]
    assert exclusion.repair is not None
    assert exclusion.repair.sentence == (
        "a release after 1.0.0, 1.0.1 say, whose server runs on schemas >= 1"
        " and works beside servers >= 1.0.0"
    )
    assert exclusion.repair.waves == 3


def test_two_gaps_are_repaired_one_at_a_time():
    gaps = Chain.of(
        [
            release("1.0.0", 1, 1, "a.expand"),
            release("2.0.0", 2, 1, packaged=False, peers=">= 2.0.0"),
            release("3.0.0", 3, 1, packaged=False, peers=">= 3.0.0", servers=">= 1.0.0"),
        ]
    )
    exclusion = excluded(gaps, fleet(gaps, "1.0.0 1.0.0", "1.0.0"), "3.0.0")
    assert exclusion.repair is not None
    assert exclusion.servers == V("1.0.0")


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


def test_an_expand_without_an_undo_is_a_point_of_no_return_too():
    chain = Chain.of(
        [release("1.0.0", 1, 1, "a.expand"), release("1.1.0", 2, 2, "b.expand", undoable=False)]
    )
    plan = planned(chain, fleet(chain, "1.0.0", "1.0.0"), "1.1.0")
    assert isinstance(plan, Plan)
    assert plan.point_of_no_return is plan.waves[0]


def test_servers_may_need_the_database_of_a_hotfix_that_the_target_was_not_built_upon():
    """The target has no database but that of 1.0.0, which the shards have; 1.1.1 leads further."""
    chain = Chain.of(
        [
            release("1.0.0", 1, 2, "a.expand"),
            release("1.1.0", 2, 3, "b.expand", withdrawn="broken"),
            release("1.1.1", 9, 4, "h.expand", schemas=">= 2"),
            release("1.2.1", 5, 4, packaged=False, schemas=">= 4"),
        ]
    )
    assert told(planned(chain, fleet(chain, "1.0.0", "1.0.0"), "1.2.1")) == [
        "shards 1.1.1",
        "servers 1.2.1",
    ]
