"""dose-debcheck as a witness: a complete solver of its own, all questions in one run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.edge.process import Command, Processes
from toolchain.errors import ToolError
from toolchain.model.release import Format
from toolchain.verify import debian_text
from toolchain.verify.halves import Case, Report
from toolchain.verify.libsolv import Disagreement
from toolchain.verify.pool import shard_version
from toolchain.verify.questions import Question, Row
from toolchain.verify.witness import Tried

_ASKED = "interlock-question-"
_BROKEN = re.compile(rf"^\s*package: {_ASKED}([0-9]+)$", re.M)
# dose-debcheck(1): below 64 the run itself went well, whatever it found.
_FAILED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """One dose-debcheck; `work` is a directory of its own."""

    version: str
    processes: Processes
    work: Path
    name: str = "dose"
    format: Format = Format.DEB
    many: bool = True

    @property
    def label(self) -> str:
        """Name and version."""
        return f"dose-debcheck {self.version}"

    def ask(
        self, case: Case, questions: Sequence[Question], report: Report
    ) -> tuple[Disagreement, ...]:
        """A package for each question, which depends on all that the question is about."""
        report(0, 1, f"asking {self.label}")
        background = self.work / f"{case.names.product}-{case.architecture}.background"
        background.write_text(debian_text.case_index(case, shards=True))
        asked = self.work / f"{case.names.product}-{case.architecture}.questions"
        asked.write_text(
            debian_text.index(_paragraph(case, at, one) for at, one in enumerate(questions))
        )
        architecture = case.architecture if case.architecture != "all" else "amd64"
        argv = ("dose-debcheck", "--failures", f"--deb-native-arch={architecture}")
        words = (*argv, f"--bg={background}", f"--fg={asked}")
        done = self.processes.finish(Command(argv=words))
        if done.code >= _FAILED or "broken-packages:" not in done.text:
            raise ToolError(
                f"{self.label} failed with exit code {done.code}",
                "run again with --verbose to see all that it printed",
                output=done.errors or done.text,
            )
        broken = {int(number) for number in _BROKEN.findall(done.text)}
        report(1, 1, f"asking {self.label}")
        return tuple(
            Disagreement(question=one, reason="not installable" if at in broken else "")
            for at, one in enumerate(questions)
            if one.legal == (at in broken)
        )

    def transitions(self, case: Case, rows: tuple[Row, ...], report: Report) -> Tried:  # noqa: ARG002
        """It knows no commands: a set of packages can be installed, or can't."""
        return Tried()


def find_dose(processes: Processes, work: Path) -> Dose:
    """The installed dose-debcheck; raises ToolError where there is none."""
    said = processes.run(Command(argv=("dose-debcheck", "--version")))
    return Dose(version=(said.split() or ["?"])[0], processes=processes, work=work)


def _paragraph(case: Case, number: int, question: Question) -> str:
    server = case.servers[question.server].file
    needs = [f"{server.name} (= {server.version})"]
    for slot, at in zip(debian_text.SLOTS, question.shards, strict=False):
        needs.append(f"{case.names.shard_package(slot)} (= {shard_version(case.states[at])})")
    if question.database is not None:
        database = case.databases[question.database].file
        needs.append(f"{database.name} (= {database.version})")
    # A shard that is not asked about is no package that a repository could bring.
    absent = debian_text.SLOTS[len(question.shards) :]
    conflicts = ", ".join(case.names.shard_package(slot) for slot in absent)
    return (
        f"Package: {_ASKED}{number}\nVersion: 1\nArchitecture: all\nDepends: {', '.join(needs)}\n"
        + (f"Conflicts: {conflicts}\n" if conflicts else "")
    )
