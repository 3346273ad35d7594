"""One file, written whole or not at all."""

import os
import stat
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the place and rename into it; raises OSError and then leaves nothing behind.

    A link stays a link. A pipe or a device is written to: a rename would replace `/dev/null`.
    """
    if is_special(path):
        with path.open("wb") as file:
            file.write(content)
        return
    path = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    staged = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
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
