"""A new label of an enum type, which stays for good."""

from toolchain.model.refactoring import AddEnumValue, Strategy
from toolchain.model.schema import Schema
from toolchain.refactor.catalog.finding import nothing
from toolchain.refactor.phases import Expand, Phases, UnableError
from toolchain.refactor.sql import comment, literal, relation, script

_LABEL_BYTES = 63  # NAMEDATALEN - 1: labels are names


def phases(change: str, refactoring: AddEnumValue, schema: Schema) -> Phases:  # noqa: ARG001
    """ALTER TYPE … ADD VALUE; PostgreSQL never takes a label away, so undo leaves it."""
    _require_new(refactoring, schema)
    place = ""
    if refactoring.before is not None:
        place = f" BEFORE {literal(refactoring.before)}"
    elif refactoring.after is not None:
        place = f" AFTER {literal(refactoring.after)}"
    return Phases(
        strategy=Strategy.CATALOG,
        why=(
            "A label is no form of any row: new servers write it from the expand on, and servers"
            " of the release before may then read a label that they do not know."
        ),
        expand=Expand(
            sql=script(
                comment("IF NOT EXISTS, because the undo of this step leaves the label.")
                + f"\nALTER TYPE {relation(refactoring.type)}"
                f" ADD VALUE IF NOT EXISTS {literal(refactoring.value)}{place};"
            ),
            undo=nothing(
                "PostgreSQL has no way to remove a label, since rows and indexes may hold it. It"
                " stays, and nobody has to use it."
            ),
        ),
        ready_at_expand=True,
    )


def _require_new(refactoring: AddEnumValue, schema: Schema) -> None:
    labels = schema.enums.get(refactoring.type)
    if labels is None:
        raise UnableError(
            f"the enum type {refactoring.type} is not known",
            "name a type that the SQL of this chain has made, with its schema if that is not"
            " public",
        )
    if refactoring.value in labels:
        raise UnableError(
            f"{refactoring.type} has the label {refactoring.value} already", "take the change out"
        )
    if not 0 < len(refactoring.value.encode()) <= _LABEL_BYTES:
        raise UnableError(
            f"a label has 1 to {_LABEL_BYTES} bytes, and {refactoring.value!r} has"
            f" {len(refactoring.value.encode())}",
            "give the label another name",
        )
    if refactoring.before is not None and refactoring.after is not None:
        raise UnableError("a label stands before another or after it", "give one of the two")
    for other in (refactoring.before, refactoring.after):
        if other is not None and other not in labels:
            raise UnableError(
                f"{refactoring.type} has no label {other}",
                f"name one of its labels: {', '.join(labels)}",
            )
