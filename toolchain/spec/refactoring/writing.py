"""The SQL of every declared refactoring, written on the schema that the chain has made by then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from toolchain.model.change import Phase, Step
from toolchain.model.history import parents
from toolchain.refactor.phases import Limit
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.facts import Facts, PlacedStep
from toolchain.spec.located.node import Path, as_table, node_at
from toolchain.spec.problem import Complaint, Related
from toolchain.spec.refactoring.declared import operation_of
from toolchain.spec.refactoring.generated import generated
from toolchain.spec.refactoring.held import held_by
from toolchain.spec.refactoring.known import Known
from toolchain.spec.refactoring.qualified import names_made
from toolchain.spec.refactoring.under_way import follow
from toolchain.spec.sql.files import SqlFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The facts in version order with all SQL in place, and the limits of each declared change."""

    facts: Sequence[Facts]
    limits: Mapping[str, tuple[Limit, ...]] = field(default_factory=dict)


def write_refactorings(releases: Sequence[tuple[Document, Facts]], sql: SqlFiles) -> Written:
    """Write the SQL of each declared step.

    What cannot be written becomes a problem of its document. Without a step of the kind nothing is
    read or parsed.
    """
    ordered = sorted(releases, key=lambda release: release[1].version)
    if all(placed.step.sql.text is None for _, facts in ordered for placed in facts.steps):
        return Written(facts=[facts for _, facts in ordered])
    from toolchain.spec.schema.replay import Replay  # noqa: PLC0415  (its parser takes 0.1 s)

    known: list[Known] = []
    written: list[Facts] = []
    for (document, facts), parent in zip(
        ordered, parents([facts for _, facts in ordered]), strict=True
    ):
        here = Known(replay=Replay()) if parent is None else known[parent].copy()
        steps = tuple(_step(document, placed, here, sql) for placed in facts.steps)
        known.append(here)
        written.append(replace(facts, steps=steps))
    limits = {
        change: declared.phases.limits
        for here in known
        for change, declared in here.changes.items()
        if declared is not None
    }
    return Written(facts=written, limits=limits)


def _step(document: Document, placed: PlacedStep, known: Known, sql: SqlFiles) -> PlacedStep:
    if placed.step.sql.text is not None:
        return _declared(document, placed, known, sql)
    _follow_file(document, placed, known, sql)
    return placed


def _follow_file(document: Document, placed: PlacedStep, known: Known, sql: SqlFiles) -> None:
    """Let a step whose SQL somebody wrote change what is known."""
    step = placed.step
    if step.phase is not Phase.EXPAND and known.changes.get(step.change) is not None:
        complaint = Complaint(
            Code.REFACTORING_STEPS,
            f"the change {step.change} is a refactoring, which brings the SQL of its"
            f" {step.phase.value}",
            "leave only 'change' in the step",
        )
        document.complain(complaint, (*placed.path, "sql"), *_declaration(step, known))
        return
    file = sql.known(step.sql.name)
    if file is not None:
        known.named |= names_made(file.statements)
        follow(document, placed, known, file.text)
    if step.phase is Phase.EXPAND:
        known.changes[step.change] = None


def _declared(document: Document, placed: PlacedStep, known: Known, sql: SqlFiles) -> PlacedStep:
    """A step with the SQL that a refactoring brings, which changes what is known."""
    try:
        step = generated(placed, known)
    except Complaint as complaint:
        _fail(document, placed, known, complaint)
        return placed
    for text in (step.sql, step.undo):
        if text is not None and text.text is not None:
            sql.add(text.name, text.text)
    # As it is before the expand: what a catalogue's change drops may be gone after it.
    held = held_by(step.refactoring, known.replay.schema)
    follow(document, placed, known, step.sql.text or "")
    declared = known.changes.get(step.change)
    if step.phase is Phase.EXPAND and declared is not None:
        if declared.phases.contract is not None:
            known.held[step.change] = held
    elif step.phase is Phase.CONTRACT:
        known.held.pop(step.change, None)
    return replace(placed, step=step)


def _fail(document: Document, placed: PlacedStep, known: Known, complaint: Complaint) -> None:
    """Note that a step cannot be written; what follows from that is not told as well."""
    step = placed.step
    if step.phase is Phase.EXPAND or step.change not in known.failed:
        document.complain(complaint, _operation_path(document, placed), *_declaration(step, known))
    document.doubt(placed.path)
    known.failed.add(step.change)
    if step.phase is Phase.CONTRACT:
        known.held.pop(step.change, None)


def _operation_path(document: Document, placed: PlacedStep) -> Path:
    """Where a step declares its refactoring; the step where it follows from one."""
    operation = operation_of(as_table(node_at(document.top, placed.path)))
    return placed.path if operation is None else (*placed.path, operation)


def _declaration(step: Step, known: Known) -> tuple[Related, ...]:
    declared = known.changes.get(step.change)
    if declared is None:
        return ()
    return (Related(origin=declared.placed.place.origin, message="the refactoring"),)
