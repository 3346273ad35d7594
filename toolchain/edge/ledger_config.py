"""The phase runner's own shards file, as far as a reader of ledgers needs it.

The same file serves both, under the same rules: nobody else may write it, and nobody else may read
it once it holds a password. No secret ever stands on a command line or in a message.
"""

import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.runner.errors import ConfigurationError
from toolchain.runner.options import CONNECTION_NAMES, OPTIONS, SETTING_NAMES, shards_parser
from toolchain.runner.permissions import holds_password, read_guarded, read_password


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardAddress:
    """How to reach one shard; `parameters` are libpq's, secrets among them."""

    name: str
    parameters: Mapping[str, str] = field(repr=False)
    connect_timeout: float


def read_addresses(path: Path) -> tuple[ShardAddress, ...]:
    """The shards of a file; raises UsageError with one sentence for the first problem."""
    try:
        return _read(path)
    except ConfigurationError as error:
        raise UsageError(error.message, error.cure) from error


def _read(path: Path) -> tuple[ShardAddress, ...]:
    text = read_guarded(path, "configuration", secret=False)
    parser = shards_parser()
    try:
        parser.read_string(text, source=str(path))
    except configparser.Error:
        # The parser's own message quotes the line, and a line may hold a password.
        raise UsageError(
            f"{path} is not a file of sections and options",
            "the database package's 'status --config FILE' names the line",
        ) from None
    if not parser.sections():
        raise UsageError(f"{path} names no shard", "add a section such as [north]")
    addresses = tuple(_address(path, name, dict(parser[name])) for name in parser.sections())
    if any(holds_password(address.parameters) for address in addresses):
        read_guarded(path, "configuration", secret=True)
    return tuple(
        _with_password(path, address, parser[address.name].get("password_file", ""))
        for address in addresses
    )


def _address(path: Path, name: str, texts: Mapping[str, str]) -> ShardAddress:
    from psycopg import ProgrammingError  # noqa: PLC0415  (its import costs a fifth of a second)
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    where = f"{path} [{name}]"
    unknown = sorted(set(texts) - {*CONNECTION_NAMES, *SETTING_NAMES})
    if unknown:
        raise UsageError(f"{where}: there is no option {unknown[0][:60]!r}", "delete it")
    if bool(texts.get("dsn")) == bool(texts.get("service")):
        raise UsageError(f"{where} needs either a dsn or a service", "give one of the two")
    option = OPTIONS["connect_timeout"]
    try:
        seconds = option.read(texts.get("connect_timeout", option.default))
    except ValueError as error:
        raise UsageError(f"{where}: connect_timeout: {error}", "mend it") from error
    if texts.get("service"):
        parameters = {"service": texts["service"]}
    else:
        try:
            parameters = {key: str(value) for key, value in conninfo_to_dict(texts["dsn"]).items()}
        except ProgrammingError:
            raise UsageError(
                f"{where}: the dsn is not a connection string",
                "write it like host=db1 dbname=app user=app",
            ) from None
    return ShardAddress(name=name, parameters=parameters, connect_timeout=float(str(seconds)))


def _with_password(path: Path, address: ShardAddress, named: str) -> ShardAddress:
    if not named:
        return address
    password = read_password(path.parent / named, "write it there")
    return ShardAddress(
        name=address.name,
        parameters={**address.parameters, "password": password},
        connect_timeout=address.connect_timeout,
    )
