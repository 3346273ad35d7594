"""Plans over random chains: every prefix legal, every stop resumable, the way back the same way."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.runner.core.errors import Refused
from toolchain.runner.core.version import Versions, version_key
from toolchain.runner.ledger import walk
from toolchain.runner.ledger.actions import (
    BEFORE_ALL,
    Backward,
    Close,
    Forward,
    Lower,
    MakeReady,
    Position,
    RunStep,
    UndoStep,
)
from toolchain.runner.ledger.manifest import Manifest, Phase, Release, Script, Step
from toolchain.runner.ledger.records import Ledger, StepRecord
from toolchain.runner.ledger.state import unmoved


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    releases, schema, oldest = [], 0, 0
    for index in range(draw(st.integers(1, 5))):
        version = f"1.{index}.0"
        phases = sorted(
            draw(st.lists(st.sampled_from(list(Phase)), max_size=4)), key=lambda phase: phase.rank
        )
        schema += draw(st.integers(0, 2))
        oldest = max(oldest, draw(st.integers(0, index)))
        script = Script("x.sql", "0" * 64, "SELECT 1")
        steps = tuple(
            Step(
                f"{index}-{place}.{phase.value}", f"{index}-{place}", phase, True, script, None,
                script, None, version, phase is not Phase.MIGRATE or draw(st.booleans()),
            )
            for place, phase in enumerate(phases)
        )  # fmt: skip
        below = draw(st.none() | st.integers(6, 9))
        servers = Versions(f"1.{oldest}.0", None if below is None else f"1.{below}.0")
        ordered = tuple(sorted(steps, key=lambda step: step.place))
        releases.append(Release(version, schema, servers, ordered))
    return Manifest("demo", releases[-1].version, tuple(releases))


def positions(manifest: Manifest) -> list[Position]:
    return [Position(index, phase) for index in range(len(manifest.releases)) for phase in Phase]


def carry_out(ledger: Ledger, action: Forward | Backward) -> Ledger:
    """The ledger after one action, as the runner's transactions leave it."""
    if isinstance(action, Close):
        shaken = walk.closed(ledger.handshake, action.release)
        return replace(ledger, handshake=shaken, closed=action.release.version)
    if isinstance(action, Lower):
        return replace(ledger, handshake=action.handshake, ready=action.ready)
    if isinstance(action, MakeReady):
        shaken = walk.made_ready(ledger.handshake, action.release)
        return replace(ledger, handshake=shaken, ready=action.release.version)
    step = action.step
    state = "undone" if isinstance(action, UndoStep) else "done"
    record = StepRecord(
        step.id, step.release, step.phase.value, step.script.sha256, state, False, None, None, 0
    )
    ledger = replace(ledger, steps={**ledger.steps, step.id: record})
    if isinstance(action, RunStep) and action.completes:
        return carry_out(ledger, MakeReady(action.release))
    return ledger


def assert_ready_is_true(manifest: Manifest, ledger: Ledger) -> None:
    """A release is ready exactly when all that its schema waits for is done, and not more."""
    ready = walk.release_index(manifest, ledger.ready)
    for index, release in enumerate(manifest.releases):
        if index <= ready:
            assert all(ledger.state(step) == "done" for step in release.preparing)
        if index < ready:
            assert all(ledger.state(step) == "done" for step in release.trailing)
        if index > ready:
            assert all(ledger.state(step) == "pending" for step in release.trailing)


@settings(deadline=None)
@given(manifests(), st.data())
def test_stopped_anywhere_and_resumed(manifest: Manifest, data: st.DataObject) -> None:
    """However often it is stopped, and with whatever targets between, it is the same walk."""
    whole, ledger = walk.fresh(manifest), walk.fresh(manifest)
    last = positions(manifest)[-1]
    actions = walk.forward(manifest, whole, last)
    for action in actions:
        whole = carry_out(whole, action)
    done: list[Forward] = []
    for target in sorted(data.draw(st.lists(st.sampled_from(positions(manifest)), max_size=4))):
        planned = walk.forward(manifest, ledger, target)
        for action in planned[: data.draw(st.integers(0, len(planned)))]:
            ledger = carry_out(ledger, action)
            done.append(action)
    for action in walk.forward(manifest, ledger, last):
        ledger = carry_out(ledger, action)
        done.append(action)
    assert (ledger.handshake, ledger.ready, ledger.closed) == (
        whole.handshake, whole.ready, whole.closed,
    )  # fmt: skip
    assert set(ledger.steps) == set(whole.steps) == {step.id for step in manifest.steps}
    assert [a.step.id for a in done if isinstance(a, RunStep)] == [
        step.id for step in manifest.steps
    ]


@settings(deadline=None)
@given(manifests())
def test_what_a_shard_says_is_true_at_every_instant(manifest: Manifest) -> None:
    """Never a schema before its steps, never a contract step before its window is closed."""
    ledger = walk.fresh(manifest)
    for action in walk.forward(manifest, ledger, positions(manifest)[-1]):
        if isinstance(action, RunStep) and action.step.phase is Phase.CONTRACT:
            oldest = ledger.handshake.servers.oldest
            assert version_key(oldest) >= version_key(action.release.servers.oldest)
        before, ledger = ledger.handshake, carry_out(ledger, action)
        assert_ready_is_true(manifest, ledger)
        assert ledger.handshake.schema >= before.schema
        assert version_key(ledger.handshake.servers.oldest) >= version_key(before.servers.oldest)
        for release in manifest.releases:
            if any(ledger.state(step) != "done" for step in release.preparing):
                earlier = [r.schema for r in manifest.releases if r.version < release.version]
                assert ledger.handshake.schema <= max([0, *earlier])
                break
        expected = walk.expected(
            manifest,
            walk.release_index(manifest, ledger.ready),
            walk.release_index(manifest, ledger.closed),
        )
        assert ledger.handshake == expected


@settings(deadline=None)
@given(manifests(), st.data())
def test_back_and_forth(manifest: Manifest, data: st.DataObject) -> None:
    """Undone to a place and gone forward again, a shard is where it was."""
    places = positions(manifest)
    first, second = sorted((data.draw(st.sampled_from(places)), data.draw(st.sampled_from(places))))
    ledger = walk.fresh(manifest)
    for action in walk.forward(manifest, ledger, first):
        ledger = carry_out(ledger, action)
    there = ledger
    for action in walk.forward(manifest, ledger, second):
        ledger = carry_out(ledger, action)
    beyond = ledger
    try:
        back = walk.backward(manifest, ledger, first)
    except Refused:
        assert beyond.closed != there.closed
        return
    assert beyond.closed == there.closed
    for action in back:
        ledger = carry_out(ledger, action)
        assert ledger.handshake.schema <= beyond.handshake.schema
    assert ledger.handshake == there.handshake
    assert [ledger.state(step) for step in manifest.steps] == [
        there.state(step) for step in manifest.steps
    ]
    for action in walk.forward(manifest, ledger, second):
        ledger = carry_out(ledger, action)
    assert ledger.handshake == beyond.handshake


@settings(deadline=None)
@given(manifests(), st.data())
def test_after_undo_no_step_is_left_without_its_way_back(
    manifest: Manifest, data: st.DataObject
) -> None:
    """The handshake goes down first: no undo runs while the shard says the newer schema."""
    places = positions(manifest)
    ledger = walk.fresh(manifest)
    for action in walk.forward(manifest, ledger, data.draw(st.sampled_from(places))):
        ledger = carry_out(ledger, action)
    target = data.draw(st.sampled_from([*places, BEFORE_ALL]))
    try:
        actions = walk.backward(manifest, ledger, target)
    except Refused:
        return
    kinds = [isinstance(action, Lower) for action in actions]
    assert kinds == sorted(kinds, reverse=True)
    assert sum(kinds) <= 1


@settings(deadline=None)
@given(manifests())
def test_nothing_waits_longer_than_for_its_own(manifest: Manifest) -> None:
    """Ready comes right after the last step that readies; what trails comes before the contract."""
    ledger = walk.fresh(manifest)
    for action in walk.forward(manifest, ledger, positions(manifest)[-1]):
        before, ledger = ledger, carry_out(ledger, action)
        if isinstance(action, RunStep) and action.step in action.release.trailing:
            assert before.ready == action.release.version
        if isinstance(action, RunStep) and action.step in action.release.preparing:
            rest = {ledger.state(step) for step in action.release.preparing}
            assert action.completes == (rest == {"done"})
        if isinstance(action, Close):
            moved = [step for step in manifest.steps if step.release <= action.release.version]
            assert {ledger.state(s) for s in moved if s.phase is Phase.MIGRATE} <= {"done"}
    assert unmoved(manifest, ledger) == ()


@settings(deadline=None)
@given(manifests(), st.data())
def test_expand_makes_ready_what_waits_for_nothing_else(
    manifest: Manifest, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(manifest.releases) - 1))
    ledger, release = walk.fresh(manifest), manifest.releases[index]
    for action in walk.forward(manifest, ledger, Position(index, Phase.EXPAND)):
        ledger = carry_out(ledger, action)
    waits = any(step.readies for step in release.of(Phase.MIGRATE))
    assert (ledger.ready == release.version) == (not waits)
    assert unmoved(manifest, ledger) == (() if waits else release.trailing)


@settings(deadline=None)
@given(manifests(), st.data())
def test_undo_lowers_no_schema_for_what_trails(manifest: Manifest, data: st.DataObject) -> None:
    """What is left after an undo, and at every instant of it, is what the shard says."""
    ledger = walk.fresh(manifest)
    places = positions(manifest)
    for action in walk.forward(manifest, ledger, data.draw(st.sampled_from(places))):
        ledger = carry_out(ledger, action)
    try:
        back = walk.backward(manifest, ledger, data.draw(st.sampled_from(places)))
    except Refused:
        return
    undone = {action.step.id for action in back if isinstance(action, UndoStep)}
    ready = walk.release_index(manifest, ledger.ready)
    needed = [step.id for release in manifest.releases[: ready + 1] for step in release.preparing]
    if undone & set(needed):
        assert isinstance(back[0], Lower)
    for step_back in back:
        ledger = carry_out(ledger, step_back)
        lowered = walk.release_index(manifest, ledger.ready)
        for release in manifest.releases[: lowered + 1]:
            assert all(ledger.state(step) == "done" for step in release.preparing)
    assert_ready_is_true(manifest, ledger)


def test_positions_are_ordered() -> None:
    assert BEFORE_ALL < Position(0, Phase.EXPAND) < Position(0, Phase.MIGRATE)
