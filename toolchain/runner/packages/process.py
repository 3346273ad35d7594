"""The island's one door to a host's tools: no shell, and an environment of our own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Optional

# What root's own environment or directory says must not reach a tool, nor what lies in /usr/local.
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/",
    "DEBIAN_FRONTEND": "noninteractive",
}
_DIRECTORY = "/"
_LONGEST_QUESTION = 60.0


@dataclass(frozen=True)
class Finished:
    """What a tool left: its exit code, None where it got no lock in time, and what it said."""

    code: Optional[int]  # noqa: UP045 - evaluated, and Python is 3.9
    output: str
    errors: str


def ask(*argv: str) -> Finished:
    """Ask a tool that changes nothing; raises OSError where it is missing or gives no answer."""
    try:
        done = subprocess.run(
            argv,
            env=ENVIRONMENT,
            cwd=_DIRECTORY,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LONGEST_QUESTION,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no answer in {_LONGEST_QUESTION:.0f} s") from error
    return Finished(done.returncode, _text(done.stdout), _text(done.stderr))


@contextmanager
def reading(*argv: str) -> Iterator[IO[bytes]]:
    """What a tool prints, as it comes; the tool ends with the reading. Raises OSError."""
    with subprocess.Popen(
        argv,
        env=ENVIRONMENT,
        cwd=_DIRECTORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe, as asked for
        try:
            yield process.stdout
        finally:
            process.kill()


def change(argv: Sequence[str], patience: float | None = None) -> Finished:
    """Run a tool that changes something; both of its streams are the output. Raises OSError.

    A tool that has begun is never ended: after `patience` seconds only one that still says it
    waits for its lock is.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            argv,
            env=ENVIRONMENT,
            cwd=_DIRECTORY,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            # Ctrl-C is for the agent, and what has begun is ended in order.
            start_new_session=True,
        )
        code: int | None
        try:
            code = process.wait(patience)
        except subprocess.TimeoutExpired:
            code = _give_up_waiting(process, said)
        except KeyboardInterrupt:
            process.wait()
            raise
        return Finished(code, _read(said), "")


def _give_up_waiting(process: subprocess.Popen[bytes], said: IO[bytes]) -> int | None:
    if "waiting for" not in _read(said):
        return process.wait()
    # rpm blocks signals while a transaction runs, so this ends nothing but the waiting.
    process.terminate()
    code = process.wait()
    return None if code < 0 else code


def _read(said: IO[bytes]) -> str:
    return _text(os.pread(said.fileno(), 1 << 20, 0))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
