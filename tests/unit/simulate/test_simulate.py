"""The simulation: legal with all gates, and a story for each gate and each assumption taken away."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

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
    PowerLoss,
    RegistrarDies,
    Retire,
    Upgrade,
    Way,
)
from toolchain.simulate.dispatch import Dispatch
from toolchain.simulate.episode import Episode, Scene, Setting
from toolchain.simulate.facts import Facts
from toolchain.simulate.mistakes import Mistakes
from toolchain.simulate.rollouts import Rollouts
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
    assert result.late.commands <= 6
    assert "does not start" in result.late.sentences[-1][1]
    words = "refuse" if gate is Gate.HOOK else f"is refused by {gate.value}"
    assert words in str(result.late.otherwise)


def test_no_episode_waits_for_ever(facts: Facts, monkeypatch: pytest.MonkeyPatch):
    """A service that is refused tries its start again and again; the operators have left."""
    monkeypatch.setattr(Rollouts, "_plan", lambda rollouts: setattr(rollouts, "ended", True))
    monkeypatch.setattr(Mistakes, "some", lambda *_: iter(()))
    episode = Episode(Setting(facts=facts, servers=3, shards=1), Random(1))  # noqa: S311
    newest = Upgrade(1, len(facts.names) - 1, Way.FORCED, 5, 5)
    episode.world.command(10, partial(Dispatch(episode.world).carry_out, newest))
    assert not episode.run(5_000)
    assert episode.world.outcomes["refused by start-up"] > 1


def test_only_what_changes_something_is_a_step(facts: Facts):
    """A release that is there already, a host that is busy: nothing happens, nothing counts."""
    again, first = Upgrade(1, 0, Way.APT, 5, 5), Upgrade(1, OLD, Way.FORCED, 50, 5)
    events: list[tuple[int, Command]] = [
        (100, again), (200, first), (210, first), (220, PowerLoss(1, 1_000)),
    ]  # fmt: skip
    one = replace(scene(facts, events, []), until=300)
    world = one.world(without=frozenset())
    while (due := world.due()) is not None and due <= one.until:
        world.step()
    # Let in, dead, and the unpacking that finds its host dead.
    assert world.steps == 3


def scene(
    facts: Facts, events: Sequence[tuple[int, Command]], lifted: Sequence[Assumption]
) -> Scene:
    return Scene(
        setting=Setting(facts=facts, servers=2, shards=1, lifted=frozenset(lifted)),
        start=0, hosts=(1, 2), shards=(1,), events=tuple(events), until=events[-1][0] + 2_000,
    )  # fmt: skip


CONTRACT = Apply(shard=1, release=NEW, contract=True, pace=1)
PREPARE = Apply(shard=1, release=NEW, contract=False, pace=1)
NO_PEER = Upgrade(2, NEW, Way.APT, 1, 1)  # beside 3.9.0
# Each lets the shard lose sight of an old server, which runs.
BLIND: dict[Assumption, list[tuple[int, Command]]] = {
    Assumption.RETURNS: [(900, PREPARE), (1_000, Cut(1, None, 2_000))],
    Assumption.OUTAGES: [(900, PREPARE), (1_000, Outage(1, 700))],
    Assumption.CLOCKS: [(900, PREPARE), (1_000, ClockJump(1, 700))],
}
SIGHTLESS = {Assumption.RETURNS: 1_800, Assumption.OUTAGES: 1_701, Assumption.CLOCKS: 1_001}


def told_of(told: Scene) -> list[str]:
    sentences: list[str] = []
    error = replay(told, frozenset(), lambda _, sentence: sentences.append(sentence))
    assert error is None, sentences
    return sentences


@pytest.mark.parametrize("assumption", BLIND, ids=str)
def test_who_is_out_of_sight_still_blocks_a_contract(facts: Facts, assumption: Assumption):
    events = [*BLIND[assumption], (SIGHTLESS[assumption], CONTRACT)]
    assert any("is blocked by" in one for one in told_of(scene(facts, events, [assumption])))


@pytest.mark.parametrize("assumption", BLIND, ids=str)
def test_who_is_out_of_sight_is_missed_by_peers(facts: Facts, assumption: Assumption):
    """What the assumptions on expiry are still for: the start of a server asks who is live."""
    events = [*BLIND[assumption], (SIGHTLESS[assumption], NO_PEER)]
    error = replay(scene(facts, events, [assumption]), frozenset())
    assert error is not None
    assert "works beside" in str(error)
    assert any("refused" in one for one in told_of(scene(facts, events, [])))


def test_who_is_in_sight_is_not_retired(facts: Facts):
    for lifted in ([], [Assumption.RETIRED]):
        told = told_of(scene(facts, [(1_000, Retire(1)), (1_001, CONTRACT)], lifted))
        assert any("retiring host00001 is refused" in one for one in told)
        assert any("is blocked by" in one for one in told)


def test_who_is_out_of_sight_and_retired_by_mistake_is_missed_by_a_contract(facts: Facts):
    events = [
        (1_000, Cut(1, 1, 2_000)), (1_000, Cut(2, 1, 2_000)),
        (1_800, Retire(1)), (1_800, Retire(2)), (1_801, CONTRACT),
    ]  # fmt: skip
    both = [Assumption.RETURNS, Assumption.RETIRED]
    assert replay(scene(facts, events, both), frozenset()) is not None
    assert any("is blocked by" in one for one in told_of(scene(facts, events, both[:1])))


def test_a_refreshing_unit_that_dies_registers_what_runs(facts: Facts):
    events = [
        (900, PREPARE),
        (1_000, Upgrade(1, OLD, Way.APT, 5, 1_000)), (1_000, Upgrade(2, OLD, Way.APT, 5, 1_000)),
        (1_010, RegistrarDies(1)), (1_010, RegistrarDies(2)),
        (1_020, CONTRACT),
    ]  # fmt: skip
    assert any("is blocked by" in one for one in told_of(scene(facts, events, [])))


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
        argv = ("simulate", product, *small, "--trace", str(trace))
        done = run_interlock(tmp_path, *argv, PYTHONHASHSEED=str(number))
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
