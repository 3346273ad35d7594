"""What a rehearsal measures: states of a shard, and what each server met there."""

from dataclasses import dataclass
from enum import Enum

from toolchain.model.law import ShardHandshake
from toolchain.model.statement import Statement
from toolchain.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A shard right after an action of the runner.

    `way` names the releases' way there where it is not that of the main line. `ends` says that the
    release is through; any other state is a half-way one.
    """

    release: Version
    action: str
    shard: ShardHandshake
    ends: bool
    way: str = ""

    def __str__(self) -> str:
        where = f"{self.release}" if self.ends else f"{self.release} half-way, after {self.action}"
        return f"{where} ({self.way})" if self.way else where


# How the name of a difference begins that is about the order of a table's columns.
ORDER = "order of columns of "


class Means(Enum):
    """By what a server was tried."""

    PREPARE = "prepare"
    SAMPLE = "sample"
    SEED = "seed"
    PROBE = "probe"
    EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a server saw of another's write, which is one of the writer's statements `wrote`.

    `expected` and `found` are rows, spelled. After the statements `own` of the server's release
    it would have been seen as expected; without any, the writer itself sees it so.
    """

    writer: Version
    wrote: tuple[str, ...]
    expected: str
    found: str
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What PostgreSQL answered to a statement, or a probe to Interlock; `statement` is None there.

    `code` is the SQLSTATE, or a probe's exit code, `detail` what PostgreSQL adds: often a row. With
    an `exchange` the statement worked, and saw something else than it should.
    """

    means: Means
    statement: Statement | None
    code: str
    message: str
    detail: str = ""
    exchange: Exchange | None = None

    @property
    def name(self) -> str:
        """The statement's name."""
        return self.statement.name if self.statement else "the probe"

    @property
    def told_as(self) -> tuple[str, ...]:
        """What is equal for failures of one server that are one, whatever their rows hold."""
        if self.exchange is not None:
            return (self.name, str(self.exchange.writer), *self.exchange.wrote)
        return (self.name, self.code, self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One server at one state; `declared` is the law's word.

    `failures` is None where there was nothing to try the server with.
    """

    server: Version
    state: State
    declared: bool
    failures: tuple[Failure, ...] | None

    @property
    def works(self) -> bool:
        """Whether all that was tried worked."""
        return self.failures == ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDifference:
    """One object that differs between an upgraded and a fresh install; None where it is not."""

    name: str
    upgraded: str | None
    fresh: str | None

    @property
    def is_order(self) -> bool:
        """Whether it is the order of columns alone, which no statement with their names notices."""
        return self.name.startswith(ORDER)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaComparison:
    """A release reached in two ways; `way` is the releases that the upgraded shard went through."""

    release: Version
    way: tuple[Version, ...]
    differences: tuple[SchemaDifference, ...]

    @property
    def order_alone(self) -> bool:
        """Whether the order of columns is all that differs."""
        return all(difference.is_order for difference in self.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A walk that could not go on: why, in the runner's words if it was the runner, and where."""

    release: Version
    way: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that a rehearsal found out; `postgresql` is the version, `source` where it is from."""

    postgresql: str
    source: str
    states: tuple[State, ...]
    cells: tuple[Cell, ...]
    comparisons: tuple[SchemaComparison, ...]
    broken: tuple[Broken, ...]
