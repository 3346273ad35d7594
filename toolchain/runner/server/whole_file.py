"""A small file that is there whole or not at all: written beside its place, then renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Put a text in the place of what is there; raises OSError, and then leaves nothing beside."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    beside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
        beside.replace(path)
    except BaseException:
        # A full disk fails every two minutes, for as long as nobody looks.
        beside.unlink(missing_ok=True)
        raise
