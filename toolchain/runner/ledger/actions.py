"""The places in a shard's order, and the actions that lead from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import total_ordering
from typing import Union

from ..core.law import Handshake
from .manifest import Phase, Release, Step


@total_ordering
@dataclass(frozen=True)
class Position:
    """The place right after a phase of a release; `release` is its index in the manifest."""

    release: int
    phase: Phase

    def __lt__(self, other: Position) -> bool:
        return (self.release, self.phase.rank) < (other.release, other.phase.rank)


BEFORE_ALL = Position(-1, Phase.CONTRACT)


@dataclass(frozen=True)
class RunStep:
    """Run a step; with `completes` its last transaction makes the release's schema ready."""

    step: Step
    release: Release
    completes: bool


@dataclass(frozen=True)
class MakeReady:
    """Say that the release's schema is ready, where it has no step of its own that would."""

    release: Release


@dataclass(frozen=True)
class Close:
    """Ask the gate, then accept no more servers older than the release's contract bears."""

    release: Release


@dataclass(frozen=True)
class Lower:
    """Say the older schema before any of its newer forms goes away."""

    handshake: Handshake
    ready: str | None


@dataclass(frozen=True)
class UndoStep:
    """Run a step's undo; where there is none, as for moved data, only forget the step."""

    step: Step


Forward = Union[RunStep, MakeReady, Close]
Backward = Union[Lower, UndoStep]


def describe(action: Forward | Backward) -> str:
    """An action in a few words, for plans."""
    if isinstance(action, RunStep):
        after = f", then schema {action.release.schema} is ready" if action.completes else ""
        if not action.step.readies:
            after = ", for which no server waits"
        return f"{action.step.phase.value} {action.step}{after}"
    if isinstance(action, MakeReady):
        return f"ready {action.release.version}: schema {action.release.schema}"
    if isinstance(action, Close):
        return f"gate {action.release.version}: servers {action.release.servers} only"
    if isinstance(action, Lower):
        return f"say {action.handshake}"
    return f"undo {action.step}" + ("" if action.step.undo else " (nothing to run)")
