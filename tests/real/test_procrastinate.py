"""A real chain: procrastinate's sixteen releases, from the oldest to the newest."""

import pytest

from tests.postgres.test_procrastinate import opened  # noqa: F401  (the fixture that fetches it)
from toolchain.build.product import OpenProduct
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import chain_of
from toolchain.plan.rollout.world.inventory import Fleet, Server, Shard, Side
from toolchain.plan.rollout.world.shard import state_at
from toolchain.simulate.commands import Gate
from toolchain.simulate.episode import Setting
from toolchain.simulate.facts import Facts
from toolchain.simulate.run import simulate


@pytest.fixture
def plan(opened: OpenProduct) -> Plan:  # noqa: F811
    chain = chain_of(opened.product)
    state = state_at(chain, 0)
    assert state is not None
    oldest, newest = chain[0].version, chain[len(chain) - 1].version
    fleet = Fleet(
        tuple(Server(host=f"worker{number}", version=oldest) for number in range(4)),
        (Shard(name="jobs", state=state),),
    )
    found = plan_rollout(chain, fleet, newest, opened.product.rollout)
    assert isinstance(found, Plan)
    return found


def test_the_workers_stop_where_a_window_ends(plan: Plan):
    """Within 2 nothing is removed; from 3.0 on each post migration bounds the workers before it."""
    stops = [str(wave.release) for wave in plan.waves if wave.side is Side.SERVERS]
    assert stops == ["2.15.1", "3.0.2", "3.1.0", "3.2.2", "3.3.0", "3.10.0"]


def test_the_shard_goes_ahead_and_leaves_its_contracts_for_later(plan: Plan):
    shards = [
        (str(wave.release), wave.part.value) for wave in plan.waves if wave.side is Side.SHARDS
    ]
    assert shards == [
        ("3.0.0", "prepare"),
        ("3.2.2", "prepare"),
        ("3.4.0", "prepare"),
        ("3.10.0", "whole"),
    ]
    assert len(plan.waves) == 10


def test_every_stop_has_a_reason_in_a_spec(plan: Plan):
    for wave in plan.waves:
        if wave.next is not None:
            assert wave.reasons
            assert all(reason.origin for reason in wave.reasons)
    # Its migrations come without an undo.
    assert plan.point_of_no_return is plan.waves[0]


def test_chance_reaches_no_illegal_state(opened: OpenProduct):  # noqa: F811
    """Its sixteen releases, most of them without an undo, under rollouts, mistakes and faults."""
    setting = Setting(facts=Facts(opened.product), servers=60, shards=12)
    result = simulate(setting, seed=1, steps=20_000, progress=lambda _: None)
    assert result.reached is None
    done = dict(result.outcomes)
    assert done["rollouts ended"] > 3
    assert done["refused by contract"] > 100


@pytest.mark.parametrize("gate", [Gate.PROOF, Gate.START_UP, Gate.CONTRACT], ids=str)
def test_chance_reaches_one_without_a_gate(opened: OpenProduct, gate: Gate):  # noqa: F811
    facts = Facts(opened.product, lying=gate is Gate.PROOF)
    setting = Setting(facts=facts, servers=60, shards=12, without=frozenset([gate]))
    story = simulate(setting, seed=1, steps=20_000, progress=lambda _: None).illegal
    assert story is not None
    assert story.commands <= 6
    assert story.otherwise is not None
