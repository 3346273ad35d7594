"""Packs files for the way into a host."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path


def archive(directory: Path) -> bytes:
    """Pack a directory's content, without the directory itself, as a tar file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path in sorted(directory.iterdir()):
            tar.add(path, arcname=path.name)
    return stream.getvalue()
