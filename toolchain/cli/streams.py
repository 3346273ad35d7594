"""Where the command writes: a result that must arrive, and a story that may go unheard."""

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from toolchain.errors import OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Result(io.FileIO):
    """Standard output; a reader who has read enough is no failure, a full disk is.

    The answer's exit code stays what it is when the reader leaves. click would make it 1, which
    here means that the answer is no.
    """

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, or discard what nobody reads; raises OutputError."""
        try:
            return super().write(data)
        except OSError as error:
            _discard(self.fileno())
            if error.errno != errno.EPIPE:
                raise OutputError(
                    f"the answer can't be written to stdout: {error.strerror}",
                    "send it somewhere else, or make room there",
                ) from error
            return super().write(data)


class _Story(io.FileIO):
    """Standard error; a build does not end because its terminal is gone."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, or discard what can't be told."""
        try:
            return super().write(data)
        except OSError:
            _discard(self.fileno())
            return super().write(data)


def _discard(descriptor: int) -> None:
    """Send all that follows nowhere, also what Python itself flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def guard_streams() -> None:
    """Put both in the place of Python's own streams; one that is closed stays closed."""
    sys.stdout = _guarded(sys.stdout, _Result)
    sys.stderr = _guarded(sys.stderr, _Story)


def _guarded(stream: TextIO, kind: type[io.FileIO]) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(kind(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
