"""A constraint's own words, each of which another table must have exactly as the first one has."""

from toolchain.model.schema import Check, ForeignKey, Key
from toolchain.refactor.sql import idents, relation


def unique(key: Key) -> str:
    """UNIQUE as it stands in a table."""
    nulls = "" if key.nulls_distinct else " NULLS NOT DISTINCT"
    included = f" INCLUDE ({idents(key.included)})" if key.included else ""
    return f"UNIQUE{nulls} ({idents(key.columns)}){included}"


def check(constraint: Check) -> str:
    """CHECK as it stands in a table."""
    return f"CHECK ({constraint.expression}){'' if constraint.inherited else ' NO INHERIT'}"


def reference(foreign: ForeignKey, before: str = " ") -> str:
    """FOREIGN KEY as it stands in a table; `before` is what parts it from REFERENCES."""
    referenced = f" ({idents(foreign.references)})" if foreign.references else ""
    emptied = f" ({idents(foreign.emptied)})" if foreign.emptied else ""
    actions = "".join(
        f" ON {event} {action.upper()}"
        for event, action in (("UPDATE", foreign.on_update), ("DELETE", foreign.on_delete))
        if action != "no action"
    )
    return (
        f"FOREIGN KEY ({idents(foreign.columns)}){before}"
        f"REFERENCES {relation(foreign.table)}{referenced}{full(foreign)}{actions}{emptied}"
    )


def full(foreign: ForeignKey) -> str:
    """MATCH FULL, where it is."""
    return " MATCH FULL" if foreign.full else ""


def deferring(foreign: ForeignKey) -> str:
    """When a foreign key is asked, where that may be at the end of a transaction."""
    if not foreign.deferrable:
        return ""
    return f" DEFERRABLE{' INITIALLY DEFERRED' if foreign.deferred else ''}"
