"""The phase runner's own shards file, as far as a reader of ledgers needs it.

The same file serves both, under the same rules and with the same sentences. No secret ever stands
on a command line or in a message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.runner.core.config import read_shards
from toolchain.runner.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardAddress:
    """How to reach one shard; `parameters` are libpq's, secrets among them.

    `connect_timeout` is in seconds.
    """

    name: str
    parameters: Mapping[str, str] = field(repr=False)
    connect_timeout: float


def read_addresses(path: Path) -> tuple[ShardAddress, ...]:
    """The shards of a file; raises UsageError with one sentence for the first problem."""
    try:
        shards = read_shards(path, _parse_dsn)
    except ConfigurationError as error:
        raise UsageError(
            error.message, error.cure or f"mend {path}, or name another file"
        ) from error
    return tuple(
        ShardAddress(
            name=shard.name,
            parameters=shard.parameters,
            connect_timeout=shard.settings.connect_timeout,
        )
        for shard in shards
    )


def _parse_dsn(text: str) -> Mapping[str, str]:
    from psycopg import ProgrammingError  # noqa: PLC0415  (its import costs a fifth of a second)
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    try:
        return {key: str(value) for key, value in conninfo_to_dict(text).items()}
    except ProgrammingError as error:
        raise ValueError("not a connection string") from error
