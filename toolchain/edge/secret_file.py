"""Files that hold a secret: read once, refused when others could read or write them."""

import os
import stat
from pathlib import Path

from toolchain.errors import UsageError

_LARGEST_BYTES = 1 << 20


def read_secret(path: Path, description: str) -> bytes:
    """The content of a regular file of at most 1 MiB that its owner and group alone may read.

    The mode is asked of the opened file, so that nothing can be exchanged in between. Raises
    UsageError with the right mode.
    """
    try:
        # Without waiting for the other end, should it be a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UsageError(f"the {description} {path} is no regular file", "name a file")
            _check_mode(path, description, status)
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        absent = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise UsageError(
            f"cannot read the {description} {path}: {error.strerror}",
            "name one that is there" if absent else "make it readable to you",
        ) from error
    if len(content) > _LARGEST_BYTES:
        raise UsageError(f"the {description} {path} is larger than 1 MiB", "name the right file")
    return content


def _check_mode(path: Path, description: str, status: os.stat_result) -> None:
    if status.st_uid not in {0, os.geteuid()}:
        raise UsageError(
            f"the {description} {path} belongs to user {status.st_uid}",
            f"make it your own: chown {os.geteuid()} {path}",
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise UsageError(
            f"the {description} {path} is open to others (mode {mode:04o})",
            f"close it, and think of it as known to them: chmod 0600 {path}",
        )
