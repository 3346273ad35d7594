"""The options of a shards file: one table that reads, defaults and explains each of them."""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from .duration import parse_duration


@dataclass(frozen=True)
class Settings:
    """How to treat one shard; durations in seconds, None where a limit is off."""

    lock_timeout: float = 1.0
    lock_patience: float = 60.0
    batch_time: float = 0.1
    batch_pause: float = 0.0
    max_rate: int | None = None
    replication_lag_limit: float | None = 10.0
    replication_bytes_limit: int | None = 256 * 1024 * 1024
    long_transaction_limit: float | None = None
    connection_reserve: int = 3
    connect_timeout: float = 10.0
    reconnect_patience: float = 120.0
    server_roles: tuple[str, ...] = ()
    roll_call: float | None = 180.0
    expires: float = 600.0
    refresh: float = 120.0
    unreachable: str = "refuse"
    last_known_age: float = 86400.0


class Reader(Enum):
    """Whose runner reads an option. Either accepts the other's, so that one file may serve both."""

    DATABASE = "database"
    SERVER = "server"


@dataclass(frozen=True)
class Option:
    """One option: how to read it, its default as text, what it means, and whom it concerns."""

    read: Callable[[str], object]
    default: str
    meaning: str
    readers: tuple[Reader, ...] = (Reader.DATABASE,)


def _between(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        seconds = parse_duration(text)
        if not low <= seconds <= high:
            raise ValueError(f"{text!r} is out of range: {low:g}s to {high:g}s")
        return seconds

    return read


def _or_off(read: Callable[[str], object]) -> Callable[[str], object]:
    return lambda text: None if text == "off" else read(text)


def _count(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text) is None:
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def _rate(text: str) -> int:
    count = _count(text)
    if count == 0:
        raise ValueError("a rate of 0 would never end: write 'off' for no limit")
    return count


def _bytes(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,6}) ?(kB|MB|GB)", text)
    if match is None:
        raise ValueError(f"{text!r} is not a size: write it like 256MB or 1GB")
    return int(match[1]) * {"kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}[match[2]]


def _roles(text: str) -> tuple[str, ...]:
    roles = tuple(role.strip() for role in text.split(",") if role.strip())
    for role in roles:
        if len(role.encode()) > 63 or not role.isprintable():
            raise ValueError(f"{role!r} is not the name of a role")
    return roles


def _choice(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is neither {' nor '.join(choices)}")
        return text

    return read


_BOTH = (Reader.DATABASE, Reader.SERVER)
_SERVER = (Reader.SERVER,)

OPTIONS: Mapping[str, Option] = {
    "lock_timeout": Option(
        _between(0.01, 60),
        "1s",
        "How long a statement waits for a lock. While a DDL step waits, the application queues"
        " behind it, and so for no longer than this.",
        _BOTH,
    ),
    "lock_patience": Option(
        _between(0, 86400),
        "1min",
        "For how long such tries are repeated before the step gives up and names the blocker.",
    ),
    "batch_time": Option(
        _between(0.01, 60),
        "100ms",
        "How long one batch of a migrate step should take; the number of rows adapts to it.",
    ),
    "batch_pause": Option(_between(0, 60), "0ms", "A rest after each batch."),
    "max_rate": Option(_or_off(_rate), "off", "The most rows a second of a migrate step, or off."),
    "replication_lag_limit": Option(
        _or_off(_between(0.1, 86400)),
        "10s",
        "Migrate steps pause while a standby replays later than this, or off. To see standbys"
        " the role needs pg_monitor.",
    ),
    "replication_bytes_limit": Option(
        _or_off(_bytes), "256MB", "The same, for WAL that a standby has still to replay, or off."
    ),
    "long_transaction_limit": Option(
        _or_off(_between(1, 864000)),
        "off",
        "Migrate steps pause while another transaction is older than this, because vacuum cannot"
        " clean up behind them, or off.",
    ),
    "connection_reserve": Option(
        _count, "3", "Migrate steps pause while fewer connections than this are free."
    ),
    "connect_timeout": Option(_between(2, 300), "10s", "How long to wait for a connection.", _BOTH),
    "reconnect_patience": Option(
        _between(0, 86400),
        "2min",
        "For how long to try again when PostgreSQL restarts, fails over or has no room left.",
    ),
    "server_roles": Option(
        _roles,
        "",
        "The roles, separated by commas, by which servers connect; they are granted the start-up"
        " check and nothing else.",
    ),
    "roll_call": Option(
        _or_off(_between(5, 86400)),
        "3min",
        "How long a contract or an undo waits after a registration may have been lost, so that each"
        " server that runs has refreshed its own: after a failover, a restore or a start of"
        " PostgreSQL, after 'retire --force', after one that another boot took over. It must be"
        " longer than the servers' refresh, or off; where refresh is given here, half as long again"
        " is the default.",
    ),
    "expires": Option(
        _between(30, 2592000),
        "10min",
        "How long a registration counts as live after it was refreshed last.",
        _SERVER,
    ),
    "refresh": Option(
        _between(5, 864000), "2min", "How often a registration is refreshed.", _SERVER
    ),
    "unreachable": Option(
        _choice("refuse", "last-known"),
        "refuse",
        "What the start-up check does when the shard does not answer: refuse, or judge by the"
        " last answer.",
        _SERVER,
    ),
    "last_known_age": Option(
        _between(60, 2592000), "1d", "How old that last answer may be.", _SERVER
    ),
}


def read_settings(texts: Mapping[str, str]) -> Settings:
    """Settings from option texts; raises ValueError that begins with the option's name."""
    values: dict[str, Any] = {}
    for name, text in texts.items():
        try:
            values[name] = OPTIONS[name].read(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    if "refresh" in values:
        values.setdefault("roll_call", 1.5 * values["refresh"])
    settings = Settings(**values)
    if settings.refresh * 2 > settings.expires:
        raise ValueError("refresh: it must be at most half of expires")
    if settings.roll_call is not None and settings.roll_call <= settings.refresh:
        raise ValueError("roll_call: it must be longer than refresh, or off")
    return settings


def shards_parser() -> configparser.ConfigParser:
    """The grammar of a shards file: a section for each shard, `[*]` for what all of them share."""
    return configparser.ConfigParser(
        default_section="*",
        delimiters=("=",),
        comment_prefixes=("#", ";"),
        interpolation=None,
        strict=True,
        empty_lines_in_values=False,
    )


CONNECTION_NAMES = ("dsn", "service", "password_file")
SETTING_NAMES = tuple(field.name for field in fields(Settings))
