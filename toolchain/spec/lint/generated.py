"""Findings that are no harm in generated SQL, each with the reason; any other one is told."""

from collections.abc import Mapping

from toolchain.model.change import Step
from toolchain.model.refactoring import Strategy
from toolchain.spec.codes import Code

BORNE: Mapping[Code, str] = {
    Code.LINT_LOCK_TABLE: (
        "A swap of one form for the other takes its locks at once and in the servers' order, works"
        " on the catalogue alone from then on, and is tried again where a lock is not to be had."
    ),
    Code.LINT_LOCK_ORDER: "The other tables are hidden, or were locked before.",
    Code.LINT_BATCH_BOUNDS: (
        "What runs once before or after the batches, and what works off a queue, has other bounds."
    ),
    Code.LINT_CONTRACT_STRANGER: "The refactoring names what it removes; the expand need not.",
    Code.LINT_REFERENCE: (
        "The rows that a DELETE takes along are a part of the row, which servers of the release"
        " before delete with it in the one wide table."
    ),
}
# Where both forms are kept equal, what the new form asks for is given by the triggers.
_BORNE_WITH_TWO_FORMS: Mapping[Code, str] = {
    Code.LINT_NARROWS: "A trigger of the same step writes what the constraint asks for.",
}
_BORNE_IN_AN_UNDO: Mapping[Code, str] = {
    Code.LINT_SET_NOT_NULL: "The old form is as it was only if the column is NOT NULL again.",
}


def is_borne(code: Code, step: Step, *, undo: bool) -> bool:
    """Whether a finding in a step's SQL is one that the generator answers for."""
    if step.sql.text is None:
        return False
    if code in BORNE or (undo and code in _BORNE_IN_AN_UNDO):
        return True
    return code in _BORNE_WITH_TWO_FORMS and step.strategy is not Strategy.CATALOG
