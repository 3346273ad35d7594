"""apt-get as a witness: simulated runs against a private root; the host stays as it is.

`apt-get -s` decides and orders as a real run does, prints it, and touches nothing. An apt of
another distribution is started by its own loader out of a directory tree.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.edge.process import Command, Finished, Processes
from toolchain.errors import ToolError
from toolchain.model.release import Format
from toolchain.verify import debian_text
from toolchain.verify.finding import Finding
from toolchain.verify.halves import Case, Report
from toolchain.verify.libsolv import Disagreement
from toolchain.verify.parallel import each
from toolchain.verify.questions import Question, Row
from toolchain.verify.transitions import (
    HostState,
    Order,
    Verb,
    edge_targets,
    host_states,
    judge,
    transition_finding,
)
from toolchain.verify.witness import Tried

_LINE = re.compile(r"^(Inst|Remv|Purg) ([^\s:]+)(?::\S+)?(?: \[[^\]]*\])?(?: \((\S+) )?", re.M)
_CONFIGURATION = """\
Dir::Etc "{root}/etc";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::State "{root}/state";
Dir::State::status "{root}/status";
Dir::Cache "{root}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "{root}/log";
Dir::Bin::dpkg "/bin/true";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "";
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AptProgram:
    """An apt-get that can be started: its words, its version, and the solver to choose."""

    argv: tuple[str, ...]
    version: str
    solver: str | None = None

    @property
    def label(self) -> str:
        """Name and version for the answer: `apt 3.0.4 with its 3.0 solver`."""
        chosen = "" if self.solver is None else f" with its {self.solver} solver"
        return f"apt {self.version}{chosen}"


def find_apt(processes: Processes, root: Path | None = None) -> tuple[AptProgram, ...]:
    """The host's apt-get, or that of a directory tree, once for each of its solvers.

    Raises ToolError where there is none that starts.
    """
    argv = ("apt-get",) if root is None else _inside(root)
    # `--version` without any configuration, so that the host's own can't change the answer.
    said = processes.run(
        Command(argv=(*argv, "--version"), environment={"APT_CONFIG": "/dev/null"})
    )
    match = re.match(r"apt ([0-9]+)(\S*)", said)
    if match is None:
        raise ToolError(f"{argv[-1]} does not say its version", "name a tree with a working apt")
    solvers = ("3.0", "internal") if int(match[1]) >= 3 else (None,)
    return tuple(
        AptProgram(argv=argv, version=match[1] + match[2], solver=solver) for solver in solvers
    )


def _inside(root: Path) -> tuple[str, ...]:
    """The words that start a tree's apt-get with the tree's own libraries, without chroot."""
    root = root.absolute()
    program = root / "usr/bin/apt-get"
    libraries = sorted(str(path.parent) for path in root.glob("usr/lib/*/libc.so.6"))
    loaders = sorted(root.glob("usr/lib*/ld-linux*.so.*")) + sorted(
        root.glob("usr/lib/*/ld-linux*.so.*")
    )
    if not (program.exists() and libraries and loaders):
        raise ToolError(f"{root} holds no apt-get", "name a tree made by mmdebstrap or debootstrap")
    return str(loaders[0]), "--library-path", ":".join(libraries), str(program)


@dataclass(frozen=True, slots=True, kw_only=True)
class Apt:
    """One apt-get with one solver; `work` is an empty directory of its own."""

    program: AptProgram
    processes: Processes
    work: Path
    every: bool = False
    name: str = "apt"
    format: Format = Format.DEB
    many: bool = False

    @property
    def label(self) -> str:
        """Name and version."""
        return self.program.label

    def ask(
        self, case: Case, questions: Sequence[Question], report: Report
    ) -> tuple[Disagreement, ...]:
        """Simulate an installation for each question; raises ToolError."""
        room = _Room(self, case)
        # Shards are there already, as on a real host: a repository could not bring them.
        hosts = {
            shards: room.status(f"shards-{number}", room.paragraphs(HostState(None, None, shards)))
            for number, shards in enumerate(dict.fromkeys(one.shards for one in questions))
        }

        def one(question: Question) -> Disagreement | None:
            done = room.simulate(hosts[question.shards], "install", *room.words(question))
            if (done.code == 0) == question.legal:
                return None
            return Disagreement(question=question, reason=_refusal(done))

        answers = []
        for number, answer in enumerate(each(one, questions, self.processes), 1):
            answers.append(answer)
            report(number, len(questions), f"asking {self.label}")
        return tuple(answer for answer in answers if answer is not None)

    def transitions(self, case: Case, rows: tuple[Row, ...], report: Report) -> Tried:
        """Simulate every command from every state; raises ToolError."""
        room = _Room(self, case)
        states = host_states(rows, shards=True, every=self.every)

        def one(state: HostState) -> tuple[int, list[Finding]]:
            status = room.status(f"state-{states.index(state)}", room.paragraphs(state))
            count, findings = 0, []
            for order in _orders(case, rows, state, every=self.every):
                count += 1
                words = room.order(order)
                done = room.simulate(status, *words)
                wrong = judge(case, rows, state, room.after(state, done)) if not done.code else ""
                if wrong:
                    command = f"apt-get -y {' '.join(words)}"
                    findings.append(transition_finding(case, state, command, wrong, self.label))
            return count, findings

        count, findings = 0, []
        for number, (tried, found) in enumerate(each(one, states, self.processes), 1):
            count += tried
            findings += found
            report(number, len(states), f"upgrading with {self.label}")
        return Tried(count=count, findings=tuple(findings))


def _orders(case: Case, rows: tuple[Row, ...], state: HostState, *, every: bool) -> Iterator[Order]:
    yield Order(Verb.UPGRADE)
    yield Order(Verb.FULL_UPGRADE)
    yield Order(Verb.AUTOREMOVE)
    servers, databases = edge_targets(rows, state)
    if every:
        servers, databases = tuple(range(len(case.servers))), tuple(range(len(case.databases)))
    # Allowed to downgrade, apt has more ways to please; without, it only refuses more.
    for target in servers:
        yield Order(Verb.INSTALL_SERVER, target, bold=True)
    for target in databases:
        yield Order(Verb.INSTALL_DATABASE, target, bold=True)


class _Room:
    """A private root of one case, with the words for its packages."""

    def __init__(self, apt: Apt, case: Case) -> None:
        self._apt, self._case = apt, case
        architecture = case.architecture if case.architecture != "all" else "amd64"
        self._root = Path(
            tempfile.mkdtemp(prefix=f"{case.names.product}-{architecture}-", dir=apt.work)
        )
        for name in ("etc/sources.list.d", "etc/preferences.d", "state/lists", "cache"):
            (self._root / name).mkdir(parents=True)
        (self._root / "etc/sources.list").touch()
        self._index = self._root / "Packages"
        self._index.write_text(debian_text.case_index(case, shards=False))
        text = _CONFIGURATION.format(root=self._root, architecture=architecture)
        if apt.program.solver is not None:
            text += f'APT::Solver "{apt.program.solver}";\n'
        self._configuration = text
        self._servers = {half.file.version: number for number, half in enumerate(case.servers)}
        self._databases = {half.file.version: number for number, half in enumerate(case.databases)}
        empty = self.status("empty", ())
        done = self.simulate(empty, "install", debian_text.OUTSIDE)
        if done.code != 0:
            raise ToolError(
                f"{apt.label} can't read the packages of {case.names.product}: {_refusal(done)}",
                "run again with --verbose to see all that it printed",
                output=done.errors or done.text,
            )

    def status(self, name: str, paragraphs: Sequence[str]) -> Path:
        """A host's status file, with a configuration that names it; the latter's path."""
        status = self._root / f"{name}.status"
        rows = [debian_text.outside(self._case), *paragraphs] if name != "empty" else []
        status.write_text(debian_text.index(map(debian_text.installed, rows)))
        configuration = self._root / f"{name}.conf"
        text = self._configuration.replace(f"{self._root}/status", str(status))
        configuration.write_text(text)
        return configuration

    def simulate(self, configuration: Path, *words: str) -> Finished:
        """One run of apt-get that touches nothing."""
        argv = (*self._apt.program.argv, "-s", "-y", "-q", "--with-source", str(self._index))
        environment = {"APT_CONFIG": str(configuration)}
        return self._apt.processes.finish(Command(argv=(*argv, *words), environment=environment))

    def words(self, question: Question) -> Iterator[str]:
        """`NAME=VERSION` for the packages that a question speaks of."""
        case = self._case
        server = case.servers[question.server].file
        yield f"{server.name}={server.version}"
        if question.database is not None:
            database = case.databases[question.database].file
            yield f"{database.name}={database.version}"

    def paragraphs(self, state: HostState) -> tuple[str, ...]:
        """What dpkg says of a host in that state."""
        case, found = self._case, []
        if state.server is not None:
            found.append(case.servers[state.server].file.control)
        if state.database is not None:
            found.append(case.databases[state.database].file.control)
        for slot, number in zip(debian_text.SLOTS, state.shards, strict=False):
            found.append(debian_text.shard(case, slot, case.states[number]))
        return tuple(found)

    def order(self, order: Order) -> tuple[str, ...]:
        """The words of a command."""
        match order.verb:
            case Verb.UPGRADE:
                return ("upgrade",)
            case Verb.FULL_UPGRADE:
                return ("dist-upgrade",)
            case Verb.AUTOREMOVE:
                return ("autoremove",)
            case Verb.INSTALL_SERVER:
                file = self._case.servers[order.target].file
            case Verb.INSTALL_DATABASE:
                file = self._case.databases[order.target].file
        bold = ("--allow-downgrades",) if order.bold else ()
        return ("install", *bold, f"{file.name}={file.version}")

    def after(self, before: HostState, done: Finished) -> HostState:
        """How the host stands after what was printed."""
        names = self._case.names
        server, database, shards = before.server, before.database, list(before.shards)
        for verb, name, version in _LINE.findall(done.text):
            new = version if verb == "Inst" else None
            if name == names.server_package:
                server = None if new is None else self._servers[new]
            elif name == names.database_package:
                database = None if new is None else self._databases[new]
            elif names.is_shard(name) and new is None:
                shards = []
        return HostState(server, database, tuple(shards))


def _refusal(done: Finished) -> str:
    """Apt's reason in one line; empty where it did not refuse."""
    if done.code == 0:
        return ""
    lines = [line.strip() for line in done.text.splitlines()]
    reasons = [line for line in lines if re.match(r"\S+ : \S+:", line)]
    errors = [line for line in done.errors.splitlines() if line.startswith("E: ")]
    return "; ".join(reasons or errors) or f"exit code {done.code}"
