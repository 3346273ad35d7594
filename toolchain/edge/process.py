"""One door to the system's tools: no shell, a scrubbed environment, output kept for the error."""

import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from toolchain.errors import ToolError

# What to install for each tool, in Debian's and in Fedora's words.
_PACKAGES = {
    "dpkg-deb": "dpkg (Debian, Fedora)",
    "rpmbuild": "rpm (Debian) or rpm-build (Fedora)",
    "rpm": "rpm",
    "rpmsign": "rpm (Debian) or rpm-sign (Fedora)",
    "gpg": "gnupg (Debian) or gnupg2 (Fedora)",
    "gpgv": "gpgv (Debian) or gnupg2 (Fedora)",
    "gpgconf": "gnupg (Debian) or gnupg2 (Fedora)",
    "rpm2cpio": "rpm2cpio (Debian) or rpm (Fedora)",
}
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process to run; `environment` is added to the scrubbed one, `stdin` is never shown."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    stdin: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a process left: its exit code (negative: a signal) and both streams."""

    code: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        """The output as text; what is no UTF-8 stands there as escapes."""
        return self.output.decode(errors="backslashreplace")


class Processes:
    """Runs commands from any thread, and can stop all of them at once.

    Children have a session of their own, so that Ctrl-C reaches Interlock alone, which then ends
    them in an orderly way. As a context it does so at its end, however that comes: nothing that was
    begun runs on.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended_by: object) -> None:
        self.stop()

    def run(self, command: Command) -> str:
        """What the command prints to stdout; raises ToolError when it is missing or fails."""
        done = self.finish(command)
        if done.code != 0:
            raise _failure(command, done.code, done.errors or done.text)
        return done.text

    def finish(self, command: Command, stdout: Path | None = None) -> Finished:
        """Run to the end, whatever the exit code says; raises ToolError when it is missing.

        With `stdout` the output goes into that new file, and none is kept in memory.
        """
        name = command.argv[0]
        found = shutil.which(name, path=_SYSTEM_PATH)
        if found is None:
            raise ToolError(f"{name} is not installed", f"install {_PACKAGES.get(name, name)}")
        with nullcontext(subprocess.PIPE) if stdout is None else stdout.open("xb") as output:
            process = self._start(command, found, output)
        try:
            printed, errors = process.communicate(command.stdin)
        except BaseException:
            # Interrupted in the main thread: nobody else will wait for it.
            process.terminate()
            process.wait()
            raise
        finally:
            with self._lock:
                self._running.discard(process)
        return Finished(
            code=process.returncode,
            output=printed or b"",
            errors=errors.decode(errors="backslashreplace"),
        )

    def _start(
        self, command: Command, found: str, stdout: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": _SYSTEM_PATH,
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "HOME": "/nonexistent",
            **command.environment,
        }
        with self._lock:
            if self._stopped:
                raise ToolError(f"{command.argv[0]} was not started", "the build was interrupted")
            process = subprocess.Popen(
                command.argv,
                executable=found,
                env=environment,
                cwd=command.cwd,
                stdin=subprocess.DEVNULL if command.stdin is None else subprocess.PIPE,
                stdout=stdout,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self._running.add(process)
        return process

    def stop(self) -> None:
        """End every running child and let no other begin."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()


def _failure(command: Command, code: int, output: str) -> ToolError:
    lines = [line.strip() for line in output.strip().splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines[-1:]
    said = errors[0] if errors else "it said nothing"
    if "No space left on device" in output:
        return ToolError(
            f"{command.argv[0]} found no space left on the device",
            "free some space where the output or TMPDIR lies",
            output=output,
        )
    if code < 0:
        said = f"ended by signal {-code}"
    return ToolError(
        f"{command.argv[0]} failed with exit code {code}: {said}",
        "run again with --verbose to see all that it printed",
        output=output,
    )


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))
