"""dnf as a witness: its own classes solve, in the system's Python, against private roots.

The packages reach it as files. A state of a host is a package database of its own, written by
`rpm --justdb` from the same files; nothing is unpacked and no script runs.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.edge.process import Command, Processes, processors
from toolchain.errors import ToolError
from toolchain.model.carried import PackageFile
from toolchain.model.release import Format
from toolchain.verify import rpm_text
from toolchain.verify.debian_text import SLOTS
from toolchain.verify.halves import Case, Report
from toolchain.verify.libsolv import Disagreement
from toolchain.verify.parallel import each
from toolchain.verify.pool import shard_version
from toolchain.verify.questions import Question, Row
from toolchain.verify.transitions import (
    HostState,
    Order,
    Verb,
    host_states,
    judge,
    transition_finding,
)
from toolchain.verify.upgrades import order_words, orders
from toolchain.verify.witness import Tried

_SCRIPT = Path(__file__).with_name("dnf_answers.py")
_DATABASE = "var/lib/rpm"
# A Python with dnf takes a third of a second to start, as long as the commands from three states:
# with so many of them for each processor, several are started.
_STATES = 12
# dnf's modules belong to one Python: RHEL's dnf has its own, Debian's the system's.
_PYTHONS = ("/usr/libexec/platform-python", "/usr/bin/python3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dnf:
    """The dnf of one Python; `work` is an empty directory of its own."""

    python: str
    version: str
    processes: Processes
    work: Path
    every: bool = False
    name: str = "dnf"
    format: Format = Format.RPM
    many: bool = True

    @property
    def label(self) -> str:
        """Name and version."""
        return f"dnf {self.version}"

    def ask(
        self, case: Case, questions: Sequence[Question], report: Report
    ) -> tuple[Disagreement, ...]:
        """Have every question solved in one run; raises ToolError."""
        report(0, 1, f"asking {self.label}")
        asked = [
            {"packages": self._packages(case, one), "local": list(_stand_ins(case, one))}
            for one in questions
        ]
        answers = self._run(case, questions=asked, states=[])["questions"]
        report(1, 1, f"asking {self.label}")
        return tuple(
            Disagreement(question=one, reason=" ".join(reason.split()))
            for one, reason in zip(questions, answers, strict=True)
            if one.legal == bool(reason)
        )

    def transitions(self, case: Case, rows: tuple[Row, ...], report: Report) -> Tried:
        """Try every command from every legal pair; raises ToolError."""
        report(0, 1, f"upgrading with {self.label}")
        states = host_states(rows, shards=False, every=self.every)
        for file in case.files:
            self._link(case, file)
        hosts = range(len(states))
        roots = list(each(lambda at: self._host(case, at, states[at]), hosts, self.processes))
        given = [orders(case, rows, state, every=self.every) for state in states]
        asked = [
            {
                "root": str(root),
                "protected": [
                    half.file.name for half in _halves(case, state) if half.file.protected
                ],
                "orders": [
                    {"package": self._target(case, one), "bold": one.bold, "best": one.best}
                    for one in mine
                ],
            }
            for root, state, mine in zip(roots, states, given, strict=True)
        ]
        shares = max(1, min(processors(), len(asked) // _STATES))
        size = max(1, -(-len(asked) // shares))
        parts = [asked[start : start + size] for start in range(0, len(asked), size)]
        runs = list(
            each(
                lambda part: self._run(case, questions=[], states=part)["states"],
                parts,
                self.processes,
            )
        )
        ends = (end for run in runs for end in run)
        findings, count = [], 0
        for state, mine in zip(states, given, strict=True):
            for order in mine:
                count += 1
                end = next(ends)
                wrong = "" if end is None else judge(case, rows, state, _state(case, end))
                if wrong:
                    words = order_words(case, order)
                    findings.append(transition_finding(case, state, words, wrong, self.label))
        report(1, 1, f"upgrading with {self.label}")
        return Tried(count=count, findings=tuple(findings))

    def _host(self, case: Case, number: int, state: HostState) -> Path:
        """The root of a host in that state."""
        root = self._room(case) / f"host-{number}"
        database = root / _DATABASE
        database.mkdir(parents=True)
        paths = [self._link(case, half.file) for half in _halves(case, state)]
        options = ("--justdb", "--nodeps", "--noscripts", "--nosignature", "--nodigest")
        place = ("--ignorearch", "--ignoreos", "--dbpath", str(database))
        self.processes.run(Command(argv=("rpm", "--install", *options, *place, *paths)))
        return root

    def _link(self, case: Case, file: PackageFile) -> str:
        """A plain name for a package: rpm and dnf take some characters for patterns."""
        link = self._room(case) / f"packages/{file.sha256}.rpm"
        if not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(file.path).absolute())
        return str(link)

    def _room(self, case: Case) -> Path:
        return self.work / f"{case.names.product}-{case.architecture}"

    def _packages(self, case: Case, question: Question) -> Sequence[str]:
        halves = _halves(case, HostState(question.server, question.database))
        return [self._link(case, half.file) for half in halves]

    def _target(self, case: Case, order: Order) -> str | None:
        match order.verb:
            case Verb.INSTALL_SERVER:
                return self._link(case, case.servers[order.target].file)
            case Verb.INSTALL_DATABASE:
                return self._link(case, case.databases[order.target].file)
            case Verb.UPGRADE | Verb.FULL_UPGRADE | Verb.AUTOREMOVE:
                return None

    def _run(self, case: Case, **asked: object) -> dict[str, Any]:
        # A room of its own: dnf keeps caches there, and several may run at once.
        room = Path(tempfile.mkdtemp(prefix="run-", dir=self.work))
        home, repodata, empty = room / "home", room / "local/repodata", room / "empty"
        for directory in (home, repodata, empty):
            directory.mkdir(parents=True)
        # Debian's rpm would look for the database in a home directory, Fedora's below /usr/lib.
        (home / ".rpmmacros").write_text(f"%_dbpath /{_DATABASE}\n")
        content = rpm_text.primary(case)
        (repodata / "primary.xml").write_bytes(content)
        (repodata / "repomd.xml").write_bytes(rpm_text.repomd(content))
        files = sorted({self._link(case, file) for file in (*case.files, *case.others)})
        places = {
            "work": str(room),
            "local": str(room / "local"),
            "empty": str(empty),
            "shards": case.names.shard_package("*"),
            "architecture": case.architecture,
        }
        task = room / "task.json"
        task.write_text(json.dumps({**places, "packages": files, **asked}))
        done = self.processes.finish(
            Command(
                argv=(self.python, "-I", str(_SCRIPT), str(task)),
                environment={"HOME": str(home)},
            )
        )
        if done.code != 0:
            raise ToolError(
                f"{self.label} failed: {(done.errors.strip().splitlines() or ['no word'])[-1]}",
                "run again with --verbose to see all that it printed",
                output=done.errors,
            )
        answer: dict[str, Any] = json.loads(done.text)
        return answer


def find_dnf(processes: Processes, work: Path, *, every: bool) -> Dnf:
    """The installed dnf; raises ToolError where no Python has its modules."""
    question = "import dnf.const; print(dnf.const.VERSION)"
    for python in _PYTHONS:
        if not Path(python).exists():
            continue
        done = processes.finish(Command(argv=(python, "-I", "-c", question)))
        if done.code == 0:
            version = done.text.strip()
            return Dnf(python=python, version=version, processes=processes, work=work, every=every)
    raise ToolError("dnf is not installed", "install dnf with its Python module")


def _halves(case: Case, state: HostState) -> list[Any]:
    found: list[Any] = []
    if state.server is not None:
        found.append(case.servers[state.server])
    if state.database is not None:
        found.append(case.databases[state.database])
    return found


def _stand_ins(case: Case, question: Question) -> Sequence[tuple[str, str]]:
    return [
        (case.names.shard_package(slot), shard_version(case.states[at]))
        for slot, at in zip(SLOTS, question.shards, strict=False)
    ]


def _state(case: Case, installed: Sequence[Sequence[str]]) -> HostState:
    there = {name: version.removeprefix("0:") for name, version in installed}

    def place(halves: Sequence[Any], name: str) -> int | None:
        version = there.get(name)
        found = (at for at, half in enumerate(halves) if half.file.version == version)
        return next(found, None)

    return HostState(
        place(case.servers, case.names.server_package),
        place(case.databases, case.names.database_package),
    )
