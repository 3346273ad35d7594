"""The simulation: legal with all gates, and a story for each gate and each assumption taken away."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, run_interlock
from toolchain.build.product import open_product
from toolchain.cli import simulate as command
from toolchain.model.release import Product
from toolchain.simulate.commands import (
    Apply,
    Assumption,
    ClockJump,
    Command,
    Cut,
    Gate,
    Outage,
    RegistrarDies,
    Retire,
    Upgrade,
    Way,
)
from toolchain.simulate.episode import Scene, Setting
from toolchain.simulate.facts import Facts
from toolchain.simulate.run import Result, simulate
from toolchain.simulate.shrink import is_late, replay
from toolchain.simulate.solver import Solver

OLD, NEW = 1, 2  # 4.0.0, and 4.1.0 whose contract keeps out 3.9.0 only


@pytest.fixture(scope="module")
def product() -> Product:
    return open_product(REPOSITORY / "release-specs/fleetdesk").product


@pytest.fixture(scope="module")
def facts(product: Product) -> Facts:
    return Facts(product)


def ran(facts: Facts, steps: int, *, seed: int = 1, without: Sequence[Gate] = ()) -> Result:
    setting = Setting(facts=facts, servers=60, shards=12, without=frozenset(without))
    return simulate(setting, seed=seed, steps=steps, progress=lambda _: None)


def test_no_illegal_state(facts: Facts):
    result = ran(facts, 20_000)
    assert result.reached is None
    assert result.steps == 20_000
    done = dict(result.outcomes)
    assert done["starts"] > 200
    assert done["rollouts ended"] > 3
    for gate in Gate:
        assert gate is Gate.PROOF or done[f"refused by {gate.value}"] > 0


@pytest.mark.parametrize("gate", [Gate.PROOF, Gate.START_UP, Gate.CONTRACT], ids=str)
def test_what_a_gate_alone_keeps_from_being_illegal(product: Product, facts: Facts, gate: Gate):
    own = Facts(product, lying=True) if gate is Gate.PROOF else facts
    result = ran(own, 20_000, without=[gate])
    assert result.reached is not None
    assert result.illegal is not None
    assert result.illegal.commands <= 4
    assert result.illegal.sentences[-1][1].startswith("illegal: server")
    if gate is Gate.CONTRACT:
        assert "is blocked by" in str(result.illegal.otherwise)
    if gate is Gate.START_UP:
        assert "does not start" in str(result.illegal.otherwise)


def test_what_relations_alone_keep_from_being_an_outage(facts: Facts):
    """A first server comes to a host with a database package: no agent is there, and no hook."""
    setting = Setting(facts=facts, servers=1, shards=1, without=frozenset([Gate.RELATIONS]))
    first = Upgrade(8, NEW, Way.APT, 5, 5)
    events = ((100, first),)
    scene = Scene(setting=setting, start=0, hosts=(8,), shards=(8,), events=events, until=200)
    assert is_late(scene)
    told: list[str] = []
    replay(scene, frozenset(), lambda _, sentence: told.append(sentence))
    assert "is refused by relations: it conflicts with database 3.9.0" in told[0]


@pytest.mark.parametrize("gate", [Gate.SHARD_PACKAGES, Gate.HOOK], ids=str)
def test_what_a_gate_alone_keeps_from_being_an_outage(facts: Facts, gate: Gate):
    result = ran(facts, 20_000, without=[gate])
    assert result.reached is None
    assert result.late is not None
    assert "does not start" in result.late.sentences[-1][1]
    words = "refuse" if gate is Gate.HOOK else f"is refused by {gate.value}"
    assert words in str(result.late.otherwise)


def scene(
    facts: Facts, events: Sequence[tuple[int, Command]], lifted: Sequence[Assumption]
) -> Scene:
    return Scene(
        setting=Setting(facts=facts, servers=1, shards=1, lifted=frozenset(lifted)),
        start=0, hosts=(1,), shards=(1,), events=tuple(events), until=events[-1][0] + 2_000,
    )  # fmt: skip


CONTRACT = Apply(shard=1, release=NEW, contract=True, pace=1)
# Each needs the old server to be forgotten by the shard although it runs.
HOLES: dict[Assumption, list[tuple[int, Command]]] = {
    Assumption.RETURNS: [(1_000, Cut(1, 1, 2_000)), (2_000, CONTRACT)],
    Assumption.OUTAGES: [(1_000, Outage(1, 700)), (1_701, CONTRACT)],
    Assumption.CLOCKS: [(1_000, ClockJump(1, 700)), (1_001, CONTRACT)],
    Assumption.RETIRED: [(1_000, Retire(1)), (1_001, CONTRACT)],
    Assumption.REGISTRAR: [
        (900, Apply(shard=1, release=NEW, contract=False, pace=1)),
        (1_000, Upgrade(1, OLD, Way.APT, 5, 1_000)),
        (1_010, RegistrarDies(1)),
        (1_020, CONTRACT),
    ],
}


@pytest.mark.parametrize("assumption", Assumption, ids=str)
def test_what_each_assumption_is_for(facts: Facts, assumption: Assumption):
    """The same events are illegal where the assumption is lifted, and do not happen otherwise."""
    events = HOLES[assumption]
    assert replay(scene(facts, events, [assumption]), frozenset()) is not None
    assert replay(scene(facts, events, []), frozenset()) is None


def test_the_solver_of_a_host_is_the_law(facts: Facts):
    """A fresh reading is refused exactly where the law refuses, whatever fits and is installed."""
    ran(facts, 2_000)
    solver, places = Solver(facts), range(len(facts.versions))
    checked = 0
    for state in range(len(facts.states)):
        for installed in places:
            if not facts.accepts(installed, state):
                continue
            for server in places:
                checked += 1
                there = solver.beside_shard(server, installed, state)
                assert there == facts.accepts(server, state), (server, installed, state)
    assert checked > 50


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path):
    product = str(REPOSITORY / "release-specs/fleetdesk")
    small = ("--servers", "30", "--shards", "6", "--steps", "2000", "--seed", "7")
    traces = []
    for number in (1, 2):
        trace = tmp_path / f"trace{number}"
        done = run_interlock(tmp_path, "simulate", product, *small, "--trace", str(trace))
        assert done.returncode == 0, done.stderr
        assert "no illegal state was reached" in done.stdout
        traces.append(trace.read_bytes())
    assert traces[0] == traces[1]
    assert traces[0].count(b"\n") > 500


def test_a_story_ends_with_exit_code_1(tmp_path: Path):
    product = str(REPOSITORY / "release-specs/fleetdesk")
    small = ("--servers", "10", "--shards", "3", "--steps", "5000", "--without", "contract")
    done = run_interlock(tmp_path, "simulate", product, *small)
    assert done.returncode == 1, done.stderr
    assert "an illegal state was reached" in done.stdout
    assert "\n  1. 0:00:00" in done.stdout


def test_the_command_knows_every_gate_and_assumption():
    options = {each.name: each for each in command.command.params}
    assert tuple(options["without"].type.choices) == tuple(gate.value for gate in Gate)  # type: ignore[attr-defined]
    assert tuple(options["lift"].type.choices) == tuple(one.value for one in Assumption)  # type: ignore[attr-defined]
