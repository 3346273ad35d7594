"""The verification: gather, compare relations, ask libsolv, ask the witnesses, try upgrades."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from toolchain.errors import UsageError
from toolchain.model.carried import PackageFile
from toolchain.model.relation import Relation
from toolchain.model.release import Architecture, Format, Product, Release
from toolchain.plan.halves import database_package, server_package
from toolchain.plan.manifest import SqlText
from toolchain.verify.expected import epoch_findings, relation_findings
from toolchain.verify.finding import Finding, merged
from toolchain.verify.gather import Gathered, gather
from toolchain.verify.halves import Case, DatabaseHalf, Names, Report, ServerHalf
from toolchain.verify.law import release_in
from toolchain.verify.libsolv import ask_libsolv, demanding, libsolv_version
from toolchain.verify.pool import known_names
from toolchain.verify.questions import ask_row, edge_questions, law_rows
from toolchain.verify.restriction import New, ask_new, pairs
from toolchain.verify.upgrades import libsolv_transitions
from toolchain.verify.verdicts import verdict_findings
from toolchain.verify.witness import Witness

# Of a long history that arrives at once, witnesses, who need seconds for a release, see so many of
# the newest releases; libsolv is asked about all.
_WITNESSED = 20


@dataclass(slots=True, kw_only=True)
class Asked:
    """One solver's part: how many pairs, questions and commands it was given."""

    label: str
    format: Format
    questions: int = 0
    commands: int = 0


@dataclass(slots=True, kw_only=True)
class Answer:
    """What the verification found, and what it rests upon."""

    packages: int
    pairs: int = 0
    products: tuple[str, ...] = ()
    formats: tuple[Format, ...] = ()
    asked: list[Asked] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def proved(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Everything a verification needs beside the packages."""

    witnesses: Sequence[Witness]
    report: Report
    product: Product | None = None
    names: Names | None = None
    transitions: bool = True
    every: bool = False
    only: frozenset[str] | None = None

    def verify(self, files: Sequence[PackageFile]) -> Answer:
        """Ask everything; raises UsageError where there is nothing to ask, ToolError.

        With `only`, the sha256 of new packages, ask what concerns those: the others were proved
        before, together. Then the findings are those that the whole verification would have and
        that it had not before the new packages came.
        """
        gathered = gather(files, self.product, self.names)
        before = self._before(files)
        known = set() if before is None else set(before.findings)
        answer = Answer(packages=len(files))
        answer.findings += (one for one in gathered.findings if one not in known)
        answer.products = tuple(dict.fromkeys(case.names.product for case in gathered.cases))
        answer.formats = tuple(dict.fromkeys(case.format for case in gathered.cases))
        for case in gathered.cases:
            former = None if before is None else before.case_like(case)
            epochs = () if former is None else tuple(epoch_findings(former))
            answer.findings += (one for one in epoch_findings(case) if one not in epochs)
            new = None
            if before is not None and self.only is not None:
                new = New.of(case, self.only, () if former is None else former.states)
            answer.findings += self._relations(case, new)
            answer.pairs += pairs(case, new)
            if new is None or new:
                lawful = not (gathered.findings or answer.findings)
                self._ask(case, new, answer, lawful=lawful and new is not None)
        answer.findings = merged(answer.findings)
        return answer

    def _before(self, files: Sequence[PackageFile]) -> Gathered | None:
        """What stood there without the new packages; None where nothing can have been proved."""
        if self.only is None:
            return None
        try:
            old = [file for file in files if file.sha256 not in self.only]
            return gather(old, self.product, self.names)
        except UsageError:
            return None

    def _relations(self, case: Case, new: New | None) -> list[Finding]:
        halves: list[ServerHalf | DatabaseHalf] = [*case.servers, *case.databases]
        if new is not None:
            halves = [
                *(case.servers[at] for at in sorted(new.servers)),
                *(case.databases[at] for at in sorted(new.databases)),
            ]
        return [
            finding
            for half in halves
            for finding in relation_findings(case.names, half, self._planned(half))
        ]

    def _planned(self, half: ServerHalf | DatabaseHalf) -> tuple[Relation, ...] | None:
        """Every relation of the spec, for packages that Interlock built."""
        if self.product is None or half.file.handshake is None:
            return None
        release = release_in(self.product, half.file.version)
        return None if release is None else planned_relations(self.product, release, half)

    def _ask(self, case: Case, new: New | None, answer: Answer, *, lawful: bool) -> None:
        """Ask about one case; `lawful` says that relations are the law's as far as is known."""
        rows = law_rows(case)
        label = f"libsolv {libsolv_version()}"
        self.report(0, 1, f"asking {label}")
        count, wrong = ask_libsolv(case, rows) if new is None else ask_new(case, rows, new)
        asked = Asked(label=label, format=case.format, questions=count)
        answer.asked.append(asked)
        about = None if new is None else new.touches
        answer.findings += verdict_findings(case, wrong, label, about)
        if self.transitions:
            alone = not case.others and not demanding(case, known_names(case.names, case.files))
            asked.commands, found = libsolv_transitions(
                case,
                rows,
                self.report,
                every=self.every,
                new=new,
                lawful=lawful and not wrong and alone,
            )
            answer.findings += found
        if self.only is not None:
            seen = new or New.newest(case, _WITNESSED)
            case = seen.surroundings(case, rows)
            rows = law_rows(case)
        for witness in self.witnesses:
            if witness.format is not case.format:
                continue
            ask = ask_row if self.every or witness.many else edge_questions
            questions = [question for row in rows for question in ask(row)]
            wrong = witness.ask(case, questions, self.report)
            asked = Asked(label=witness.label, format=case.format, questions=len(questions))
            answer.asked.append(asked)
            answer.findings += verdict_findings(case, wrong, witness.label)
            if self.transitions:
                tried = witness.transitions(case, rows, self.report)
                asked.commands = tried.count
                answer.findings += tried.findings


def planned_relations(
    product: Product, release: Release, half: ServerHalf | DatabaseHalf
) -> tuple[Relation, ...]:
    """What the spec's package carries; its payload needn't be there."""
    match half:
        case ServerHalf():
            package = server_package(product, release, Architecture.ALL, lambda _: ())
        case DatabaseHalf():
            empty = SqlText(content=b"", sha256="", statements=())
            package = database_package(product, release, lambda _: empty)
    return package.all_relations(half.file.format)
