"""Names that others gave, brought into the grammars of a spec."""

import re

from toolchain.errors import UsageError
from toolchain.spec.problem import Complaint
from toolchain.spec.values import names

_LONGEST = 55  # a change may have 63; some are told apart by a number


def change_named(text: str, taken: set[str] | None = None) -> str:
    """A change's name from a migration's, unlike all in `taken`, which it joins."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text).lower())
    joined = "-".join(words)[:_LONGEST].strip("-") or "migration"
    name = joined if joined[0].isalpha() else f"step-{joined}"
    if taken is None:
        return name
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}-{number}"
    taken.add(unique)
    return unique


def product_named(text: str) -> str:
    """A product's name; raises UsageError where the text can be none."""
    try:
        names.product(text)
    except Complaint as complaint:
        raise UsageError(complaint.message, f"give one with --name: {complaint.cure}") from None
    return text
