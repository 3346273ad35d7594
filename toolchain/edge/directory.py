"""A product's directory on disk: what stands where, and the making of a new one."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from toolchain.errors import OutputError

_Kind = Literal[
    "file", "directory", "link", "missing", "dangling", "escaping", "special", "unreadable"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is known of a path without reading it; `size` in bytes, `mode` the permission bits."""

    kind: _Kind
    size: int = 0
    mode: int = 0
    leads_to: str = ""


def _found(path: str, status: os.stat_result) -> Found:
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISREG(status.st_mode):
        # Asked of the kernel: the bits alone know neither root nor access lists.
        kind: _Kind = "file" if os.access(path, os.R_OK) else "unreadable"
        return Found(kind=kind, size=status.st_size, mode=mode)
    if stat.S_ISDIR(status.st_mode):
        return Found(kind="directory", mode=mode)
    return Found(kind="special", mode=mode)


class Directory:
    """One product's directory, named in every sentence as the user named it."""

    def __init__(self, path: Path) -> None:
        self._named = path
        self._root = os.path.realpath(path)
        self._below = self._root.rstrip("/") + "/"
        # A product's files lie in few directories: each is resolved once.
        self._real_parents: dict[str, str] = {}

    def shown(self, path: str) -> str:
        """The path as the user would type it."""
        return str(self._named / path)

    def names(self) -> tuple[str, ...]:
        """The names at the top, sorted; raises OSError when the directory cannot be read."""
        with os.scandir(self._root) as entries:
            return tuple(sorted(entry.name for entry in entries))

    def _real(self, path: str) -> str | None:
        """The path with every link followed, or None when that leads out; missing parts stay."""
        above, name = os.path.split(path)
        if name in ("", ".", ".."):
            real = os.path.realpath(self._below + path)
        else:
            if above not in self._real_parents:
                self._real_parents[above] = os.path.realpath(self._below + above)
            real = f"{self._real_parents[above]}/{name}"
            if os.path.islink(real):  # noqa: PTH114 - hot; no Path needed
                real = os.path.realpath(real)
        return real if real == self._root or real.startswith(self._below) else None

    def look(self, path: str) -> Found:
        """What stands at a path, links followed as long as they stay inside the product."""
        try:
            real = self._real(path)
            if real is None:
                return Found(kind="escaping")
            status = os.lstat(real)
        except (FileNotFoundError, NotADirectoryError):
            dangling = os.path.islink(self._below + path)  # noqa: PTH114 - hot; no Path needed
            return Found(kind="dangling" if dangling else "missing")
        except ValueError:  # a NUL in the path
            return Found(kind="missing")
        except OSError:
            return Found(kind="unreadable")
        # What realpath leaves as a link is a loop of links.
        return Found(kind="dangling") if stat.S_ISLNK(status.st_mode) else _found(real, status)

    def walk(self, path: str) -> Iterator[tuple[str, Found]]:
        """All below a directory by path relative to it, sorted; links are not followed."""
        found: list[tuple[str, Found]] = []
        waiting = [""]
        while waiting:
            below = waiting.pop()
            with os.scandir(Path(self._root, path, below)) as entries:
                for entry in entries:
                    name = f"{below}/{entry.name}" if below else entry.name
                    if entry.is_symlink():
                        link = str(Path(entry.path).readlink())
                        found.append((name, Found(kind="link", leads_to=link)))
                        continue
                    here = _found(entry.path, entry.stat(follow_symlinks=False))
                    found.append((name, here))
                    if here.kind == "directory":
                        waiting.append(name)
        yield from sorted(found, key=lambda item: item[0])

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of a file; raises OSError, and never waits for a pipe."""
        real = self._real(path)
        if real is None:
            raise PermissionError(errno.EPERM, "leads out of the product", path)
        # The path may have been replaced since `look`: no last link, no waiting, only a file.
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "is not a regular file", path)
            return file.read(limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to write; `path` is relative to the new directory."""

    path: str
    text: str
    mode: int = 0o644


def create_directory(target: Path, files: Iterable[NewFile]) -> None:
    """Write a directory that appears whole or not at all; raises OutputError.

    An empty directory may be there already, as after `mkdir`.
    """
    with staged_directory(target) as staged:
        write_files(staged, files)


def write_files(directory: Path, files: Iterable[NewFile]) -> None:
    """Write files below a directory, with the directories that they need; raises OSError."""
    for file in files:
        path = directory / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
        path.chmod(file.mode)


@contextmanager
def staged_directory(target: Path, *, keep: bool = True) -> Iterator[Path]:
    """A directory to write into, which becomes the target when all went well; raises OutputError.

    Without `keep` it is gone at the end, and the target stays what it was.
    """
    require_new(target)
    try:
        if keep:
            target.parent.mkdir(parents=True, exist_ok=True)
        place = target.parent if keep else None
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=place) as stage:
            staged = Path(stage, target.name)
            staged.mkdir()
            yield staged
            if keep:
                staged.rename(target)  # onto an empty directory too, and onto nothing else
    except OSError as error:
        raise _unwritable(target, error) from error


def require_new(target: Path) -> None:
    """Raise OutputError where something stands in the place that an empty directory is not."""
    if target.resolve() == Path.cwd():
        # A shell that stands in a directory which is replaced stands nowhere afterwards.
        raise OutputError(
            "the current directory is not replaced", "name a directory that does not exist yet"
        )
    try:
        taken = target.is_symlink() or (
            target.exists() and not (target.is_dir() and not any(target.iterdir()))
        )
    except OSError as error:
        raise _unwritable(target, error) from error
    if taken:
        raise _unwritable(target, FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)))


def _unwritable(target: Path, error: OSError) -> OutputError:
    if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
        return OutputError(
            f"{target} is there already, and nothing is overwritten",
            "name a directory that does not exist yet",
        )
    return OutputError(
        f"{target} cannot be written: {error.strerror}", "name a directory that you may write to"
    )
