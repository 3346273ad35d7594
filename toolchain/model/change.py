"""Schema changes: named refactorings that live through phases."""

from dataclasses import dataclass, field
from enum import Enum

from toolchain.model.origin import Origin
from toolchain.model.refactoring import Refactoring, Strategy


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
    step's statements see the batch as `$1` and `$2`, its first and last key, both inclusive. The
    first `begin` of them run once instead, before the walk, and the last `finish` once after it.
    """

    table: str
    key: str
    begin: int = 0
    finish: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """SQL in a file of the product, by its path there; or text that was generated, by a name."""

    name: str
    text: str | None = None

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One phase of one change, as one release carries it.

    With `transaction` false the SQL is one statement that PostgreSQL refuses inside a transaction
    block, such as CREATE INDEX CONCURRENTLY. With `readies` false the new form does not wait for
    this step: a migration that only moves what servers see as moved already. `two_forms` is false
    for a change whose forms no server can tell apart. `refactoring` is what the SQL was generated
    from, None where a person wrote it; `strategy` is how both forms live, and `why` so.
    """

    change: str
    phase: Phase
    sql: Script
    undo: Script | None = None
    transaction: bool = True
    batch: Batch | None = None
    readies: bool = True
    two_forms: bool = True
    refactoring: Refactoring | None = None
    strategy: Strategy | None = None
    why: str = ""
    origin: Origin = field(compare=False)

    @property
    def id(self) -> str:
        """The name under which a shard's ledger knows this step: `split-host.expand`."""
        return f"{self.change}.{self.phase.value}"
