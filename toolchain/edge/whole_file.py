"""One file, written whole or not at all."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the place and rename into it; raises OSError and then leaves nothing behind.

    A link stays a link. A pipe or a device is written to: a rename would replace `/dev/null`.
    """
    if is_special(path):
        with path.open("wb") as file:
            file.write(content)
        return
    with replacing(path.resolve()) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside the place, renamed into it once all is written; else nothing is left."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    staged = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        staged.chmod(0o666 & ~mask)
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


def is_special(path: Path) -> bool:
    """Whether something is there that is no file: nothing may be renamed into its place."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False
