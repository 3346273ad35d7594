"""The SQL of every declared refactoring, written on the schema that the chain has made by then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from toolchain.model.change import Batch, Phase, Script, Step
from toolchain.model.history import parents
from toolchain.refactor.generate import generate
from toolchain.refactor.phases import Limit, Migration, Phases, UnableError
from toolchain.refactor.sql import comment, script
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.facts import Facts, PlacedStep
from toolchain.spec.located.node import Path, as_table, node_at
from toolchain.spec.problem import Complaint, Related
from toolchain.spec.refactoring.declared import operation_of
from toolchain.spec.refactoring.expressions import normalised
from toolchain.spec.refactoring.free import require_free_names, texts_of
from toolchain.spec.refactoring.held import dropped_indexes, held_by
from toolchain.spec.refactoring.known import Declared, Known
from toolchain.spec.refactoring.qualified import names_made, require_qualified
from toolchain.spec.refactoring.under_way import follow, require_free, unable
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
    step = placed.step
    if step.sql.text is None:
        if step.phase is not Phase.EXPAND and known.changes.get(step.change) is not None:
            complaint = Complaint(
                Code.REFACTORING_STEPS,
                f"the change {step.change} is a refactoring, which brings the SQL of its"
                f" {step.phase.value}",
                "leave only 'change' in the step",
            )
            document.complain(complaint, (*placed.path, "sql"), *_declaration(step, known))
            return placed
        file = sql.known(step.sql.name)
        if file is not None:
            known.named |= names_made(file.statements)
            follow(document, placed, known, file.text)
        if step.phase is Phase.EXPAND:
            known.changes[step.change] = None
        return placed
    try:
        if step.phase is Phase.EXPAND:
            step = _expand(placed, known)
        else:
            step = _later(step, known)
            require_free_names(step.change, [step.sql.text or ""], known.replay)
    except Complaint as complaint:
        # What follows from a refactoring that cannot be written is not told as well.
        if step.phase is Phase.EXPAND or step.change not in known.failed:
            document.complain(
                complaint, _operation_path(document, placed), *_declaration(step, known)
            )
        document.doubt(placed.path)
        known.failed.add(step.change)
        if step.phase is Phase.CONTRACT:
            known.held.pop(step.change, None)
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


def _operation_path(document: Document, placed: PlacedStep) -> Path:
    """Where a step declares its refactoring; the step where it follows from one."""
    operation = operation_of(as_table(node_at(document.top, placed.path)))
    return placed.path if operation is None else (*placed.path, operation)


def _declaration(step: Step, known: Known) -> tuple[Related, ...]:
    declared = known.changes.get(step.change)
    if declared is None:
        return ()
    return (Related(origin=declared.placed.place.origin, message="the refactoring"),)


def _expand(placed: PlacedStep, known: Known) -> Step:
    step = placed.step
    if step.refactoring is None:
        raise TypeError(f"{step.id}: a step without SQL that declares nothing")
    refactoring = normalised(step.refactoring)
    require_qualified(refactoring, known.named)
    require_free(step.change, refactoring, known)
    try:
        phases = generate(step.change, refactoring, known.replay.schema)
    except UnableError as error:
        raise unable(error, refactoring, known) from None
    require_free_names(step.change, texts_of(phases), known.replay)
    expand = phases.expand
    step = replace(
        step,
        sql=Script(name=step.id, text=_headed(step, phases, expand.sql)),
        undo=None if expand.undo is None else Script(name=f"{step.id}.undo", text=expand.undo),
        transaction=expand.transaction,
        two_forms=phases.two_forms,
        refactoring=refactoring,
        strategy=phases.strategy,
        why=phases.why,
    )
    known.changes[step.change] = Declared(phases=phases, placed=placed, step=step)
    return step


def _headed(step: Step, phases: Phases, sql: str) -> str:
    """The SQL below one comment that says what it does and how both forms live."""
    why = phases.why[0].upper() + phases.why[1:].rstrip(".")
    return script(comment(f"{step.change}. {why}."), sql)


def _later(step: Step, known: Known) -> Step:
    declared = known.changes.get(step.change)
    if declared is None:
        raise Complaint(
            Code.OPERATION,
            f"the step {step.id} has no SQL, and the change's expand declares no refactoring that"
            " it could follow from",
            "add sql, or declare the refactoring in the change's expand",
        )
    phases = declared.phases
    step = replace(
        step,
        refactoring=declared.step.refactoring,
        strategy=phases.strategy,
        why=phases.why,
    )
    if step.phase is Phase.MIGRATE:
        if phases.migrate is None:
            raise Complaint(
                Code.REFACTORING_STEPS,
                f"the refactoring of {step.change} moves no data, so there is nothing to migrate",
                "take the step out",
            )
        known.moved.add(step.change)
        return _migration(step, phases.migrate, readies=not phases.ready_at_expand)
    if phases.contract is None:
        raise Complaint(
            Code.REFACTORING_STEPS,
            f"the refactoring of {step.change} leaves nothing behind that a contract would remove",
            "take the step out",
        )
    if phases.migrate is not None and step.change not in known.moved:
        raise Complaint(
            Code.REFACTORING_STEPS,
            f"{step.change} would be contracted before its data are moved",
            f"add '- change: {step.change}' to migrate, in this release at the latest",
        )
    for index in dropped_indexes(step.refactoring, known.replay.schema):
        raise Complaint(
            Code.REFACTORING,
            f"the contract of {step.change} drops {index} with the shadow column that it is on",
            "index the column by its old name too, which the contract renames with its indexes",
        )
    return replace(step, sql=Script(name=step.id, text=phases.contract))


def _migration(step: Step, migration: Migration, *, readies: bool) -> Step:
    from pglast.parser import split  # noqa: PLC0415

    parts = (
        ("Once, before the first batch.", migration.begin),
        ("Each batch, from the key $1 to the key $2.", migration.batch),
        ("Once, after the last batch.", migration.finish),
    )
    text = script(*(script(comment(head), part) for head, part in parts if part.strip()))
    undo = migration.undo
    return replace(
        step,
        sql=Script(name=step.id, text=text),
        undo=None if undo is None else Script(name=f"{step.id}.undo", text=undo),
        batch=Batch(
            table=str(migration.table),
            key=migration.key,
            begin=len(split(migration.begin)),
            finish=len(split(migration.finish)),
        ),
        readies=readies,
    )
