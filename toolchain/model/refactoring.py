"""Declared refactorings: what a developer says of a schema change, instead of writing its SQL.

Column and table names are as PostgreSQL stores them. Expressions are SQL over the columns of the
same row, by their plain names.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from toolchain.model.relation_name import RelationName


class Strategy(Enum):
    """How the two forms of a change live side by side."""

    VIEW = "view"  # one truth: the other form is a view of it
    COPY = "copy"  # two physical forms, kept equal by triggers
    ROW = "row"  # both forms in one row, kept equal by a trigger before it is written
    CATALOG = "catalog"  # no second form: only the catalogue changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table that columns move to. Without `key` each row has one part at most, of the same key.

    With `key` the part has one row for each value of those columns, which stay behind as its
    reference. `rename` says how the part calls the key's columns, where not by their own names or,
    for a part of the same key, TABLE_COLUMN.
    """

    table: RelationName
    columns: tuple[str, ...]
    key: tuple[str, ...] = ()
    rename: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitTable:
    """Move columns of a table to one or several new tables."""

    table: RelationName
    into: tuple[Part, ...]
    strategy: Strategy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeTables:
    """Move all columns of tables, whose primary key refers to `into`, back into that table."""

    tables: tuple[RelationName, ...]
    into: RelationName


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveColumns:
    """Move columns along the foreign key `along` of `table`, to the table that it refers to."""

    table: RelationName
    columns: tuple[str, ...]
    along: tuple[str, ...]
    to: RelationName


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameTable:
    """Give a table another name, in the same schema."""

    table: RelationName
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameColumn:
    """Give a column another name."""

    table: RelationName
    column: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewColumn:
    """A column of the new form: its type, and its value by the old columns."""

    name: str
    type: str
    value: str
    not_null: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OldColumn:
    """A column of the old form, and its value by the new columns."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeColumns:
    """Say the same in other columns: another type, another unit, one column as two."""

    table: RelationName
    old: tuple[OldColumn, ...]
    new: tuple[NewColumn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddColumn:
    """A new column; `value` computes it by the others where a server does not write it."""

    table: RelationName
    column: str
    type: str
    value: str | None = None
    default: str | None = None
    not_null: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNotNull:
    """Make a column NOT NULL; `fill` is written where old servers, or old rows, have nothing."""

    table: RelationName
    column: str
    fill: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DropColumn:
    """Remove a column; `value` is what servers that still read it find in rows of new servers."""

    table: RelationName
    column: str
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractLookup:
    """Move a column's values to a table of their own; rows refer to them by number.

    The lookup table has the columns `key` (bigint, an identity) and `label` (the column's type,
    unique); the column's table gets `reference`.
    """

    table: RelationName
    column: str
    into: RelationName
    reference: str
    key: str = "id"
    label: str = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTable:
    """Remove a table that new servers do not use."""

    table: RelationName


@dataclass(frozen=True, slots=True, kw_only=True)
class AddConstraint:
    """Add one constraint: a check, a unique constraint or a foreign key."""

    table: RelationName
    name: str
    check: str | None = None
    unique: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    references: RelationName | None = None
    referenced: tuple[str, ...] = ()
    on_delete: str = "no action"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropConstraint:
    """Remove a constraint, a foreign key too."""

    table: RelationName
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddIndex:
    """Add an index, built beside writers; `on` are columns or expressions in parentheses."""

    table: RelationName
    name: str
    on: tuple[str, ...]
    using: str = "btree"
    unique: bool = False
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropIndex:
    """Remove an index that servers can do without."""

    index: RelationName


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDefault:
    """Give a column a default; None takes it away."""

    table: RelationName
    column: str
    default: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEnumValue:
    """Add a label to an enum type, at its end or before or after another."""

    type: RelationName
    value: str
    before: str | None = None
    after: str | None = None


Refactoring: TypeAlias = (
    SplitTable | MergeTables | MoveColumns | RenameTable | RenameColumn | ChangeColumns | AddColumn
    | SetNotNull | DropColumn | ExtractLookup | DropTable | AddConstraint | DropConstraint
    | AddIndex | DropIndex | SetDefault | AddEnumValue
)  # fmt: skip
