"""Files whose time is over: old indexes after a grace, packages that no valid index names."""

import os
import shutil
from pathlib import Path

from toolchain.publish.state import State


def sweep(repository: Path, state: State, now: int) -> None:
    """Remove what is due, in seconds since 1970; whatever can't be removed is tried again."""
    for path in state.tasks.retired(now):
        target = repository / path
        try:
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            elif os.path.lexists(target):
                target.unlink()
        except OSError:
            continue
        state.tasks.unretire(path)
