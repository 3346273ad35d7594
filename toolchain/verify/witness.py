"""Witnesses: other solvers than libsolv, asked where they are installed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from toolchain.model.release import Format
from toolchain.verify.finding import Finding
from toolchain.verify.halves import Case, Report
from toolchain.verify.libsolv import Disagreement
from toolchain.verify.questions import Question, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How many commands a witness was given, and every bad end."""

    count: int = 0
    findings: tuple[Finding, ...] = ()


class Witness(Protocol):
    """A solver beside libsolv; `name` is what --witness calls it, `label` says its version."""

    @property
    def name(self) -> str:
        """The word of `--witness`."""
        ...

    @property
    def label(self) -> str:
        """Name and version, for the answer."""
        ...

    @property
    def format(self) -> Format:
        """Which packages it understands."""
        ...

    @property
    def many(self) -> bool:
        """Whether it answers all questions in one run; if not, it is asked those at the edges."""
        ...

    def ask(
        self, case: Case, questions: Sequence[Question], report: Report
    ) -> tuple[Disagreement, ...]:
        """The questions whose answer is not the law's; raises ToolError."""
        ...

    def transitions(self, case: Case, rows: tuple[Row, ...], report: Report) -> Tried:
        """Every command from every state; raises ToolError. Nothing where it has no commands."""
        ...
