"""The shards file: which databases there are, how to reach them, how to treat them."""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import ConfigurationError, UsageError
from .options import CONNECTION_NAMES, SETTING_NAMES, Settings, read_settings, shards_parser
from .permissions import holds_password, read_guarded, read_password
from .slip import meant

# Reads a libpq connection string; raises ValueError where the text is none.
DsnParser = Callable[[str], Mapping[str, str]]
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


class NoShards(ConfigurationError):
    """The shards file is the example that the package brought, and names none yet."""


@dataclass(frozen=True)
class Shard:
    """One database: its name in messages, libpq's parameters, and its settings."""

    name: str
    parameters: Mapping[str, str] = field(repr=False)
    settings: Settings


def psycopg2_dsn(text: str) -> Mapping[str, str]:
    """What libpq makes of a connection string; raises ValueError where it is none."""
    # Here, since the toolchain reads the same file and brings another library for PostgreSQL.
    from psycopg2 import Error  # noqa: PLC0415
    from psycopg2.extensions import parse_dsn  # noqa: PLC0415

    try:
        return dict(parse_dsn(text))
    except Error as error:
        raise ValueError("not a connection string") from error


def read_shards(path: Path, parse_dsn: DsnParser = psycopg2_dsn) -> tuple[Shard, ...]:
    """Read a shards file; raises ConfigurationError with one sentence for the first problem."""
    text = read_guarded(path, "configuration", secret=False)
    parser = shards_parser()
    try:
        parser.read_string(text, source=str(path))
    except configparser.Error as error:
        raise ConfigurationError(f"{path}: {_parse_problem(error)}") from error
    if not parser.sections():
        raise NoShards(f"{path} names no shard", "add a section such as [north]")
    for name in CONNECTION_NAMES:
        if name in parser.defaults() and name != "password_file":
            raise ConfigurationError(
                f"{path} [*]: {name} belongs to one shard", "move it to the shard's section"
            )
    shards = tuple(_shard(path, name, dict(parser[name]), parse_dsn) for name in parser.sections())
    if any(holds_password(shard.parameters) for shard in shards):
        read_guarded(path, "configuration", secret=True)
    return tuple(_with_password(path, shard, parser[shard.name]) for shard in shards)


def select_shards(shards: Sequence[Shard], names: Sequence[str]) -> tuple[Shard, ...]:
    """The shards named, or all; raises UsageError for a name that is not configured."""
    known = {shard.name: shard for shard in shards}
    for name in names:
        if name not in known:
            raise UsageError(
                f"there is no shard {name!r} in the configuration",
                meant(name, known, f"there are {', '.join(known)}"[:200]),
            )
    return tuple(shards) if not names else tuple(known[name] for name in dict.fromkeys(names))


def _parse_problem(error: configparser.Error) -> str:
    """What is wrong, without the line's text, which may hold a password."""
    if isinstance(error, configparser.DuplicateSectionError):
        return f"line {error.lineno}: the section [{error.section}] stands there twice"
    if isinstance(error, configparser.DuplicateOptionError):
        return f"line {error.lineno}: {error.option!r} stands twice in [{error.section}]"
    if isinstance(error, configparser.MissingSectionHeaderError):
        return f"line {error.lineno}: a section such as [north] must come first"
    if isinstance(error, configparser.ParsingError) and error.errors:
        return f"line {error.errors[0][0]} is neither a section, an option nor a comment"
    return "it is not a file of sections and options"


def _shard(path: Path, name: str, texts: dict[str, str], parse_dsn: DsnParser) -> Shard:
    where = f"{path} [{name}]"
    if _NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"{path}: {name[:60]!r} is not the name of a shard",
            "use up to 40 lower-case letters, digits and dashes",
        )
    for key, text in texts.items():
        if key not in (*CONNECTION_NAMES, *SETTING_NAMES):
            raise ConfigurationError(
                f"{where}: there is no option {key[:60]!r}",
                meant(key, (*CONNECTION_NAMES, *SETTING_NAMES), "delete it"),
            )
        if "\n" in text or not text.isprintable():
            raise ConfigurationError(f"{where}: {key} must stand on one line", "join its lines")
    try:
        settings = read_settings({key: texts[key] for key in texts if key not in CONNECTION_NAMES})
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    return Shard(name, _parameters(where, texts, parse_dsn), settings)


def _parameters(where: str, texts: Mapping[str, str], parse_dsn: DsnParser) -> Mapping[str, str]:
    if bool(texts.get("dsn")) == bool(texts.get("service")):
        raise ConfigurationError(f"{where} needs either a dsn or a service", "give one of the two")
    if texts.get("service"):
        return {"service": texts["service"]}
    try:
        return parse_dsn(texts["dsn"])
    except ValueError:
        # libpq's message quotes the text, and the text may hold the password.
        raise ConfigurationError(
            f"{where}: the dsn is not a connection string",
            "write it like host=db1 dbname=app user=app",
        ) from None


def _with_password(path: Path, shard: Shard, texts: Mapping[str, str]) -> Shard:
    if "password_file" not in texts:
        return shard
    file = path.parent / texts["password_file"]
    if "password" in shard.parameters:
        raise ConfigurationError(
            f"{path} [{shard.name}]: the password stands in two places",
            "take it out of the dsn",
        )
    password = read_password(file)
    return Shard(shard.name, {**shard.parameters, "password": password}, shard.settings)
