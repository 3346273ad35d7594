"""The trace of a run: a line for each event, the same bytes for the same seed."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from toolchain.edge.whole_file import is_special
from toolchain.errors import OutputError

Write = Callable[[int, int, str], None]


@contextmanager
def trace_file(path: Path) -> Iterator[Write]:
    """Takes an episode's number, a second and a sentence; the file is there when all is written.

    A pipe or a device is written to as the run goes on. Raises OutputError.
    """
    try:
        if is_special(path):
            with path.open("w", encoding="utf-8", newline="\n") as file:
                yield _writer(file)
        else:
            with _staged(path.resolve()) as file:
                yield _writer(file)
    except OSError as error:
        raise OutputError(
            f"the trace {path} can't be written: {error.strerror}",
            "send it somewhere else, or make room there",
        ) from error


def _writer(file: TextIO) -> Write:
    def write(episode: int, second: int, sentence: str) -> None:
        file.write(f"{episode} {second} {sentence}\n")

    return write


@contextmanager
def _staged(path: Path) -> Iterator[TextIO]:
    """A file beside the place, which is renamed into it in the end."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    staged = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            yield file
        mask = os.umask(0)
        os.umask(mask)
        staged.chmod(0o666 & ~mask)
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
