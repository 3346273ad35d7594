"""Files that hold or lead to secrets: opened once, refused when others could read or write them."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from .errors import ConfigurationError

_LARGEST = 1024 * 1024


def read_guarded(path: Path, description: str, *, secret: bool) -> str:
    """Read a file of at most 1 MiB that only its owner and root may write.

    With `secret`, nobody outside its owner and group may read it either. The mode is asked of
    the opened file, so that nothing can be exchanged in between. Raises ConfigurationError with
    the right mode.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the {description} {path}: {error.strerror}"
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"the {description} {path} is not a regular file")
    check_mode(path, description, status, secret=secret)
    if len(content) > _LARGEST:
        raise ConfigurationError(f"the {description} {path} is larger than 1 MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"the {description} {path} is not UTF-8") from error


def check_mode(path: Path, description: str, status: os.stat_result, *, secret: bool) -> None:
    """Refuse an owner or a mode that lets others in; raises ConfigurationError."""
    if status.st_uid not in {0, os.geteuid()}:
        raise ConfigurationError(
            f"the {description} {path} belongs to user {status.st_uid}", f"run: chown root {path}"
        )
    mode = stat.S_IMODE(status.st_mode)
    foreign_group = status.st_gid not in {0, os.getegid()}
    writable = stat.S_IWOTH | (stat.S_IWGRP if foreign_group else 0)
    right = "0640" if secret else "0644"
    if mode & writable:
        raise ConfigurationError(
            f"the {description} {path} is writable by others (mode {mode:04o})",
            f"run: chmod {right} {path}",
        )
    if secret and mode & (stat.S_IROTH | stat.S_IXOTH):
        raise ConfigurationError(
            f"the {description} {path} holds a password and is readable by others"
            f" (mode {mode:04o})",
            f"run: chmod {right} {path}",
        )


def holds_password(parameters: Mapping[str, str]) -> bool:
    """Whether libpq's parameters are a secret by themselves."""
    return any("password" in key and key != "passfile" for key in parameters)


def read_password(file: Path, cure: str = "") -> str:
    """The password that is the one line of a file; raises ConfigurationError."""
    password = read_guarded(file, "password file", secret=True).rstrip("\r\n")
    if not password or "\n" in password or "\0" in password:
        raise ConfigurationError(f"the password file {file} must hold one line, the password", cure)
    return password
