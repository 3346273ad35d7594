"""SHA-256 of files, remembered by size, times and inode, so that unchanged files aren't read."""

import hashlib
import json
import os
import time
from pathlib import Path

# A file changed this recently may change again within one tick of its clock: read it next time.
_SETTLED_NS = 50_000_000


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hex; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Digests:
    """Digests of files, kept in a cache file between builds.

    The change time (ctime) is part of the key: no ordinary program can set it back.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._now = time.time_ns()
        self._known: dict[str, list[object]] = {}
        self._fresh: dict[str, list[object]] = {}
        try:
            known = json.loads(cache.read_bytes())
            if isinstance(known, dict):
                self._known = known
        except (OSError, ValueError):
            pass  # no cache, or a damaged one: everything is read once more

    def of(self, path: Path) -> str:
        """The SHA-256 of a file's content, in hex."""
        status = path.stat()
        key = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        known = self._known.get(str(path))
        if known is not None and known[:4] == key and isinstance(known[4], str):
            self._fresh[str(path)] = known
            return known[4]
        digest = sha256_of(path)
        if self._now - status.st_ctime_ns > _SETTLED_NS:
            self._fresh[str(path)] = [*key, digest]
        return digest

    def save(self) -> None:
        """Write the cache; a cache that can't be written costs time and nothing else."""
        merged = {**self._known, **self._fresh}
        kept = {path: row for path, row in merged.items() if os.path.lexists(path)}
        if kept == self._known:
            return
        staged = self._cache.with_suffix(f".{os.getpid()}.tmp")
        try:
            staged.write_text(json.dumps(kept))
            staged.replace(self._cache)
        except OSError:
            staged.unlink(missing_ok=True)
