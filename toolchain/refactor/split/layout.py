"""What becomes of a table's columns, constraints and indexes when parts of it move out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Check, Column, ForeignKey, Index, Key, TableSchema
from toolchain.refactor.phases import UnableError
from toolchain.refactor.sql import ident, image, named, relation

_NAME = r'(?:"(?:[^"]|"")+"|[^\s".(]+)'
_INDEX = re.compile(
    rf"\s*CREATE\s+(?P<unique>UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}"
    rf"\s+ON\s+(?:ONLY\s+)?{_NAME}(?:\s*\.\s*{_NAME})?\s*(?P<rest>.*?)\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLayout:
    """A part of the same key as its table.

    `key` are the key's columns in the table, `reference` what the part calls them. Constraints
    and indexes are those of the moved columns, with the names that they had on the table.
    """

    source: RelationName
    table: RelationName
    key: tuple[str, ...]
    reference: tuple[str, ...]
    columns: tuple[Column, ...]
    key_columns: tuple[Column, ...]
    key_is_fixed: bool = False
    keys: tuple[Key, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()

    @property
    def moved(self) -> tuple[str, ...]:
        """The names of the columns that move."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """The moved columns that may not be NULL."""
        return tuple(column.name for column in self.columns if column.not_null)

    @property
    def defaults(self) -> tuple[Column, ...]:
        """The moved columns with a default; each is a constant."""
        return tuple(
            column
            for column in self.columns
            if column.default is not None and column.default.strip().lower() != "null"
        )

    def present(self, before: str = "") -> str:
        """When a row of the table has this part: its required columns are there, else any is."""
        if self.required:
            return " AND ".join(f"{before}{ident(name)} IS NOT NULL" for name in self.required)
        return " OR ".join(f"{before}{ident(name)} IS NOT NULL" for name in self.moved)

    def matches(self, part: str, source: str = "") -> str:
        """The condition that a row of the part, by its alias, belongs to one of the table."""
        pairs = zip(self.key, self.reference, strict=True)
        return " AND ".join(f"{source}{ident(key)} = {part}.{ident(name)}" for key, name in pairs)

    def is_row(self, record: str) -> str:
        """The condition that a row of the table, as `source`, has the key of a record of it."""
        return " AND ".join(f"source.{ident(key)} = {record}.{ident(key)}" for key in self.key)

    def differs(self, one: str, other: str, indent: int = 0) -> str:
        """Whether moved columns differ, byte by byte: that holds for types without equality too."""
        rows = [image(self.moved, before) for before in (one, other)]
        return f"\n{' ' * indent}*<> ".join(rows)

    def final_name(self, name: str) -> str:
        """What a constraint or index is called on the part: after the part, if after the table."""
        prefix = self.source.name + "_"
        return named(self.table.name, name[len(prefix) :]) if name.startswith(prefix) else name

    def index_name(self, name: str) -> str:
        """Its name while the table's own still bears the name that it is to have."""
        final = self.final_name(name)
        return named(final, "next") if final == name else final


def index_on(index: Index, name: str, table: RelationName) -> str:
    """The CREATE INDEX of the same index on another table."""
    match = _INDEX.fullmatch(index.definition)
    if match is None:
        raise UnableError(
            f"{index.name} belongs to an exclusion constraint, which cannot move",
            "drop it in an earlier release, and make it again on the part after the contract",
        )
    unique = "UNIQUE " if match["unique"] else ""
    return f"CREATE {unique}INDEX {ident(name)} ON {relation(table)} {match['rest']};"


def reference_names(table: RelationName, key: Iterable[str], rename: tuple[str, ...]) -> list[str]:
    """What a part calls the columns of its table's key."""
    return list(rename) or [named(table.name, column) for column in key]


def walk_key(table: TableSchema) -> str:
    """The column that a migration walks the table by: one that is unique and never NULL."""
    for key in sorted(table.keys, key=lambda key: not key.primary):
        column = table.column(key.columns[0])
        single = len(key.columns) == 1 and not key.deferrable
        if column and single and (key.primary or column.not_null):
            return column.name
    raise UnableError(
        f"{table.name} has no unique column that is NOT NULL, and the migration needs one to walk"
        " the table by",
        "add such a column, an identity for example, in an earlier release",
    )
