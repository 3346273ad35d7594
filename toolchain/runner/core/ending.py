"""How a command ends: with its exit code, and with one sentence where it failed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import TextIO

from .errors import Exit, RunnerError, as_failure, one_line


def run_command(program: str, arguments: Sequence[str] | None, work: Callable[[], int]) -> int:
    """Call the work of a command, and return its exit code whatever happens in it.

    `arguments` are those of this process where they are None.
    """
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    _tolerate(sys.stdout, sys.stderr)
    try:
        return work()
    except KeyboardInterrupt:
        sys.stderr.write(f"{program}: interrupted\n")
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a user never sees a traceback without asking
        failure = as_failure(error)
        write_failure(sys.stderr, program, failure, debug=debug)
        return Exit(failure.exit_code)


def write_failure(stream: TextIO, who: str, error: RunnerError, *, debug: bool) -> None:
    """Write one sentence for a failure."""
    if debug:
        # Nearly nobody asks for it, and every start would pay for the import.
        import traceback  # noqa: PLC0415

        stream.write("".join(traceback.format_exception(type(error), error, error.__traceback__)))
    stream.write(f"{who}: {one_line(str(error))}\n")
    stream.flush()


def _tolerate(*streams: TextIO) -> None:
    """Let a terminal of another encoding show what it can, instead of failing on the rest."""
    for stream in streams:
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
