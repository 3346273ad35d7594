"""The one door from the test hosts to system tools: argv tuples, a scrubbed environment."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT: Mapping[str, str] = {
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "PATH": SYSTEM_PATH,
    "TERM": "dumb",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a finished command left: its exit status (negative: a signal) and both streams."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Both streams, for looking up a message wherever the tool happened to put it."""
        return self.stdout + self.stderr

    def __str__(self) -> str:
        """The whole story of the command, as a failing test needs it."""
        return "\n".join(
            (
                f"command: {self.argv!r}",
                f"exit status: {self.returncode}",
                f"--- stdout\n{self.stdout.rstrip()}",
                f"--- stderr\n{self.stderr.rstrip()}",
            )
        )


class CommandError(AssertionError):
    """A command that a test relies on exited with another status than 0."""

    def __init__(self, result: Result) -> None:
        super().__init__(str(result))
        self.result = result


class CommandTimeoutError(AssertionError):
    """A command was still running after its time; it has been killed."""

    def __init__(self, result: Result, seconds: float) -> None:
        super().__init__(f"no end after {seconds:g} s\n{result}")
        self.result = result


def run(
    *argv: str,
    check: bool = True,
    timeout: float = 120,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
) -> Result:
    """Run a command to its end; `env` is added to the scrubbed environment.

    `timeout` is in seconds. Raises CommandError when `check` is set and the status is not 0,
    and CommandTimeoutError, whatever `check` says, when the time is over.
    """
    # A group of its own: with nsenter the real command is a grandchild inside the host, in
    # the same process group, so killing that at a timeout ends that one too.
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**ENVIRONMENT, **(env or {})},
        start_new_session=True,
        umask=0o022,
    ) as process:
        timed_out = False
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            _kill_group(process)
            stdout, stderr = process.communicate()
        except BaseException:
            _kill_group(process)
            raise
    result = Result(
        argv=argv,
        returncode=process.returncode,
        stdout=stdout.decode(errors="replace"),
        stderr=stderr.decode(errors="replace"),
    )
    if timed_out:
        raise CommandTimeoutError(result, timeout)
    if check and result.returncode != 0:
        raise CommandError(result)
    return result


def find_tool(name: str) -> str | None:
    """Find a tool on the system path, or beside the interpreter, where PyPI's commands are."""
    path = os.pathsep.join((str(Path(sys.executable).parent), SYSTEM_PATH))
    return shutil.which(name, path=path)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
