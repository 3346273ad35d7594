"""The simulation and the phase runner: broken rules are seen, and both take the same steps."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from tests.conftest import REPOSITORY
from toolchain.build.product import open_product
from toolchain.runner.core.law import Handshake
from toolchain.runner.core.session import Session
from toolchain.runner.ledger import walk
from toolchain.runner.ledger.actions import Close, Forward, MakeReady, RunStep
from toolchain.runner.ledger.manifest import Phase
from toolchain.runner.phases import transitions
from toolchain.runner.phases.run import Run
from toolchain.simulate import ledger as simulated
from toolchain.simulate.episode import Setting
from toolchain.simulate.facts import Facts
from toolchain.simulate.fleet import Fleet
from toolchain.simulate.members import Node
from toolchain.simulate.registry import Registry
from toolchain.simulate.run import simulate

Forward = tuple[Forward, ...]


@pytest.fixture(scope="module")
def facts() -> Facts:
    return Facts(open_product(REPOSITORY / "release-specs/fleetdesk").product)


def without_gates(actions: Forward) -> Forward:
    return tuple(action for action in actions if not isinstance(action, Close))


def gates_last(actions: Forward) -> Forward:
    return tuple(sorted(actions, key=lambda action: isinstance(action, Close)))


def ready_at_once(actions: Forward) -> Forward:
    """Each release's schema is said with its first step."""
    said: set[str] = set()
    told: list[Forward] = []
    for action in actions:
        if isinstance(action, RunStep) and action.step in action.release.preparing:
            first = action.release.version not in said
            said.add(action.release.version)
            told.append(RunStep(action.step, action.release, completes=first))
        else:
            told.append(action)
    return tuple(told)


@pytest.mark.parametrize("broken", [without_gates, gates_last, ready_at_once])
def test_steps_in_a_wrong_order_are_illegal(
    facts: Facts, monkeypatch: pytest.MonkeyPatch, broken: Callable[[Forward], Forward]
):
    real = walk.forward
    monkeypatch.setattr(walk, "forward", lambda *asked: broken(real(*asked)))
    assert is_illegal(facts)


def test_a_shard_that_goes_on_accepting_who_it_has_no_form_for_is_illegal(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(walk, "closed", lambda current, _: current)
    assert is_illegal(facts)


def is_illegal(facts: Facts) -> bool:
    setting = Setting(facts=facts, servers=60, shards=12)
    result = simulate(setting, seed=1, steps=20_000, progress=lambda _: None)
    return result.reached is not None


class Asked:
    """Stands where the runner has a shard: what the gate was asked, and what the shard says."""

    def __init__(self, said: Handshake, ready: str | None, closed: str | None) -> None:
        self.said, self.ready, self.closed = said, ready, closed
        self.questions: list[tuple[Handshake, str]] = []

    def require_fit(self, _session: Any, _product: str, said: Handshake, purpose: str) -> None:
        self.questions.append((said, purpose))

    def locked(self, _session: Any, _run: Any) -> tuple[Handshake, str | None, str | None]:
        return self.said, self.ready, self.closed

    def write(
        self, _session: Any, _author: Any, said: Handshake, ready: str | None, closed: str | None
    ) -> None:
        self.said, self.ready, self.closed = said, ready, closed


class AnyThing:
    """A session or a run whose parts nobody looks at."""

    product = "fleetdesk"
    author = None

    def transaction(self) -> "AnyThing":
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_a_transition_is_the_runner_s(facts: Facts, monkeypatch: pytest.MonkeyPatch):
    """The same questions to the gate, and the same words afterwards, for each that there is."""
    session, run = cast("Session", AnyThing()), cast("Run", AnyThing())
    manifest = facts.manifest(len(facts.names) - 1)
    ledger = walk.fresh(manifest)
    shard = Node(1, ledger, facts.number(ledger.handshake), 0)
    phases = simulated.Phases(facts, Registry(Fleet(facts, (), [shard])), gated=True)
    place = len(facts.names) - 1
    compared = 0
    for action in phases.forward(place, ledger, Phase.CONTRACT):
        ours = Asked(shard.ledger.handshake, shard.ledger.ready, shard.ledger.closed)
        real = Asked(ours.said, ours.ready, ours.closed)
        monkeypatch.setattr(simulated, "require_fit", ours.require_fit)
        for name, double in (
            ("require_fit", real.require_fit),
            ("_locked", real.locked),
            ("write_handshake", real.write),
            ("answer_roll_call", lambda *_: None),
            ("require_answered", lambda *_: None),
            ("patiently", lambda _session, _run, _what, attempt: attempt()),
        ):
            monkeypatch.setattr(transitions, name, double)
        phases.act(shard, place, action, now=0)
        match action:
            case Close(release=release):
                transitions.close(session, run, release)
            case MakeReady(release=release):
                transitions.make_ready(session, run, release)
            case RunStep(release=release, completes=True):
                transitions.make_ready_within(session, run, release)
            case _:
                continue
        compared += 1
        said = shard.ledger
        assert (said.handshake, said.ready, said.closed) == (real.said, real.ready, real.closed)
        assert ours.questions[-len(real.questions) :] == real.questions, action
    assert compared > 8
