"""Every step of every release, in the order in which a shard would run them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from toolchain.model.change import Phase
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.facts import Facts, PlacedStep
from toolchain.spec.lint.allowances import allowances, allowed
from toolchain.spec.lint.blocks import statements_of
from toolchain.spec.lint.catalogue import Catalogue
from toolchain.spec.lint.generated import is_borne
from toolchain.spec.lint.hazards import hazard_complaints
from toolchain.spec.lint.locking import lock_complaints
from toolchain.spec.lint.made import created
from toolchain.spec.lint.names import Relation
from toolchain.spec.lint.narrowing import narrowing_complaints
from toolchain.spec.lint.removing import removal_complaints
from toolchain.spec.lint.scope import Fresh, Scope, new_relations
from toolchain.spec.lint.strangers import stranger_complaints, words_of
from toolchain.spec.lint.writing import write_complaints
from toolchain.spec.located.text import origin_at
from toolchain.spec.problem import Complaint, Place, Problem, Related
from toolchain.spec.sql.files import SqlFile, SqlFiles
from toolchain.spec.sql.parser import Statement


@dataclass(frozen=True, slots=True)
class _Finding:
    """A complaint about a statement, and the file that it stands in."""

    complaint: Complaint
    file: SqlFile
    index: int

    def at(self, placed: PlacedStep) -> Problem:
        """The problem, where the SQL stands; for generated SQL, where it was declared."""
        if placed.step.sql.text is not None:
            line = origin_at(self.file.shown, self.file.text, self.index).line
            return Complaint(
                self.complaint.code,
                f"{self.complaint.message} (line {line} of the generated {self.file.shown})",
                f"{self.complaint.cure}, or allow it here with a reason",
            ).at(placed.place)
        place = Place(origin_at(self.file.shown, self.file.text, self.index))
        runs = f"the step {placed.step.id} runs this file, and may allow it there with a reason"
        return self.complaint.at(place, Related(origin=placed.place.origin, message=runs))


@dataclass(slots=True)
class _Walk:
    """What is known on the way through the chain."""

    files: SqlFiles
    broken: frozenset[str]
    catalogue: Catalogue = field(default_factory=Catalogue)
    texts: dict[str, list[str]] = field(default_factory=dict)
    expanded: set[str] = field(default_factory=set)
    made: dict[str, set[Relation]] = field(default_factory=dict)
    done: dict[tuple[str, str], tuple[_Finding, ...] | None] = field(default_factory=dict)


def check_safety(releases: Sequence[tuple[Document, Facts]], files: SqlFiles) -> list[Problem]:
    """What the SQL of a chain would do to a service that stays up; hints are among the problems.

    A file that has other problems is left alone until these are mended. A step that a hotfix and a
    later release both carry is looked at once, and each of them must allow what it does.
    """
    broken = frozenset(problem.origin.file for problem in files.problems)
    walk = _Walk(files=files, broken=broken)
    problems: list[Problem] = []
    for document, facts in sorted(releases, key=lambda release: release[1].version):
        fresh = Fresh()
        for placed in facts.steps:
            problems.extend(_step(document, placed, fresh, walk))
        expanding = (step for step in facts.steps if step.step.phase is Phase.EXPAND)
        walk.expanded.update(placed.step.change for placed in expanding)
    return problems


def _step(document: Document, placed: PlacedStep, fresh: Fresh, walk: _Walk) -> Iterator[Problem]:
    key = (placed.step.id, placed.step.sql.name)
    if key not in walk.done:
        walk.done[key] = _findings(placed, fresh, walk)
    findings = walk.done[key]
    if findings is None:
        return
    entries = allowances(document, placed.path)
    borne = {entry.identifier for entry in entries}
    for finding in findings:
        if finding.complaint.code.value not in borne:
            yield finding.at(placed)
    found: frozenset[Code] = frozenset(finding.complaint.code for finding in findings)
    yield from allowed(entries, found, placed.step.id)


def _findings(placed: PlacedStep, fresh: Fresh, walk: _Walk) -> tuple[_Finding, ...] | None:
    """All that a step's files do; None when one of them cannot be judged yet."""
    step = placed.step
    names = [step.sql.name, *([step.undo.name] if step.undo is not None else [])]
    read = [walk.files.known(name) for name in names]
    files = [file for file in read if file is not None and file.shown not in walk.broken]
    if len(files) < len(names):
        return None
    return tuple(
        finding
        for at, file in enumerate(files)
        for finding in _file(placed, file, fresh, walk, undo=at > 0)
        if not is_borne(finding.complaint.code, step, undo=at > 0)
    )


def _file(
    placed: PlacedStep, file: SqlFile, fresh: Fresh, walk: _Walk, *, undo: bool
) -> Iterator[_Finding]:
    step = placed.step
    statements = list(statements_of(file))
    made = walk.made.setdefault(step.change, set())
    # Tables of an earlier step may have been filled by a batch, or by triggers of that step.
    empty = set(made) if undo else set()
    if step.phase is Phase.EXPAND and not undo:
        empty |= fresh.relations
    scope = Scope(
        step=step,
        undo=undo,
        catalogue=walk.catalogue,
        fresh=fresh,
        coming=tuple(thing for each in statements for thing in created(each)),
        empty=empty,
    )
    texts = walk.texts.setdefault(step.change, [])
    # Without an expand in an earlier release there is nothing to compare; the chain says so.
    comparable = step.phase is Phase.CONTRACT and step.change in walk.expanded
    words = words_of(texts) if comparable else None
    for statement in statements:
        for complaint in _complaints(statement, scope, words):
            yield _Finding(complaint, file, statement.index)
        if undo:
            continue
        walk.catalogue.apply(statement)
        fresh.note(statement)
        here = new_relations(statement, scope.empty)
        scope.empty |= here
        made |= here
    if not undo and step.phase is not Phase.CONTRACT:
        texts.append(file.text)


def _complaints(
    statement: Statement, scope: Scope, words: frozenset[str] | None
) -> Iterator[Complaint]:
    yield from lock_complaints(statement, scope)
    yield from removal_complaints(statement, scope)
    yield from narrowing_complaints(statement, scope)
    yield from write_complaints(statement, scope)
    yield from hazard_complaints(statement, scope)
    if words is not None:
        yield from stranger_complaints(statement, scope, words)
