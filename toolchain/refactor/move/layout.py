"""The two tables of a move: many children share one parent, and its value."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Check, Column
from toolchain.refactor.sql import ident, idents, literal, named

# PostgreSQL's lock table holds some thousand locks, and one transaction may write many groups.
_LOCKS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinship:
    """Columns of `child`, which `reference` leads to the columns `identity` of `parent`.

    With `keyed` the parent is made by this change, and has a row for each value of the reference.
    """

    change: str
    child: RelationName
    child_key: str
    child_key_type: str
    reference: tuple[Column, ...]
    parent: RelationName
    identity: tuple[str, ...]
    columns: tuple[Column, ...]
    checks: tuple[Check, ...]
    keyed: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns that move."""
        return tuple(column.name for column in self.columns)

    @property
    def setting(self) -> str:
        """The setting that is on while the change itself writes the other form."""
        plain = re.sub(r"[^a-z0-9_]", "_", f"{self.change}_{self.parent.name}".lower())
        return f"interlock.{named('following', plain)}"

    def beside(self, what: str) -> RelationName:
        """A function or trigger of this change."""
        return self.child.beside(named(self.change, self.parent.name, what))

    def own(self) -> str:
        """Whether a server writes, and not this change itself."""
        return f"current_setting({literal(self.setting)}, true) IS DISTINCT FROM 'on'"

    def following(self, *, on: bool) -> str:
        """Say that from here on this change itself writes, or no longer."""
        return f"PERFORM set_config({literal(self.setting)}, '{'on' if on else 'off'}', true);"

    def references(self, before: str = "") -> tuple[str, ...]:
        """The child's reference, column by column."""
        return tuple(before + ident(column.name) for column in self.reference)

    def of_parent(self, key: Iterable[str], before: str = "") -> str:
        """The condition that a parent has this key."""
        pairs = zip(self.identity, key, strict=True)
        return " AND ".join(f"{before}{ident(name)} = {value}" for name, value in pairs)

    def of_child(self, key: Iterable[str], before: str = "") -> str:
        """The condition that a child belongs to this key."""
        pairs = zip(self.references(before), key, strict=True)
        return " AND ".join(f"{name} = {value}" for name, value in pairs)

    def row(self, before: str = "") -> str:
        """The values that move, as a row."""
        return f"ROW({idents(self.names, before)})"

    def nothing(self, before: str) -> str:
        """Whether a row has no value at all."""
        return " AND ".join(f"{before}{ident(name)} IS NULL" for name in self.names)

    def lock(self, key: Iterable[str], *, shared: bool) -> str:
        """Try to take the lock of a group; it is one of a fixed number, shared by some groups."""
        digest = hashlib.sha256(f"{self.change}/{self.parent}".encode()).digest()
        number = int.from_bytes(digest[:4], signed=True)
        text = ", ".join(f'({value})::text COLLATE "C"' for value in key)
        suffix = "_shared" if shared else ""
        return (
            f"pg_try_advisory_xact_lock{suffix}({number},"
            f" hashtext(concat_ws('/', {text})) & {_LOCKS - 1})"
        )
