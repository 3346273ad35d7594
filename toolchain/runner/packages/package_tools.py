"""The package manager that this host's server was installed with: what it has, and one more."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..core.errors import Busy, RunnerError, one_line
from . import process
from .shard_package import ShardPackage, prefix

_LONGEST_WAIT_FOR_LOCK = 20.0
_DPKG_IS_BUSY = ("lock was locked", "lock is locked")
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
        # A shard's package is rarely written, and looked for each minute.
        from .shard_formats import write_deb  # noqa: PLC0415

        target = write_deb(package, folder, run)
        self._change("--force-downgrade", "--install", str(target))

    def remove(self, names: Sequence[str]) -> None:
        """By `dpkg --purge`, which looks at nothing else."""
        self._change("--force-remove-protected", "--force-remove-reinstreq", "--purge", *names)

    def _change(self, *arguments: str) -> None:
        done = _change("dpkg", *self.options, *arguments)
        if done.code != 0 and any(sign in done.output for sign in _DPKG_IS_BUSY):
            raise _busy("apt or dpkg")
        if done.code != 0:
            raise _failure("dpkg", done)
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
        from .shard_formats import write_rpm  # noqa: PLC0415

        target = write_rpm(package, folder, int(time.time()))
        self._change("--upgrade", "--oldpackage", "--replacepkgs", "--nosignature", str(target))

    def remove(self, names: Sequence[str]) -> None:
        """By `rpm --erase`, which knows no protection."""
        self._change("--erase", *names)

    def _change(self, *arguments: str) -> None:
        lock = "".join(_answer("rpm", *self.options, "--eval", "%{_rpmlock_path}")).strip()
        if is_locked(Path(lock)):
            raise _busy("rpm or dnf")
        done = _change("rpm", *self.options, *arguments, patience=self.patience)
        if done.code is None:
            raise _busy("rpm or dnf")
        if done.code != 0:
            raise _failure("rpm", done)


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
    done = _change(*argv)
    if done.code != 0:
        raise _failure(argv[0], done)


def _busy(tool: str) -> Busy:
    return Busy(f"{tool} is at work for somebody else", "the next sync tries again")


def _failure(tool: str, done: process.Finished) -> PackageFailure:
    lines = [line for line in done.output.splitlines() if line.strip()]
    told = " ".join(lines[-6:])[-400:]
    return PackageFailure(f"{tool} failed ({done.code}): {one_line(told) or 'it said nothing'}")


def _answer(*argv: str) -> list[str]:
    """The lines that a question is answered with; none where the tool is not there."""
    try:
        done = process.ask(*argv)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise PackageFailure(f"{argv[0]} gives no answer: {error}") from error
    return [line for line in done.output.split("\n") if line]


def _change(*argv: str, patience: float | None = None) -> process.Finished:
    try:
        return process.change(argv, patience)
    except OSError as error:
        raise PackageFailure(f"cannot run {argv[0]}: {error.strerror}") from error
