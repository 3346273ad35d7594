"""The package manager that this host's server was installed with: what it has, and one more."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from .errors import Busy, RunnerError, one_line
from .shard_formats import write_deb, write_rpm
from .shard_package import ShardPackage, prefix

_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/",
    "DEBIAN_FRONTEND": "noninteractive",
}
_LONGEST_QUESTION = 60.0
_LONGEST_WAIT_FOR_LOCK = 20.0
# struct flock on the 64-bit machines that the packages are for: type, whence, start, length, who.
_FLOCK = struct.Struct("hhqqi4x")


class PackageFailure(RunnerError):
    """A package manager's own refusal or fault."""


@dataclass(frozen=True)
class Installed:
    """A package that the package database knows; `whole` unless a run broke off in the middle.

    It is not `wanted` after somebody tried to remove it: dpkg refuses that and remembers the wish,
    which stops every later dselect-upgrade.
    """

    name: str
    version: str
    whole: bool
    needs: str
    wanted: bool = True

    def is_shard_of(self, product: str) -> bool:
        """Whether an agent of the product's wrote it, not somebody who likes such names."""
        words = self.needs.replace(",", " ").split()
        return self.name.startswith(prefix(product)) and f"{product}-server" in words


class PackageTool(Protocol):
    """What the agent asks of dpkg or rpm."""

    def installed(self, *patterns: str) -> tuple[Installed, ...]:
        """The packages whose names match the patterns, whole or not."""
        ...

    def install(self, package: ShardPackage, folder: Path) -> None:
        """Write the package into the folder and install it, whichever version is there.

        Raises Busy or PackageFailure.
        """
        ...

    def remove(self, names: Sequence[str]) -> None:
        """Remove packages, protected as they are; raises Busy or PackageFailure."""
        ...


def package_tool(server_package: str) -> PackageTool | None:
    """The tool whose database has the server package; None where neither has it."""
    for tool in (Dpkg(), Rpm()):
        if any(one.name == server_package for one in tool.installed(server_package)):
            return tool
    return None


@dataclass(frozen=True)
class Dpkg:
    """Dpkg, which refuses at once what an open apt or dpkg stands against.

    `cache` is apt's own copy of dpkg's database.
    """

    options: tuple[str, ...] = ()
    cache: Path = Path("/var/cache/apt/pkgcache.bin")

    def installed(self, *patterns: str) -> tuple[Installed, ...]:
        """The packages that are there or half there; what left only its configuration is not."""
        fields = "${Package}\t${Version}\t${db:Status-Want}\t${db:Status-Status}\t${Depends}\n"
        lines = _answer("dpkg-query", *self.options, f"--showformat={fields}", "--show", *patterns)
        found = (line.split("\t") for line in lines)
        return tuple(
            Installed(name, version, status == "installed", needs, want in ("install", "hold"))
            for name, version, want, status, needs in found
            if status not in ("not-installed", "config-files")
        )

    def install(self, package: ShardPackage, folder: Path) -> None:
        """By `dpkg --install`, which also mends what a power cut left half-done."""
        target = write_deb(package, folder, run)
        self._change("--force-downgrade", "--install", str(target))

    def remove(self, names: Sequence[str]) -> None:
        """By `dpkg --purge`, which looks at nothing else."""
        self._change("--force-remove-protected", "--force-remove-reinstreq", "--purge", *names)

    def _change(self, *arguments: str) -> None:
        code, said = _run(("dpkg", *self.options, *arguments))
        if code != 0 and ("lock was locked" in said or "lock is locked" in said):
            raise _busy("apt or dpkg")
        if code != 0:
            raise _failure("dpkg", code, said)
        # apt compares size and whole seconds, and so would not see a number that has changed in the
        # second of its own last run; it makes a copy that is missing anew.
        with suppress(OSError):
            self.cache.unlink()


@dataclass(frozen=True)
class Rpm:
    """Rpm, which waits for its lock for ever unless somebody looks at it first."""

    options: tuple[str, ...] = ()
    patience: float = _LONGEST_WAIT_FOR_LOCK

    def installed(self, *patterns: str) -> tuple[Installed, ...]:
        """The packages that are there; rpm has nothing half there."""
        fields = "%{NAME}\t%{VERSION}-%{RELEASE}\t[%{REQUIRENAME} ]\n"
        lines = _answer("rpm", *self.options, "-qa", f"--queryformat={fields}", *patterns)
        found = (line.split("\t") for line in lines)
        return tuple(Installed(name, version, True, needs) for name, version, needs in found)

    def install(self, package: ShardPackage, folder: Path) -> None:
        """By `rpm --upgrade`; what we have just written ourselves needs no signature."""
        target = write_rpm(package, folder, int(time.time()))
        self._change("--upgrade", "--oldpackage", "--replacepkgs", "--nosignature", str(target))

    def remove(self, names: Sequence[str]) -> None:
        """By `rpm --erase`, which knows no protection."""
        self._change("--erase", *names)

    def _change(self, *arguments: str) -> None:
        lock = "".join(_answer("rpm", *self.options, "--eval", "%{_rpmlock_path}")).strip()
        if is_locked(Path(lock)):
            raise _busy("rpm or dnf")
        code, said = _run(("rpm", *self.options, *arguments), patience=self.patience)
        if code is None:
            raise _busy("rpm or dnf")
        if code != 0:
            raise _failure("rpm", code, said)


def is_locked(path: Path) -> bool:
    """Whether another process holds a lock on a file; asks only, so that nobody is kept out."""
    try:
        with path.open("rb") as file:
            question = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            answer = fcntl.fcntl(file.fileno(), fcntl.F_GETLK, question)
    except OSError:
        return False
    kind: int = _FLOCK.unpack(answer)[0]
    return kind != fcntl.F_UNLCK


def run(*argv: str) -> None:
    """Run a tool to its end; raises PackageFailure with the last thing that it said."""
    code, said = _run(argv)
    if code != 0:
        raise _failure(argv[0], code, said)


def _busy(tool: str) -> Busy:
    return Busy(f"{tool} is at work for somebody else", "the next sync tries again")


def _failure(tool: str, code: int | None, said: str) -> PackageFailure:
    lines = [line for line in said.splitlines() if line.strip()]
    told = " ".join(lines[-6:])[-400:]
    return PackageFailure(f"{tool} failed ({code}): {one_line(told) or 'it said nothing'}")


def _answer(*argv: str) -> list[str]:
    """The lines that a question is answered with; none where the tool is not there."""
    try:
        done = subprocess.run(
            argv,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            timeout=_LONGEST_QUESTION,
            check=False,
        )
    except FileNotFoundError:
        return []
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PackageFailure(f"{argv[0]} gives no answer: {error}") from error
    return [line for line in done.stdout.decode("utf-8", "replace").split("\n") if line]


def _run(argv: Sequence[str], patience: float | None = None) -> tuple[int | None, str]:
    """Run a tool that changes something; its exit code, None where it got no lock in time.

    A tool that has begun is never ended: only one that still says it waits for its lock is.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                argv,
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd="/",
                # Ctrl-C is for the agent, and what has begun is ended in order.
                start_new_session=True,
            )
        except OSError as error:
            raise PackageFailure(f"cannot run {argv[0]}: {error.strerror}") from error
        code: int | None
        try:
            code = process.wait(patience)
        except subprocess.TimeoutExpired:
            code = _give_up_waiting(process, said)
        except KeyboardInterrupt:
            process.wait()
            raise
        return code, _read(said)


def _give_up_waiting(process: subprocess.Popen[bytes], said: IO[bytes]) -> int | None:
    if "waiting for" not in _read(said):
        return process.wait()
    # rpm blocks signals while a transaction runs, so this ends nothing but the waiting.
    process.terminate()
    code = process.wait()
    return None if code < 0 else code


def _read(said: IO[bytes]) -> str:
    return os.pread(said.fileno(), 1 << 20, 0).decode("utf-8", "replace")
