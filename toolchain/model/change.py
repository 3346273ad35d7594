"""Schema changes: named refactorings that live through phases."""

from dataclasses import dataclass, field
from enum import Enum

from toolchain.model.origin import Origin


class Phase(Enum):
    """Expand adds the new form, migrate moves data, contract removes the old form."""

    EXPAND = "expand"
    MIGRATE = "migrate"
    CONTRACT = "contract"


class Form(Enum):
    """What a server uses of a change: the old form alone, the new one alone, or either."""

    OLD = "old"
    NEW = "new"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How a migrate step walks a table: in key order, each batch and its cursor one transaction.

    `table` is `name` or `schema.name`; `key` is one column with a unique, NOT NULL index. The
    step's statements see the batch as `$1` and `$2`, its first and last key, both inclusive.
    """

    table: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSql:
    """Hand-written SQL; paths are relative to the product's directory.

    With `transaction` false the file holds one statement that PostgreSQL refuses inside a
    transaction block, such as CREATE INDEX CONCURRENTLY.
    """

    sql: str
    undo: str | None = None
    transaction: bool = True


# A declared refactoring (a table split, say) becomes one more member of this union.
Operation = RawSql


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One phase of one change, as one release carries it."""

    change: str
    phase: Phase
    operation: Operation
    batch: Batch | None = None
    origin: Origin = field(compare=False)

    @property
    def id(self) -> str:
        """The name under which a shard's ledger knows this step: `split-host.expand`."""
        return f"{self.change}.{self.phase.value}"
