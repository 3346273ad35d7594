"""A database's schema, as far as the SQL of a chain tells it: what refactorings start from.

Expressions and types are SQL text, as PostgreSQL's parser spells them back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from toolchain.model.relation_name import RelationName


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; `identity` is `always`, `by default` or None, `generated` an expression.

    `default` is None where the column has none; a serial column's calls nextval.
    """

    name: str
    type: str
    not_null: bool = False
    default: str | None = None
    identity: str | None = None
    generated: str | None = None
    collation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A primary key or a unique constraint."""

    name: str
    columns: tuple[str, ...]
    primary: bool = False
    deferrable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check constraint, and the columns of the table that it reads."""

    name: str
    expression: str
    columns: frozenset[str]
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A reference; `on_delete` and `on_update` are as SQL has them, in small letters."""

    name: str
    columns: tuple[str, ...]
    table: RelationName
    references: tuple[str, ...]
    on_delete: str = "no action"
    on_update: str = "no action"
    deferrable: bool = False
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index that no constraint owns; `columns` are all that it reads, predicate included.

    `definition` is the whole CREATE INDEX.
    """

    name: RelationName
    columns: tuple[str, ...]
    definition: str
    unique: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A trigger; `events` holds insert, update, delete and truncate, `columns` those of UPDATE OF.

    `timing` is before, after or instead of.
    """

    name: str
    timing: str
    events: frozenset[str]
    each_row: bool
    columns: tuple[str, ...] = ()
    function: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """A table; `views` read it, `publications` publish it by name, `policies` limit its rows.

    `children` is True for a table that is partitioned, a partition, or has to do with inheritance.
    """

    name: RelationName
    columns: tuple[Column, ...] = ()
    keys: tuple[Key, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    policies: tuple[str, ...] = ()
    row_security: bool = False
    rules: tuple[str, ...] = ()
    views: tuple[RelationName, ...] = ()
    publications: tuple[str, ...] = ()
    children: bool = False

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def primary_key(self) -> Key | None:
        """The primary key, where there is one."""
        return next((key for key in self.keys if key.primary), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Everything that the chain's SQL has made so far.

    `enums` maps a type to its labels in order; `views` are those whose definition is known;
    `whole_publications` name those FOR ALL TABLES or for a whole schema.
    """

    tables: Mapping[RelationName, TableSchema] = field(default_factory=dict)
    views: frozenset[RelationName] = frozenset()
    sequences: frozenset[RelationName] = frozenset()
    enums: Mapping[RelationName, tuple[str, ...]] = field(default_factory=dict)
    whole_publications: tuple[str, ...] = ()

    def referencing(self, table: RelationName) -> tuple[tuple[RelationName, ForeignKey], ...]:
        """Every foreign key that points at a table, with the table that holds it."""
        return tuple(
            (name, foreign)
            for name, each in self.tables.items()
            for foreign in each.foreign_keys
            if foreign.table == table
        )
