"""One step of a refactoring with its SQL, on the schema that is known by then."""

from dataclasses import replace

from toolchain.model.change import Batch, Phase, Script, Step
from toolchain.refactor.generate import generate
from toolchain.refactor.phases import Migration, Phases, UnableError
from toolchain.refactor.sql import comment, script
from toolchain.spec.codes import Code
from toolchain.spec.facts import PlacedStep
from toolchain.spec.problem import Complaint
from toolchain.spec.refactoring.expressions import normalised
from toolchain.spec.refactoring.free import require_free_names, texts_of
from toolchain.spec.refactoring.held import dropped_indexes
from toolchain.spec.refactoring.known import Declared, Known
from toolchain.spec.refactoring.qualified import require_qualified
from toolchain.spec.refactoring.under_way import require_free, unable


def generated(placed: PlacedStep, known: Known) -> Step:
    """The step with the SQL that its refactoring brings; raises Complaint."""
    if placed.step.phase is Phase.EXPAND:
        return _expand(placed, known)
    step = _later(placed.step, known)
    require_free_names(step.change, [step.sql.text or ""], known.replay)
    return step


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
