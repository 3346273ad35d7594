"""What a server says to its database, as its release declares it: statements and a probe."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from toolchain.model.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A value that an earlier statement of the same server has returned in its first row."""

    statement: str
    column: str


# Text as libpq takes it, or NULL, or what came back before.
Value = str | Earlier | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a server.

    `sql` has its parameters as `$1`, `$2` …, `text` is as its author wrote it. A sample has one
    value for each parameter, in order; so has a seed, whose effect stays on the rehearsed shard.
    """

    name: str
    sql: str
    text: str
    parameters: int = 0
    samples: Sequence[Sequence[Value]] = ()
    seeds: Sequence[Sequence[Value]] = ()
    origin: Origin = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A program that says by its exit code whether this server works on a database.

    `command` is run without a shell in `directory`, which is relative to the product's own;
    `timeout` is in seconds.
    """

    command: tuple[str, ...]
    directory: str
    timeout: int
    origin: Origin = field(compare=False)
