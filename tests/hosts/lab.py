"""A lab: hosts that boot on this machine and see nothing but each other.

with Lab() as lab:
    server = lab.host("web1")
    shard = lab.host("shard1", tree="rpm", postgres=True)
    assert server.run("systemctl", "is-system-running").stdout == "running\\n"
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from . import sweep
from .commands import ENVIRONMENT, find_tool, run
from .host import Host
from .layers import Layer
from .machine import Disk, Machine
from .network import MOST_HOSTS, Cable, Switch
from .recipes import RECIPES
from .station import Station
from .trees import Trees

TreeName = Literal["debian", "rpm"]
_TOOLS = ("mmdebstrap", "systemd-nspawn", "ip", "nsenter", "mount", "umount", "createrepo_c")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
_INSTANCES = 1024


class LabUnavailableError(Exception):
    """This machine cannot boot test hosts; the message says what is missing."""


class LabNotCleanError(AssertionError):
    """A closed lab left something on the machine."""


def require() -> None:
    """Raise LabUnavailableError, with one sentence, unless test hosts can boot here."""
    if os.geteuid() != 0:
        raise LabUnavailableError("Test hosts boot as root only: run the tests as root.")
    missing = [tool for tool in _TOOLS if find_tool(tool) is None]
    if missing:
        raise LabUnavailableError(
            f"Test hosts need {', '.join(missing)}: install mmdebstrap, systemd-container, "
            "iproute2, util-linux and createrepo-c."
        )


def _make_room_for_systemd() -> None:
    """Let more systemds run here: each takes some eight of the inotify instances of root's 128."""
    if int(_INOTIFY.read_text()) < _INSTANCES:
        _INOTIFY.write_text(f"{_INSTANCES}\n")


def _mount_memory(place: Path) -> Path:
    """Mount a file system in memory for the disks of hosts, which write 10 to 300 MB each.

    They do so in thousands of small files: to make these on the machine's own disk was a quarter of
    the kernel's time under a table.
    """
    place.mkdir()
    run("mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", str(place))
    return place


class Lab:
    """Booted hosts on a network of their own; closing it removes them without a trace.

    A keeper process closes the lab when the test process dies first; see the module `sweep`.
    Hosts may be made from several threads at once.
    """

    def __init__(self, trees: Trees | None = None) -> None:
        require()
        _make_room_for_systemd()
        self._trees = trees or Trees.from_environment(os.environ)
        # As mkdtemp does it, but without the underscore, which no machine's name may have.
        self.tag = f"{sweep.PREFIX}{secrets.token_hex(5)}"
        self.directory = sweep.BASE / self.tag
        self.directory.mkdir(mode=0o700)
        self.hosts: dict[str, Host] = {}
        self._names: list[str] = []
        self._naming = threading.Lock()
        self.keeper = self._start_keeper()
        self._hosts_file = self.directory / "hosts"
        self._hosts_file.write_text("127.0.0.1 localhost\n")
        self._hosts_file.chmod(0o644)
        self._switch = Switch(namespace=f"{self.tag}-switch")
        try:
            self._disks = _mount_memory(self.directory / "disks")
            self._switch.install()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def host(
        self,
        name: str,
        tree: TreeName = "debian",
        *,
        postgres: bool = False,
        layer: Layer | None = None,
    ) -> Host:
        """Boot a host, which all hosts of the lab know by its name; with PostgreSQL if asked.

        `layer` adds packages to its tree, which must be the one that the layer was made for.

        Raises BootError with the console's text.
        """
        (recipe,) = (recipe for recipe in RECIPES if recipe.name == tree)
        if layer and layer.recipe != recipe:
            raise ValueError(f"the layer {layer.name} is not made for the tree {tree}")
        root_tree = self._trees.get(recipe)
        added = (layer.get(self._trees),) if layer else ()
        cable = self._cable(name)
        disk = Disk(tree=root_tree, directory=self._disks / name, added=added)
        disk.mount()
        machine = Machine(
            name=name, tag=self.tag, disk=disk, cable=cable, hosts_file=self._hosts_file
        )
        host = Host(machine=machine, packaging=recipe.packaging)
        self.hosts[name] = host
        host.start()
        if postgres:
            host.postgres()
        return host

    def station(self, name: str) -> Station:
        """Give programs of this machine a place on the lab's network, which hosts know by name."""
        station = Station(name=name, tag=self.tag, cable=self._cable(name))
        station.cable.plug()
        return station

    def close(self) -> None:
        """Remove everything; raises LabNotCleanError if that did not succeed."""
        if self.keeper.poll() is None:
            _, told = self.keeper.communicate(b"closed")
            clean = self.keeper.returncode == 0
        else:
            told, clean = b"its keeper was killed", not sweep.sweep(self.directory)
        if not clean:
            raise LabNotCleanError(f"{self.tag}: {told.decode(errors='replace')}")

    def _cable(self, name: str) -> Cable:
        number = self._register(name)
        cable = Cable(switch=self._switch, namespace=f"{self.tag}-{name}", number=number)
        with self._hosts_file.open("a") as file:
            # One short write at the end: the hosts that run have this very file mounted.
            file.write(f"{cable.address} {name}\n")
        return cable

    def _register(self, name: str) -> int:
        with self._naming:
            if not _NAME.fullmatch(name) or name in ("localhost", "switch", *self._names):
                raise ValueError(f"{name!r} is no new host name")
            if len(self._names) == MOST_HOSTS:
                raise ValueError(f"a lab has at most {MOST_HOSTS} hosts")
            self._names.append(name)
            return len(self._names) - 1

    def _start_keeper(self) -> subprocess.Popen[bytes]:
        with (self.directory / sweep.LOCK).open("w") as lock:
            # The lock belongs to the open file, so the keeper holds it once it has inherited it.
            fcntl.flock(lock, fcntl.LOCK_EX)
            return subprocess.Popen(
                (sys.executable, "-I", sweep.__file__, "keep", str(self.directory)),
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(lock.fileno(),),
                env=dict(ENVIRONMENT),
                start_new_session=True,
            )
