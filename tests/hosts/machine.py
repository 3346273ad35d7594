"""One bootable machine: a disk over a root tree, a network namespace, and systemd-nspawn."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from . import launch, sweep
from .commands import ENVIRONMENT, run
from .network import Cable

_CONSOLE_LINES = 60
_GRACE = 10.0


class BootError(AssertionError):
    """A machine did not come up; the message ends with its console."""

    def __init__(self, name: str, reason: str, console: str) -> None:
        super().__init__(f"host {name} did not boot: {reason}\n--- console of {name}\n{console}")


class HostDownError(AssertionError):
    """Something was asked of a machine that does not run."""

    def __init__(self, name: str) -> None:
        super().__init__(f"host {name} is down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A writable layer over a root tree and what was added to it, in a directory of its own."""

    tree: Path
    directory: Path
    added: tuple[Path, ...] = ()

    @property
    def root(self) -> Path:
        """Where the disk is mounted."""
        return self.directory / "root"

    def mount(self) -> None:
        """Mount it, empty; it stays mounted, and keeps what was written, while the lab lives."""
        upper, work = self.directory / "upper", self.directory / "work"
        for path in (upper, work, self.root):
            path.mkdir(parents=True)
        # The directory's mode becomes that of "/" inside.
        upper.chmod(0o755)
        # volatile: fsync does nothing, which makes dpkg, rpm and PostgreSQL several times
        # faster. No death of a host loses data by it, because the page cache is the machine's.
        lower = ":".join(map(str, (*self.added, self.tree)))
        layers = f"lowerdir={lower},upperdir={upper},workdir={work},volatile"
        run("mount", "-t", "overlay", "-o", layers, "overlay", str(self.root))


class Machine:
    """A machine that can be started, killed and started again, with its disk kept."""

    def __init__(self, *, name: str, tag: str, disk: Disk, cable: Cable, hosts_file: Path) -> None:
        self.name = name
        self.cable = cable
        self._tag = tag
        self._disk = disk
        self._hosts_file = hosts_file
        self._identifier = uuid.uuid4()
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._leader = 0

    @property
    def leader(self) -> int:
        """The process that is PID 1 inside; raises HostDownError."""
        if self._supervisor is None or self._supervisor.poll() is not None:
            raise HostDownError(self.name)
        return self._leader

    @property
    def console(self) -> str:
        """The last lines that the machine wrote on its console."""
        with contextlib.suppress(FileNotFoundError):
            text = self._console_file.read_text(errors="replace")
            return "\n".join(text.splitlines()[-_CONSOLE_LINES:])
        return ""

    def start(self, timeout: float = 180) -> None:
        """Boot, and return when systemd inside says that it is ready; `timeout` in seconds."""
        self.cable.plug()
        try:
            self._boot(time.monotonic() + timeout)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End everything at once, as a power cut does: silently for the neighbours."""
        # The cable first: a dying process's sockets say good-bye, a machine without power not.
        self.cable.unplug()
        if self._supervisor is None:
            return
        with contextlib.suppress(HostDownError, ProcessLookupError):
            # PID 1 takes its whole PID namespace with it.
            os.kill(self.leader or self._supervisor.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._wait_for_end(_GRACE)

    def poweroff(self, timeout: float = 180) -> None:
        """Shut down in order; raises subprocess.TimeoutExpired after `timeout` seconds."""
        # systemd's own signal for it, since a command inside could die before it answers.
        os.kill(self.leader, signal.SIGRTMIN + 4)
        self._wait_for_end(timeout)
        self.cable.unplug()

    @property
    def _console_file(self) -> Path:
        return self._disk.directory / "console.log"

    @property
    def _cgroups(self) -> tuple[Path, ...]:
        return tuple(root / self._tag / self.name for root in sweep.cgroup_roots())

    def _boot(self, deadline: float) -> None:
        address = self._disk.directory / "notify"
        address.unlink(missing_ok=True)
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications,
            self._console_file.open("ab") as console,
        ):
            notifications.bind(str(address))
            self._leader = 0
            self._supervisor = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env={**ENVIRONMENT, "NOTIFY_SOCKET": str(address)},
                start_new_session=True,
            )
            self._await_ready(self._supervisor, notifications, deadline)

    def _await_ready(
        self, supervisor: subprocess.Popen[bytes], notifications: socket.socket, deadline: float
    ) -> None:
        """Follow sd_notify(3): nspawn tells the leader's PID, later systemd's READY=1."""
        end = os.pidfd_open(supervisor.pid)
        try:
            while True:
                left = max(0.0, deadline - time.monotonic())
                readable, _, _ = select.select((notifications.fileno(), end), (), (), left)
                if notifications.fileno() in readable:
                    words = notifications.recv(4096).decode().splitlines()
                    for word in words:
                        if word.startswith("X_NSPAWN_LEADER_PID="):
                            self._leader = int(word.partition("=")[2])
                    if "READY=1" in words:
                        return
                elif end in readable:
                    raise BootError(self.name, "systemd-nspawn ended", self.console)
                else:
                    raise BootError(self.name, "it took too long", self.console)
        finally:
            os.close(end)

    def _command(self) -> tuple[str, ...]:
        # --keep-unit, --register=no: there may be no systemd on the build machine to ask.
        return (
            *(sys.executable, "-I", "-S", launch.__file__, *map(str, self._cgroups), "--"),
            "systemd-nspawn",
            "--quiet",
            "--boot",
            "--keep-unit",
            "--register=no",
            f"--directory={self._disk.root}",
            f"--machine={self._tag}-{self.name}",
            f"--hostname={self.name}",
            f"--uuid={self._identifier}",
            f"--network-namespace-path=/run/netns/{self.cable.namespace}",
            f"--bind-ro={self._hosts_file}:/etc/hosts",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            "--notify-ready=yes",
            "--console=read-only",
            "--setenv=SYSTEMD_COLORS=0",
        )

    def _wait_for_end(self, seconds: float) -> None:
        if self._supervisor is None:
            return
        try:
            self._supervisor.wait(seconds)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
            raise
        finally:
            for cgroup in self._cgroups:
                sweep.remove_cgroup(cgroup)
