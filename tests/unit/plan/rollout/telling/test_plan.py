"""What a plan says of its waves: who moves, why no further, where there is no way back."""

from tests.unit.plan.rollout.samples import STORY, fleet, planned, release
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Side


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


def test_an_expand_without_an_undo_is_a_point_of_no_return_too():
    chain = Chain.of(
        [release("1.0.0", 1, 1, "a.expand"), release("1.1.0", 2, 2, "b.expand", undoable=False)]
    )
    plan = planned(chain, fleet(chain, "1.0.0", "1.0.0"), "1.1.0")
    assert isinstance(plan, Plan)
    assert plan.point_of_no_return is plan.waves[0]
