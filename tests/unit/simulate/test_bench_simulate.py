"""`scripts/bench simulate`: its peer looks at every pair, and both find the same of one run."""

import importlib
import sys

import pytest

from tests.conftest import REPOSITORY
from toolchain.build.product import open_product
from toolchain.simulate import rollouts
from toolchain.simulate.facts import Facts
from toolchain.simulate.world import World

sys.path.insert(0, str(REPOSITORY / "scripts"))

bench = importlib.import_module("benchmarks.simulate")
PRODUCT = REPOSITORY / "release-specs/fleetdesk"


def test_every_pair_that_does_not_fit_is_found():
    world = World(Facts(open_product(PRODUCT).product), hosts=(1, 2, 3), shards=(1, 2), start=0)
    assert bench.misfits(world.fleet) == 0
    newer = world.fleet.hosts[1]
    newer.installed = len(world.facts.names) - 1
    world.fleet.stop(newer)
    world.fleet.start(newer, 0)
    assert bench.misfits(world.fleet) == 4  # two shards, two peers
    newer.cut[1] = 0
    assert bench.misfits(world.fleet) == 3
    newer.isolated = 0
    assert bench.misfits(world.fleet) == 0


def test_a_run_is_measured_whole(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rollouts, "plan_rollout", rollouts.plan_rollout)  # put back afterwards
    measured = bench.measure(PRODUCT, 30, 6, 2_000, 2)
    assert measured.steps == 2_000
    assert len(measured.looks) == 2
    assert 0 < measured.planning < measured.seconds
    cells = bench.row(30, 6, measured)
    assert cells[0] == "30 and 6"
    assert len(cells) == 7
