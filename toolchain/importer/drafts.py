"""Releases and steps on their way to specs."""

from dataclasses import dataclass, field
from datetime import date

from toolchain.importer.facts import Note
from toolchain.model.change import Phase
from toolchain.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDraft:
    """A step as the spec will say it: SQL in a file of the product, or an operation."""

    change: str
    phase: Phase
    file: str = ""
    operation: str = ""
    undo: str = ""
    transaction: bool = True
    comments: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class ReleaseDraft:
    """A release on its way to a spec; `waiting` are contracts that no later release takes."""

    version: Version
    day: date | None = None
    schema: int = 1
    steps: list[StepDraft] = field(default_factory=list)
    waiting: list[StepDraft] = field(default_factory=list)

    def of(self, phase: Phase) -> list[StepDraft]:
        """The steps of one phase, in order."""
        return [step for step in self.steps if step.phase is phase]


@dataclass(slots=True)
class ChainDraft:
    """All releases with their SQL files by path, and what a person should know."""

    releases: list[ReleaseDraft] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
