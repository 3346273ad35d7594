"""Plans: every state on the way is legal, no shorter plan exists, and no order of input matters."""

from random import Random

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.properties.rollouts import (
    arrived,
    chains,
    fewest,
    fleets,
    legal,
    path,
    settled,
    world_of,
)  # fmt: skip
from toolchain.model.release import RolloutPolicy
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.telling.exclusion import Exclusion
from toolchain.plan.rollout.telling.waves import Part, Plan
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Fleet, Side
from toolchain.plan.rollout.world.shard import Stage

policies = st.sampled_from(list(RolloutPolicy))
often = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@st.composite
def questions(draw: st.DrawFn):
    chain = draw(chains())
    fleet = draw(fleets(chain))
    able = [facts.version for facts in chain.releases if facts.withdrawn is None]
    target = draw(st.sampled_from(able[-3:] + able[-2:] + able))
    note(spelled(chain, fleet, target))
    return chain, fleet, target, draw(policies)


def spelled(chain: Chain, fleet: Fleet, target: object) -> str:
    """A question in a few lines, for whoever meets one that fails."""
    lines = [
        f"{facts.version} of {facts.date}: schemas {facts.server.schemas}, peers"
        f" {facts.server.peers}; schema {facts.shard.schema}, servers {facts.shard.servers}"
        f" {' '.join(step.id for step in facts.steps)}"
        f"{'' if facts.packaged else ' not packaged'}{' withdrawn' if facts.withdrawn else ''}"
        for facts in chain.releases
    ]
    lines += [f"{server.host} at {server.version}" for server in fleet.servers]
    lines += [f"{shard.name} at {shard.state.release} {shard.state.stage.name}, schema"
              f" {shard.state.handshake.schema}, servers {shard.state.handshake.servers}"
              for shard in fleet.shards]  # fmt: skip
    return "\n".join([*lines, f"to {target}"])


@often
@given(questions(), st.randoms(use_true_random=False))
def test_every_state_on_the_way_is_legal_and_nothing_goes_down(question, random: Random):
    chain, fleet, target, policy = question
    plan = plan_rollout(chain, fleet, target, policy)
    if not isinstance(plan, Plan):
        return
    versions = {server.host: server.version for server in fleet.servers}
    states = {shard.name: shard.state for shard in fleet.shards}

    def check() -> None:
        world = world_of(fleet)
        now = type(world)(tuple(versions.values()), tuple(states.values()))
        assert legal(chain, now)

    check()
    for wave in plan.waves:
        names = [name for move in wave.moves for name in move.names]
        random.shuffle(names)
        assert names, "a wave without a host"
        for name in names:
            if wave.side is Side.SERVERS:
                assert versions[name] < wave.release
                versions[name] = wave.release
                check()
                continue
            stage = Stage.READY if wave.part is Part.PREPARE else Stage.CLOSED
            assert (states[name].release, states[name].stage) < (wave.release, stage)
            way = path(chain, states[name], wave.release, stage)
            assert way
            for state in way:
                states[name] = settled(chain, state)
                check()
        # A wave takes all that is below.
        if wave.side is Side.SERVERS:
            assert all(version >= wave.release for version in versions.values())
        assert chain.at(wave.release).withdrawn is None
    assert all(version >= target for version in versions.values())
    world = type(world_of(fleet))(tuple(versions.values()), tuple(states.values()))
    assert arrived(chain, world, target)


@often
@given(questions())
def test_no_shorter_plan_exists_and_none_is_missed(question):
    chain, fleet, target, policy = question
    plan = plan_rollout(chain, fleet, target, policy)
    if not legal(chain, world_of(fleet)):
        assert isinstance(plan, tuple)
        assert plan
        return
    least = fewest(chain, fleet, target)
    if isinstance(plan, Plan):
        assert len(plan.waves) == least
    else:
        assert isinstance(plan, Exclusion)
        assert least is None
        assert plan.refusals


@often
@given(questions(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(question, random: Random):
    chain, fleet, target, policy = question
    releases, servers, shards = list(chain.releases), list(fleet.servers), list(fleet.shards)
    for things in (releases, servers, shards):
        random.shuffle(things)
    other = plan_rollout(Chain.of(releases), Fleet(tuple(servers), tuple(shards)), target, policy)
    assert other == plan_rollout(chain, fleet, target, policy)


@often
@given(questions())
def test_a_repair_repairs(question):
    chain, fleet, target, policy = question
    plan = plan_rollout(chain, fleet, target, policy)
    if isinstance(plan, Exclusion) and plan.repair is not None:
        assert plan.repair.waves > 0
