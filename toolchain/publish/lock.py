"""One publisher at a time."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.errors import OutputError


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the publisher's lock; raises OutputError with the holder's name where another has it.

    The kernel lets go of it when its holder ends, however that ends.
    """
    with (directory / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise OutputError(
                f"{holder} is publishing to {directory.parent}", "wait until it is done"
            ) from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        lock.flush()
        try:
            yield
        finally:
            # Closing alone would leave it to a child that another thread is just starting.
            fcntl.flock(lock, fcntl.LOCK_UN)
