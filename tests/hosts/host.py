"""A booted host as a test sees it: commands, files, packages, a database, and its fate."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import database, repository
from .commands import Result, run
from .machine import BootError, Machine
from .recipes import Packaging
from .transfer import archive

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host of a lab; it runs until it is killed, powered off, or the lab is closed."""

    machine: Machine
    packaging: Packaging

    @property
    def name(self) -> str:
        """The name by which every host of the lab finds this one."""
        return self.machine.name

    @property
    def address(self) -> str:
        """The IPv4 address in the lab."""
        return self.machine.cable.address

    def command(self, *argv: str) -> tuple[str, ...]:
        """Describe how the build machine runs a command in the host, as root, in "/"."""
        # nsenter takes 5 ms and systemd-run 55. The process stays in the test's own cgroup, but
        # it is in the host's PID namespace and dies with the host. What outlives a test's step
        # (a daemon that no unit starts) is better started by systemd-run inside.
        return ("nsenter", f"--target={self.machine.leader}", "--all", "--root", "--wd", *argv)

    def run(
        self,
        *argv: str,
        check: bool = True,
        timeout: float = 120,
        stdin: str | bytes = b"",
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run a command inside; see `commands.run` for the errors. `timeout` is in seconds."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        return run(*self.command(*argv), check=check, timeout=timeout, stdin=data, env=env)

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file, with the directories above it."""
        self._write(path, text.encode(), mode)

    def read(self, path: str) -> str:
        """Read a file."""
        return self.run("cat", "--", path).stdout

    def exists(self, path: str) -> bool:
        """Tell whether there is anything at the path; a dangling link is nothing."""
        return self.run("test", "-e", path, check=False).returncode == 0

    def push(self, source: Path, target: str) -> None:
        """Copy a file to the path `target`, or a directory's content into the directory."""
        if source.is_dir():
            self.run("mkdir", "-p", "--", target)
            # As root's own, whoever owns the files outside.
            options = ("--extract", "--no-same-owner", "--preserve-permissions")
            self.run("tar", *options, f"--directory={target}", stdin=archive(source))
        else:
            self._write(target, source.read_bytes(), source.stat().st_mode & 0o777)

    def installed(self, package: str) -> str | None:
        """Tell the version of an installed package (`version-release` in rpm), or None.

        A half-installed package of dpkg's counts as installed only when it is configured.
        """
        match self.packaging:
            case Packaging.DEB:
                form = "--showformat=${db:Status-Status} ${Version}"
                answer = self.run("dpkg-query", "--show", form, package, check=False)
                status, _, version = answer.stdout.partition(" ")
                known = answer.returncode == 0 and status == "installed"
            case Packaging.RPM:
                form = "%{VERSION}-%{RELEASE}"
                answer = self.run("rpm", "--query", "--queryformat", form, package, check=False)
                known, version = answer.returncode == 0, answer.stdout
        return version if known else None

    def apt(self, *arguments: str, timeout: float = 300) -> Result:
        """Run apt-get, answering yes and keeping changed configuration; never raises CommandError.

        The status alone proves nothing: look at `installed` afterwards.
        """
        keep = (f"-oDpkg::Options::=--force-conf{choice}" for choice in ("def", "old"))
        env = {"DEBIAN_FRONTEND": "noninteractive"}
        argv = ("apt-get", "-y", *keep, *arguments)
        return self.run(*argv, check=False, timeout=timeout, env=env)

    def dnf(self, *arguments: str, timeout: float = 300) -> Result:
        """Run dnf, answering yes; never raises CommandError, and see `apt`."""
        return self.run("dnf", "-y", *arguments, check=False, timeout=timeout)

    def add_repository(self, directory: Path) -> None:
        """Offer the packages in a directory to the host, in place of those offered before."""
        repository.offer(self, directory)

    def postgres(self, *, auth: str = "trust") -> None:
        """Start PostgreSQL on the lab's network, now and at each boot.

        `auth` is a method of pg_hba.conf for connections from the lab, for any role and database.
        """
        database.start(self, auth)

    def sql(self, database_name: str, statements: str) -> str:
        """Run SQL as the superuser; the answer has a line per row, "|" between columns.

        Raises CommandError with PostgreSQL's message at the first statement that fails.
        """
        return database.query(self, database_name, statements)

    @property
    def failed_units(self) -> tuple[str, ...]:
        """The systemd units that failed."""
        table = self.run("systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout
        return tuple(line.split()[0] for line in table.splitlines())

    def start(self, timeout: float = 180) -> None:
        """Boot, also again after `kill` or `poweroff`, with the same disk and address.

        Raises BootError, with the console's text, when it takes more than `timeout` seconds.
        """
        self.machine.start(timeout)
        state = self.run("systemctl", "is-system-running", "--wait", check=False).stdout.strip()
        if state == "degraded":
            _LOG.warning("host %s is degraded: %s", self.name, ", ".join(self.failed_units))
        elif state != "running":
            raise BootError(self.name, f"its state is {state!r}", self.machine.console)

    def kill(self) -> None:
        """End the host as a power cut does: at once, and its neighbours get no good-bye."""
        self.machine.kill()

    def poweroff(self) -> None:
        """Shut the host down in order."""
        self.machine.poweroff()

    def cut(self) -> None:
        """Cut the host off the network; its open connections hang, as with a pulled cable."""
        self.machine.cable.cut()

    def join(self) -> None:
        """Undo `cut`."""
        self.machine.cable.join()

    def _write(self, path: str, data: bytes, mode: int) -> None:
        # From inside, where a symbolic link can lead nowhere else than inside.
        self.run("install", "-D", f"--mode={mode:o}", "/dev/stdin", path, stdin=data)
