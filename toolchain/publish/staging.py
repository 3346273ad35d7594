"""New files on their way: staged aside, safe on the disk, then renamed into place in one order.

Files that nobody knows of yet go first, what makes clients look at them last. The list of renames
can be carried out again from the beginning, wherever it was cut off.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from toolchain.errors import OutputError
from toolchain.plan.repository.layout import STATE

Moves = Sequence[tuple[str, str]]
# Called with the name of what comes next; tests end the process there.
Checkpoint = Callable[[str], None]
_PREFIX = "staging-"
# So many writes are waited for at once.
_WRITES = 16


class Staging:
    """What one publication will put into a repository; every method may raise OSError."""

    def __init__(self, repository: Path, directory: Path) -> None:
        self._repository = repository
        self._directory = directory
        self._files: list[tuple[str, str]] = []
        self._switches: list[tuple[str, str]] = []
        self._count = 0
        # From the moment that a journal may name the staged files, only it decides about them.
        self.decided = False

    @property
    def moves(self) -> Moves:
        """Pairs of a staged path and its place, relative to the repository, in order."""
        return (*self._files, *self._switches)

    def _next(self) -> Path:
        self._count += 1
        return self._directory / str(self._count)

    def _add(self, staged: Path, place: str, *, switch: bool) -> None:
        moves = self._switches if switch else self._files
        moves.append((str(staged.relative_to(self._repository)), place))

    def write(self, place: str, content: bytes, *, switch: int | None = None) -> Path:
        """A file of this content.

        A switch goes last, and is how clients come to see the rest. They ask whether it is newer
        than what they have, in whole seconds, so it has the time of its publication: two of one
        second would be one to them.
        """
        staged = self._next()
        staged.write_bytes(content)
        staged.chmod(0o644)
        if switch is not None:
            os.utime(staged, (switch, switch))
        self._add(staged, place, switch=switch is not None)
        return staged

    def copy(self, place: str, source: Path) -> Path:
        """A copy, which may be changed until the staging is synchronised.

        It keeps the name of its place, since tools that sign and index look at it.
        """
        staged = self._next()
        staged.mkdir()
        staged = staged / Path(place).name
        shutil.copyfile(source, staged)
        staged.chmod(0o644)
        self._add(staged, place, switch=False)
        return staged

    def again(self, staged: Path, place: str, *, switch: bool = False) -> None:
        """The same file at one more place."""
        twin = self._next()
        os.link(staged, twin)
        self._add(twin, place, switch=switch)

    def directory(self, place: str, files: Mapping[str, bytes], links: Mapping[str, str]) -> None:
        """A whole directory, which appears at once."""
        staged = self._next()
        staged.mkdir()
        for name, content in files.items():
            path = staged / name
            path.parent.mkdir(exist_ok=True)
            path.parent.chmod(0o755)
            path.write_bytes(content)
            path.chmod(0o644)
        for name, target in links.items():
            (staged / name).symlink_to(target)
        staged.chmod(0o755)
        self._add(staged, place, switch=False)

    def link(self, place: str, target: str) -> None:
        """A symlink that clients follow from then on."""
        staged = self._next()
        staged.symlink_to(target)
        self._add(staged, place, switch=True)

    def synchronise(self) -> None:
        """Have all of it on the disk before anyone is told of it."""
        found: list[Path] = []
        for place, _, files in os.walk(self._directory):
            folder = Path(place)
            found.append(folder)
            found += (folder / name for name in files if not (folder / name).is_symlink())
        _synchronise_all(found)


@contextmanager
def staging(repository: Path) -> Iterator[Staging]:
    """An empty staging; it goes at the end, unless it was decided that it be published."""
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=repository / STATE))
    staged = Staging(repository, directory)
    try:
        yield staged
    finally:
        if not staged.decided:
            shutil.rmtree(directory, ignore_errors=True)


def remove_leftovers(repository: Path) -> None:
    """Take away what killed publishers have staged; only when no rename is to be done."""
    for leftover in (repository / STATE).glob(f"{_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def carry_out(repository: Path, moves: Moves, checkpoint: Checkpoint) -> None:
    """Rename everything into place, as far as it is not there yet; raises OutputError, OSError."""
    folders = sorted({(repository / place).parent for _, place in moves})
    for folder in folders:
        _make_directory(folder, repository)
    for staged, place in moves:
        checkpoint(place)
        source, target = repository / staged, repository / place
        if os.path.lexists(source):
            _rename(source, target)
        elif not os.path.lexists(target):
            raise OutputError(
                f"{target} was about to be published, and its staged copy is gone",
                "restore the repository, .interlock included, from a backup",
            )
    _synchronise_all(folders)
    checkpoint("")


def _rename(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        raise OutputError(
            f"{target} lies on another file system than the publisher's state",
            f"keep the whole repository, {STATE} included, on one file system",
        ) from error


def _make_directory(path: Path, above: Path) -> None:
    """A directory that a web server can read, whatever the umask."""
    if path == above or path.is_dir():
        return
    _make_directory(path.parent, above)
    path.mkdir()
    path.chmod(0o755)


def _synchronise_all(paths: Sequence[Path]) -> None:
    """Wait for many writes at once: a journal commits those together that are asked for together.

    One after another they take some 3 ms each, in which the processors have nothing to do.
    """
    with ThreadPoolExecutor(_WRITES) as executor:
        for _ in executor.map(_synchronise, paths):
            pass


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
