"""A file of another's making, read whole if it is one and small enough."""

import os
import stat
from pathlib import Path


def read_small(path: Path, longest: int) -> bytes:
    """The content of a regular file of at most `longest` bytes; never waits for a pipe.

    Raises OSError where it can't be read, ValueError with the reason where it won't be.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("is no regular file")
        content = file.read(longest + 1)
    if len(content) > longest:
        raise ValueError(f"is larger than {longest >> 20} MiB")
    return content
