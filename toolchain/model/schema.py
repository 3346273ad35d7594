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
    """A primary key or a unique constraint; `included` are columns that its index only holds."""

    name: str
    columns: tuple[str, ...]
    primary: bool = False
    deferrable: bool = False
    included: tuple[str, ...] = ()
    nulls_distinct: bool = True

    @property
    def needs(self) -> tuple[str, ...]:
        """Every column without which the key is gone."""
        return (*self.columns, *self.included)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check constraint, and the columns of the table that it reads.

    One that is not `enforced` is never `valid`.
    """

    name: str
    expression: str
    columns: frozenset[str]
    valid: bool = True
    enforced: bool = True
    inherited: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A reference; `on_delete` and `on_update` are as SQL has them, in small letters.

    `emptied` are the columns of ON DELETE SET NULL (…), where not all are; `full` is MATCH FULL,
    `deferred` is INITIALLY DEFERRED. One that is not `enforced` is never `valid`.
    """

    name: str
    columns: tuple[str, ...]
    table: RelationName
    references: tuple[str, ...]
    on_delete: str = "no action"
    on_update: str = "no action"
    deferrable: bool = False
    valid: bool = True
    emptied: tuple[str, ...] = ()
    full: bool = False
    deferred: bool = False
    enforced: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index that no key owns; `columns` are all that it reads, predicate included.

    `definition` is the whole CREATE INDEX, or the ALTER TABLE of an exclusion constraint.
    """

    name: RelationName
    columns: tuple[str, ...]
    definition: str
    unique: bool = False

    @property
    def excludes(self) -> bool:
        """Whether this is an exclusion constraint, for which there is no other word here."""
        return self.definition.startswith("ALTER TABLE ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A trigger; `events` holds insert, update, delete and truncate, `columns` those of UPDATE OF.

    `timing` is before, after or instead of; `condition` are the columns that its WHEN reads.
    """

    name: str
    timing: str
    events: frozenset[str]
    each_row: bool
    columns: tuple[str, ...] = ()
    function: str = ""
    condition: frozenset[str] = frozenset()

    @property
    def needs(self) -> frozenset[str]:
        """The columns that cannot be dropped while the trigger is there."""
        return self.condition | frozenset(self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """A table; `views` read it, `publications` publish it by name, `policies` limit its rows.

    `children` is True for a table that is partitioned, a partition, or has to do with inheritance.
    With `row_security_forced` policies bind its owner too.
    `functions` read it in an SQL-standard body, which binds them as a view is bound; `published`
    are the columns that a publication names.
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
    row_security_forced: bool = False
    rules: tuple[str, ...] = ()
    views: tuple[RelationName, ...] = ()
    functions: tuple[RelationName, ...] = ()
    publications: tuple[str, ...] = ()
    published: frozenset[str] = frozenset()
    children: bool = False
    unlogged: bool = False

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

    `enums` maps a type to its labels in order, `types` every other one to its default (only a
    domain has one) or None; `views` are those whose definition is known;
    `whole_publications` name those FOR ALL TABLES or for a whole schema.
    """

    tables: Mapping[RelationName, TableSchema] = field(default_factory=dict)
    views: frozenset[RelationName] = frozenset()
    sequences: frozenset[RelationName] = frozenset()
    enums: Mapping[RelationName, tuple[str, ...]] = field(default_factory=dict)
    types: Mapping[RelationName, str | None] = field(default_factory=dict)
    whole_publications: tuple[str, ...] = ()

    def referencing(self, table: RelationName) -> tuple[tuple[RelationName, ForeignKey], ...]:
        """Every foreign key that points at a table, with the table that holds it."""
        return tuple(
            (name, foreign)
            for name, each in self.tables.items()
            for foreign in each.foreign_keys
            if foreign.table == table
        )
