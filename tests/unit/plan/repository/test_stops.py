"""The ways that pruning asks for are those of whole plans, however many are asked of one chain."""

from itertools import product

from tests.conftest import REPOSITORY
from toolchain.edge.directory import Directory
from toolchain.model.release import RolloutPolicy
from toolchain.plan.repository.stops import Ways
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.routes import uniform
from toolchain.plan.rollout.telling.waves import Plan
from toolchain.plan.rollout.world.facts import chain_of
from toolchain.spec.load import load_product


def test_every_way_is_that_of_its_plan():
    chain = chain_of(load_product(Directory(REPOSITORY / "release-specs/fleetdesk"), {}))
    ways, found = Ways(chain), 0
    for start, target, policy in product(chain.places, chain.places, RolloutPolicy):
        if start > target:
            continue
        answer = plan_rollout(chain, uniform(chain, start), target, policy)
        waves = answer.waves if isinstance(answer, Plan) else None
        releases = None if waves is None else frozenset(wave.release for wave in waves)
        assert ways.releases(start, target, policy) == releases, (start, target, policy)
        found += waves is not None
    assert found > len(chain)
