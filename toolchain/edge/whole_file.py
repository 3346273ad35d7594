"""One file, written whole or not at all."""

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the place and rename into it; raises OSError and then leaves nothing behind."""
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
