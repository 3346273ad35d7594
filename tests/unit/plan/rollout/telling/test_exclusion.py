"""Where no way leads: which facts exclude each other, and which release would mend it."""

from tests.unit.plan.rollout.samples import V, excluded, fleet, planned, release, told
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Side

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
