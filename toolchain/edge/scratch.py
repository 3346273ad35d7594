"""Work directories for a build: in memory while small, beside the result when large.

Creating a file costs twenty times less in memory than on many disks, and a chain of releases is
thousands of small files; a payload of hundreds of megabytes has no business there.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108  (mkdtemp makes the name, 0700)
_SMALL_BYTES = 32 << 20


def _memory_prefix(output: Path) -> str:
    """A prefix of this output and user, so that a build can find what a killed one left."""
    key = hashlib.sha256(f"{output.resolve()}\0{os.getuid()}".encode()).hexdigest()[:16]
    return f"interlock-{key}-"


def remove_leftovers(output: Path) -> None:
    """Take away what a killed build into `output` left; call it holding the output's lock."""
    for place, pattern in ((output, ".staging-*"), (_MEMORY, f"{_memory_prefix(output)}*")):
        for leftover in place.glob(pattern):
            if leftover.lstat().st_uid == os.getuid() and not leftover.is_symlink():
                shutil.rmtree(leftover, ignore_errors=True)


def _memory_has_room() -> bool:
    try:
        return os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 8 * _SMALL_BYTES
    except OSError:
        return False


@contextmanager
def work_directory(output: Path, size: int) -> Iterator[Path]:
    """An empty directory for trees of about `size` bytes, gone at the end. Raises OSError."""
    small = size < _SMALL_BYTES and _memory_has_room()
    place, prefix = (_MEMORY, _memory_prefix(output)) if small else (output, ".staging-")
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place) as directory:
        yield Path(directory)
