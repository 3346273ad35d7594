"""What is known of a shard's history at a place of the chain, while refactorings are written."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolchain.model.change import Step
from toolchain.refactor.phases import Phases
from toolchain.spec.facts import PlacedStep
from toolchain.spec.refactoring.held import Held
from toolchain.spec.refactoring.qualified import Made

if TYPE_CHECKING:
    from toolchain.spec.schema.replay import Replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A change that a release on the way has declared."""

    phases: Phases
    placed: PlacedStep
    step: Step


@dataclass(slots=True, kw_only=True)
class Known:
    """What a shard's history holds at a place of the chain.

    `changes` has None for a change whose SQL a person wrote; `failed` are those that could not be
    generated, `held` what those need that are expanded and not contracted. `named` are the
    functions and types that SQL of one's own has made.
    """

    replay: "Replay"
    changes: dict[str, Declared | None] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    held: dict[str, Held] = field(default_factory=dict)
    named: frozenset[Made] = frozenset()

    def copy(self) -> "Known":
        """The same, for a branch to go on from."""
        return Known(
            replay=self.replay.copy(),
            changes=dict(self.changes),
            moved=set(self.moved),
            failed=set(self.failed),
            held=dict(self.held),
            named=self.named,
        )
