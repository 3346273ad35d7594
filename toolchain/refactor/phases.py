"""What a refactoring becomes: SQL for each phase, and what servers must know of it."""

from dataclasses import dataclass
from enum import Enum

from toolchain.model.refactoring import Strategy
from toolchain.model.relation_name import RelationName


class UnableError(Exception):
    """A refactoring that cannot be done on this schema without breaking somebody.

    `cure` says what to write instead.
    """

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure


class Act(Enum):
    """What a server cannot do with a form while it is not the only one."""

    ON_CONFLICT = "on conflict"  # INSERT … ON CONFLICT
    ON_CONSTRAINT = "on constraint"  # INSERT … ON CONFLICT ON CONSTRAINT
    MERGE = "merge"
    TRUNCATE = "truncate"
    COPY = "copy"  # COPY … FROM
    COPY_OUT = "copy out"  # COPY … TO
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    LOCK = "lock"  # SELECT … FOR UPDATE and the like


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """An act that fails, or does something else, on a relation until the contract.

    With `columns` only a statement that writes one of them is meant. `why` is one sentence.
    """

    act: Act
    relation: RelationName
    why: str
    columns: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A walk over `table` by its one-column `key`, each batch a transaction.

    `begin` runs once in the transaction before the first batch, `finish` once in that of the last;
    either may be empty. `batch` sees its first and last key as $1 and $2. Without an `undo` the
    step is only forgotten.
    """

    table: RelationName
    key: str
    batch: str
    begin: str = ""
    finish: str = ""
    undo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expand:
    """The SQL that adds the new form, and the SQL that takes it away again.

    With `transaction` false it is one statement that PostgreSQL refuses inside a transaction.
    """

    sql: str
    undo: str | None
    transaction: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """All that is generated from one refactoring.

    `why` says in one sentence why the strategy is this one. With `ready_at_expand` servers may use
    the new form before the migration, which then only moves what is stored. `two_forms` is False
    where no server can tell the difference, as with an index.
    """

    strategy: Strategy
    why: str
    expand: Expand
    migrate: Migration | None = None
    contract: str | None = None
    ready_at_expand: bool = False
    two_forms: bool = True
    limits: tuple[Limit, ...] = ()
