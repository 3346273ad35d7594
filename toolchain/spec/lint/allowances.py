"""What a step allows itself, each finding by its id and with a reason."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.located.node import Path, Scalar, Table, node_at
from toolchain.spec.problem import Complaint, Place, Problem
from toolchain.spec.wording import show

_ENOUGH_WORDS = 3
_OWN = frozenset({Code.LINT_ALLOW_UNKNOWN, Code.LINT_ALLOW_UNUSED, Code.LINT_ALLOW_REASON})
ALLOWABLE = {
    code.value: code for code in Code if code.value.startswith("lint-") and code not in _OWN
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One entry of a step's `allow`: the finding's id, why it is borne, and where that stands."""

    identifier: str
    reason: str
    key: Place
    value: Place


def allowances(document: Document, step: Path) -> tuple[Allowance, ...]:
    """The entries of a step's `allow`, in their order; the step is sound."""
    path = (*step, "allow")
    table = node_at(document.top, step)
    entries = table.nodes.get("allow") if isinstance(table, Table) else None
    if not isinstance(entries, Table):
        return ()
    return tuple(
        Allowance(
            identifier=identifier,
            reason=node.text,
            key=document.key_place((*path, identifier)),
            value=document.place((*path, identifier)),
        )
        for identifier, node in entries.nodes.items()
        if isinstance(node, Scalar)
    )


def allowed(
    allowance_list: tuple[Allowance, ...], found: frozenset[Code], step: str
) -> Iterator[Problem]:
    """What is wrong with the entries themselves; `found` is all that the step's SQL has."""
    for entry in allowance_list:
        code = ALLOWABLE.get(entry.identifier)
        if code is None:
            nearest = difflib.get_close_matches(entry.identifier, ALLOWABLE, n=1, cutoff=0.0)
            yield Complaint(
                Code.LINT_ALLOW_UNKNOWN,
                f"no finding of the safety lint is called {show(entry.identifier)}",
                f"the nearest is {nearest[0]}",
            ).at(entry.key)
        elif code not in found:
            yield Complaint(
                Code.LINT_ALLOW_UNUSED,
                f"the step {step} allows {entry.identifier}, and its SQL has nothing of the kind",
                "take the entry out",
            ).at(entry.key)
        elif len(entry.reason.split()) < _ENOUGH_WORDS:
            yield Complaint(
                Code.LINT_ALLOW_REASON,
                f"{show(entry.reason)} does not say why {entry.identifier} is no harm here",
                "write a sentence that a reviewer can check, such as 'The table has four rows.'",
            ).at(entry.value)
