"""Whether a step leaves alone what a refactoring has in two forms until its contract."""

from toolchain.model.refactoring import Refactoring, Strategy
from toolchain.model.schema import Schema
from toolchain.refactor.phases import UnableError
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.facts import PlacedStep
from toolchain.spec.problem import Complaint, Related
from toolchain.spec.refactoring.held import held_by, meeting, moved
from toolchain.spec.refactoring.known import Declared, Known


def follow(document: Document, placed: PlacedStep, known: Known, text: str) -> None:
    """Follow a step's SQL, which must leave alone what a refactoring under way has written on."""
    before = known.replay.schema
    known.replay.apply(text)
    for change, held in known.held.items():
        declared = known.changes[change]
        if change == placed.step.change or declared is None:
            continue
        row = declared.phases.strategy is Strategy.ROW
        for table in moved(held, before, known.replay.schema, indexes=not row):
            document.complain(
                Complaint(
                    Code.REFACTORING_UNDER_WAY,
                    f"the step {placed.step.id} changes {table} while {change} has it in two forms",
                    f"move it before the expand of {change}, or behind its contract",
                ),
                placed.path,
                _declaration(declared),
            )


def _declaration(declared: Declared) -> Related:
    return Related(origin=declared.placed.place.origin, message="the refactoring under way")


def unable(error: UnableError, refactoring: Refactoring, known: Known) -> Complaint:
    """The refusal, with the refactoring under way on the same table that may be its cause."""
    tables = held_by(refactoring, Schema()).keys()
    for change, held in known.held.items():
        declared = known.changes[change]
        for table in sorted(tables & held.keys()):
            if declared is not None:
                return Complaint(
                    Code.REFACTORING,
                    f"{error.message} ({change} of {declared.placed.place.origin} is under way on"
                    f" {table})",
                    f"move it behind the contract of {change}, or {error.cure}",
                )
    return Complaint(Code.REFACTORING, error.message, error.cure)


def require_free(change: str, refactoring: Refactoring, known: Known) -> None:
    """Raise Complaint where a refactoring under way has the same columns or tables in two forms."""
    schema = known.replay.schema
    mine = held_by(refactoring, schema, keys=False)
    for other in known.held:
        declared = known.changes[other]
        if declared is None:
            continue
        for table in meeting(mine, held_by(declared.step.refactoring, schema, keys=False)):
            raise Complaint(
                Code.REFACTORING_UNDER_WAY,
                f"{change} would change what {other} ({declared.placed.place.origin}) has in two"
                f" forms, of {table}",
                f"move it behind the contract of {other}, which runs after its release's expands",
            )
