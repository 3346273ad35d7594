"""The trace of a run: a line for each event, the same bytes for the same seed."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.errors import OutputError


@contextmanager
def trace_file(path: Path) -> Iterator[Callable[[int, int, str], None]]:
    """Takes an episode's number, a second and a sentence; the file is there when all is written.

    Raises OutputError.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from error
    staged = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:

            def write(episode: int, second: int, sentence: str) -> None:
                try:
                    file.write(f"{episode} {second} {sentence}\n")
                except OSError as error:
                    raise _unwritable(path, error) from error

            yield write
        mask = os.umask(0)
        os.umask(mask)
        staged.chmod(0o666 & ~mask)
        staged.replace(path)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise _unwritable(path, error) from error
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"the trace {path} can't be written: {error.strerror}",
        "send it somewhere else, or make room there",
    )
