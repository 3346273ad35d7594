"""Settings: two INI files, read once, refused with a sentence that names the file."""

from __future__ import annotations

import configparser
import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

CONFIG = "/etc/fleetdesk/fleetdesk.ini"
SHARDS = "/etc/fleetdesk-server/shards.ini"
LEVELS = ("debug", "info", "warning", "error")


class ConfigError(Exception):
    """A settings file is missing, unreadable or wrong; the message is for the operator."""


@dataclass(frozen=True)
class Settings:
    """What fleetdesk.ini says; times are seconds."""

    address: str = "127.0.0.1"
    port: int = 8080
    poll_seconds: float = 1.0
    patience_seconds: float = 10.0
    log_level: str = "info"

    def __post_init__(self) -> None:
        if not self.address:
            raise ConfigError("[web] address is empty")
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"[web] port is {self.port}, and ports end at 65535")
        if not 0.01 <= self.poll_seconds <= 3600:
            raise ConfigError("[worker] poll_seconds lies between 0.01 and 3600")
        if not 0 <= self.patience_seconds <= 3600:
            raise ConfigError("[shards] patience_seconds lies between 0 and 3600")
        if self.log_level not in LEVELS:
            raise ConfigError(f"[log] level is {self.log_level!r}, not one of {', '.join(LEVELS)}")


def _text(path: str, *, private: bool = False) -> str:
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            if private and os.fstat(file.fileno()).st_mode & stat.S_IROTH:
                raise ConfigError(
                    f"{path} holds a password and every user can read it;"
                    f" run: chmod 0640 {path} and chgrp fleetdesk {path}"
                )
            return file.read()
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist") from None
    except OSError as problem:
        raise ConfigError(f"{path} cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text") from None


def _sections(path: str) -> configparser.RawConfigParser:
    # Raw: a connection string may hold a '%'. [*] holds for every section.
    parser = configparser.RawConfigParser(
        default_section="*", delimiters=("=",), comment_prefixes=("#", ";")
    )
    try:
        parser.read_string(_text(path))
    except configparser.Error as problem:
        line = getattr(problem, "lineno", None) or getattr(problem, "errors", [(None,)])[0][0]
        # Never the line itself, which may hold a password.
        where = f"{path}, line {line}" if line else path
        raise ConfigError(f"{where}: {type(problem).__name__} in an INI file") from None
    return parser


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"{where} is {text!r}, which is not a number")
    return number


def _whole(text: str, where: str) -> int:
    number = _number(text, where)
    if number != int(number):
        raise ConfigError(f"{where} is {text!r}, which is not a whole number")
    return int(number)


def read_settings(path: str) -> Settings:
    """Read fleetdesk.ini; what it leaves out has the default. Raises ConfigError."""
    parser = _sections(path)
    known = {
        "web": ("address", "port"),
        "worker": ("poll_seconds",),
        "shards": ("patience_seconds",),
        "log": ("level",),
    }
    for section in parser.sections():
        for key in parser[section]:
            if key not in known.get(section, ()):
                raise ConfigError(f"{path}: nothing is known of {key!r} in [{section}]")
    default = Settings()
    try:
        return Settings(
            address=parser.get("web", "address", fallback=default.address).strip(),
            port=_whole(parser.get("web", "port", fallback=str(default.port)), "[web] port"),
            poll_seconds=_number(
                parser.get("worker", "poll_seconds", fallback=str(default.poll_seconds)),
                "[worker] poll_seconds",
            ),
            patience_seconds=_number(
                parser.get("shards", "patience_seconds", fallback=str(default.patience_seconds)),
                "[shards] patience_seconds",
            ),
            log_level=parser.get("log", "level", fallback=default.log_level).strip().lower(),
        )
    except ConfigError as problem:
        raise ConfigError(f"{path}: {problem}") from None


def read_shards(path: str) -> dict[str, str]:
    """Read shards.ini: a section for each shard, in it a `dsn` or a `service`. Raises ConfigError.

    A password may stand in a file of its own, `password_file`. All other keys are for the programs
    of the database package, which reads the same format.
    """
    parser = _sections(path)
    shards = {}
    for name in parser.sections():
        section = parser[name]
        dsn, service, password_file = (
            section.get(key, "").strip() for key in ("dsn", "service", "password_file")
        )
        if bool(dsn) == bool(service):
            raise ConfigError(f"{path}: [{name}] needs either a dsn or a service")
        try:
            parts = parse_dsn(dsn) if dsn else {"service": service}
        except psycopg2.ProgrammingError:  # its message may quote the password
            raise ConfigError(f"{path}: the dsn of [{name}] is not a connection string") from None
        if "password" in parts:
            _text(path, private=True)
        elif password_file:
            secret = _text(str(Path(path).parent / password_file), private=True)
            parts["password"] = secret.rstrip("\r\n")
        shards[name] = make_dsn(**parts)
    if not shards:
        raise ConfigError(f"{path} names no shard; write [NAME] and below it dsn = …")
    return shards
