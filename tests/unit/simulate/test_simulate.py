"""The simulation: legal with all gates, and a story for each gate and each assumption taken away."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from random import Random

import pytest

from tests.conftest import REPOSITORY, run_interlock
from toolchain.build.product import open_product
from toolchain.cli import simulate as command
from toolchain.model.release import Product
from toolchain.simulate import ledger
from toolchain.simulate.commands import (
    AgentHangs,
    Apply,
    Assumption,
    ClockJump,
    Clone,
    Command,
    Cut,
    Gate,
    Outage,
    OverrideLeft,
    PowerLoss,
    RegistrarDies,
    Restore,
    Retire,
    Undo,
    Upgrade,
    Way,
)
from toolchain.simulate.dispatch import Dispatch
from toolchain.simulate.episode import Episode, Scene, Setting
from toolchain.simulate.facts import Facts
from toolchain.simulate.mistakes import Mistakes
from toolchain.simulate.rollouts import Rollouts
from toolchain.simulate.run import Result, simulate
from toolchain.simulate.shrink import is_illegal, is_late, replay
from toolchain.simulate.solver import Solver

OLD, NEW = 1, 2  # 4.0.0, and 4.1.0 whose contract keeps out 3.9.0 only
SEEDS = range(1, 6)
# What each story tells of, once nothing is in it that it can do without.
MARKS = {
    Assumption.RETURNS: "is cut off",
    Assumption.OUTAGES: "is down",
    Assumption.CLOCKS: "jumps forward",
    Assumption.RETIRED: "is retired by force",
    Assumption.DURABLE: "is restored as it was",
    Assumption.NAMES: "is a copy of",
}


@pytest.fixture(scope="module")
def product() -> Product:
    return open_product(REPOSITORY / "release-specs/fleetdesk").product


@pytest.fixture(scope="module")
def facts(product: Product) -> Facts:
    return Facts(product)


def ran(
    facts: Facts,
    steps: int,
    *,
    seed: int = 1,
    without: Sequence[Gate] = (),
    lifted: Sequence[Assumption] = (),
) -> Result:
    setting = Setting(
        facts=facts, servers=60, shards=12, without=frozenset(without), lifted=frozenset(lifted)
    )
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
    said = {Gate.PROOF: "refused", Gate.CONTRACT: "is blocked by", Gate.START_UP: "does not start"}
    assert said[gate] in str(result.illegal.otherwise)


@pytest.mark.parametrize("assumption", Assumption, ids=str)
def test_chance_meets_what_an_assumption_keeps_out(facts: Facts, assumption: Assumption):
    """One of a few seeds does, and the story is one of few commands that is legal otherwise."""
    results = (ran(facts, 20_000, seed=seed, lifted=[assumption]) for seed in SEEDS)
    result = next(result for result in results if result.reached is not None)
    assert result.illegal is not None
    assert result.illegal.commands <= 6
    assert result.illegal.shards == 1
    assert MARKS[assumption] in " ".join(sentence for _, sentence in result.illegal.sentences)


def test_what_relations_alone_keep_from_being_an_outage(facts: Facts):
    """A first server comes to a host with a database package: no agent is there, and no hook."""
    setting = Setting(facts=facts, servers=1, shards=1, without=frozenset([Gate.RELATIONS]))
    first = Upgrade(8, NEW, Way.APT, 5, 5)
    events = ((100, first),)
    scene = Scene(setting=setting, start=0, hosts=(8,), shards=(8,), events=events, until=200)
    assert is_late(scene)
    told: list[str] = []
    replay(scene.whole, lambda _, sentence: told.append(sentence))
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


def test_what_is_illegal_anyway_is_no_story_of_what_was_taken_away(facts: Facts):
    """Without any shard nobody is known to anybody, with all gates and assumptions."""
    lost = replace(scene(facts, [(10, NO_PEER)], [Assumption.RETURNS]), shards=())
    assert replay(lost) is not None
    assert not is_illegal(lost)
    assert is_illegal(lost.whole)


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
    world = one.world()
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
DURABLE = [Assumption.DURABLE]
SIGHTLESS = {Assumption.RETURNS: 1_800, Assumption.OUTAGES: 1_701, Assumption.CLOCKS: 1_001}


def told_of(told: Scene) -> list[str]:
    sentences: list[str] = []
    error = replay(told, lambda _, sentence: sentences.append(sentence))
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
    error = replay(scene(facts, events, [assumption]))
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
    assert replay(scene(facts, events, both)) is not None
    assert any("is blocked by" in one for one in told_of(scene(facts, events, both[:1])))


def test_a_refreshing_unit_that_dies_registers_what_runs(facts: Facts):
    events = [
        (900, PREPARE),
        (1_000, Upgrade(1, OLD, Way.APT, 5, 1_000)), (1_000, Upgrade(2, OLD, Way.APT, 5, 1_000)),
        (1_010, RegistrarDies(1, 0)), (1_010, RegistrarDies(2, 0)),
        (1_020, CONTRACT),
    ]  # fmt: skip
    assert any("is blocked by" in one for one in told_of(scene(facts, events, [])))


def test_a_contract_waits_for_who_is_missing_after_a_restore(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
):
    """The shard's own steps are as they were; who started since then registers again."""
    events: list[tuple[int, Command]] = [
        (800, PREPARE), (900, Upgrade(2, OLD, Way.APT, 1, 1)),
        (1_000, Upgrade(1, OLD, Way.APT, 1, 1)), (1_100, Upgrade(2, 0, Way.FORCED, 1, 1)),
    ]  # fmt: skip
    blind, wait = (1_150, Restore(1, 100)), (1_151, CONTRACT)
    assert any("is blocked by" in one for one in told_of(scene(facts, [*events, wait], DURABLE)))
    told = told_of(scene(facts, [*events, blind, wait], DURABLE))
    waits = next(at for at, one in enumerate(told) if "waits for the roll call" in one)
    assert any("is blocked by server 3.9.0 on host00002" in one for one in told[waits:])
    monkeypatch.setattr(ledger, "ROLL_CALL", 0)
    error = replay(scene(facts, [*events, blind, wait], DURABLE))
    assert "server 3.9.0 on host00002 works with shard0001" in str(error)


def test_a_backup_brings_ledger_truth_and_words_back_alike(facts: Facts):
    one = scene(facts, [(100, PREPARE), (500, Restore(1, 450))], DURABLE)
    world, before = one.world(), one.world().fleet.shards[1]
    while (due := world.due()) is not None and due <= one.until:
        world.step()
    after = world.fleet.shards[1]
    assert len(after.ledger.steps) == len(before.ledger.steps)
    assert (after.says, after.truth) == (before.says, before.truth)
    world.audit.everything()


def test_no_contract_goes_by_a_copy_that_takes_turns_with_its_original(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
):
    """Both refresh one registration, so that the gate sees an old server every other time."""
    events: list[tuple[int, Command]] = [
        (100, Clone(2, 1)), (200, PREPARE), (500, Upgrade(1, OLD, Way.APT, 1, 1)),
    ]  # fmt: skip
    scenes = [
        scene(facts, [*events, (moment, CONTRACT)], [Assumption.NAMES])
        for moment in range(590, 610)  # both refresh in these seconds
    ]
    for one in scenes:
        told = told_of(one)
        assert any("another registration may be lost" in each for each in told) or any(
            "is blocked by" in each for each in told
        )
    monkeypatch.setattr(ledger, "ROLL_CALL", 0)
    assert any(replay(one) is not None for one in scenes)
    assert any(
        "is blocked by" in one for one in told_of(scene(facts, [*events, (510, CONTRACT)], []))
    )


@pytest.mark.parametrize(
    ("way", "refused"), [(Way.APT, "is refused by hook"), (Way.DPKG, "script refuses")]
)
def test_an_override_left_on_lets_the_next_one_pass_the_hook(facts: Facts, way: Way, refused: str):
    """Until it ends by itself or with the boot; relations and the start-up check hold."""
    # The agent, which hangs, knows nothing of the undo.
    always = [(850, PREPARE), (870, AgentHangs(1, 4_000)), (1_000, Undo(1, 0, 1))]
    newer = (1_050, Upgrade(1, NEW, way, 1, 1))
    for before, word in (
        ([], refused),
        ([(900, OverrideLeft(1, 3_600))], "does not start"),
        ([(900, OverrideLeft(1, 60))], refused),
        ([(900, OverrideLeft(1, 3_600)), (910, PowerLoss(1, 30))], refused),
    ):
        events = sorted([*always, *before, newer], key=itemgetter(0))
        assert any(word in one for one in told_of(scene(facts, events, [])))


def test_a_dead_registrar_is_as_good_as_a_cut(facts: Facts):
    events: list[tuple[int, Command]] = [
        (900, PREPARE), (1_000, RegistrarDies(1, 2_000)),
        (1_050, Cut(1, None, 10)),  # whose end does not bring the unit back
        (1_801, NO_PEER),
    ]  # fmt: skip
    assert replay(scene(facts, events, [Assumption.RETURNS])) is not None
    assert any("refused" in one for one in told_of(scene(facts, events, [])))


def test_who_waits_for_a_shard_starts_within_seconds_of_its_return(facts: Facts):
    events: list[tuple[int, Command]] = [
        (900, PREPARE), (1_000, Outage(None, 140)), (1_010, PowerLoss(1, 30)),
    ]  # fmt: skip
    told: list[tuple[int, str]] = []
    assert replay(scene(facts, events, []), lambda *line: told.append(line)) is None
    runs = [second for second, sentence in told if sentence == "host00001: server 3.9.0 runs"]
    assert 1_140 < runs[0] <= 1_146


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
