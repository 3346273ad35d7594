"""The trace of a run: a line for each event, the same bytes for the same seed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from toolchain.edge.whole_file import is_special, replacing
from toolchain.errors import OutputError

Write = Callable[[int, int, str], None]


@contextmanager
def trace_file(path: Path) -> Iterator[Write]:
    """Takes an episode's number, a second and a sentence; the file is there when all is written.

    A pipe or a device is written to as the run goes on. Raises OutputError.
    """
    try:
        if is_special(path):
            with path.open("wb") as file:
                yield _writer(file)
        else:
            with replacing(path.resolve()) as file:
                yield _writer(file)
    except OSError as error:
        raise OutputError(
            f"the trace {path} can't be written: {error.strerror}",
            "send it somewhere else, or make room there",
        ) from error


def _writer(file: BinaryIO) -> Write:
    def write(episode: int, second: int, sentence: str) -> None:
        file.write(f"{episode} {second} {sentence}\n".encode())

    return write
