"""A control node: Ansible on this machine, which reaches the hosts of a lab over ssh."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .commands import ENVIRONMENT, Result, find_tool, run
from .host import Host
from .layers import Layer
from .recipes import DEBIAN, RPM, Packaging
from .station import Station

LAYERS: Mapping[Packaging, Layer] = {
    Packaging.DEB: Layer(name="debian-ssh", recipe=DEBIAN, packages=("openssh-server",)),
    Packaging.RPM: Layer(name="rpm-ssh", recipe=RPM, packages=("openssh-server",)),
}
_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key.pub"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNode:
    """Where an operator runs rollouts: a home directory, a key, and the keys of the hosts."""

    station: Station
    home: Path

    @property
    def _key(self) -> Path:
        return self.home / "id_ed25519"

    @property
    def _known_hosts(self) -> Path:
        return self.home / "known_hosts"

    def admit(self, hosts: Iterable[Host]) -> None:
        """Make a key that opens the hosts for root, and learn by which keys they are known."""
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._key))
        public = self._key.with_suffix(".pub").read_text()
        lines = []
        for host in hosts:
            host.write("/root/.ssh/authorized_keys", public, mode=0o600)
            lines.append(f"{host.address} {host.read(_HOST_KEY)}")
        self._known_hosts.write_text("".join(lines))

    def connection(self, host: Host) -> dict[str, str]:
        """How Ansible comes to the host, as its variables: nothing that is unknown is trusted."""
        return {
            "ansible_host": host.address,
            "ansible_user": "root",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": str(self._key),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={self._known_hosts}"
            " -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes",
        }

    def command(self, directory: Path, *words: str) -> tuple[str, ...]:
        """Describe a command of Ansible in the directory whose ansible.cfg is to count."""
        name, *arguments = words
        tool = find_tool(name) or name
        return self.station.command("env", f"--chdir={directory}", tool, *arguments)

    def run(self, directory: Path, *words: str, timeout: float = 1800) -> Result:
        """Run it to its end, whatever that is; `timeout` is in seconds."""
        command = self.command(directory, *words)
        return run(*command, check=False, timeout=timeout, env=self.environment)

    def start(self, directory: Path, log: Path, *words: str) -> subprocess.Popen[bytes]:
        """Start it, with all that it says in the file `log`."""
        with log.open("wb") as stream:
            return subprocess.Popen(
                self.command(directory, *words),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env={**ENVIRONMENT, **self.environment},
                start_new_session=True,
            )

    @property
    def environment(self) -> dict[str, str]:
        """What Ansible needs of it: its own tools first, and a home for its files."""
        path = os.pathsep.join((str(Path(sys.executable).parent), ENVIRONMENT["PATH"]))
        return {"PATH": path, "HOME": str(self.home), "ANSIBLE_HOME": str(self.home / "ansible")}


def changes(output: str) -> dict[str, dict[str, int]]:
    """The last table of a play: for each host the count of each outcome."""
    recap = output.rpartition("PLAY RECAP")[2]
    rows = (line.partition(" : ") for line in recap.splitlines() if " : ok=" in line)
    return {
        host.strip(): {
            name: int(count) for name, count in (word.split("=") for word in words.split())
        }
        for host, _, words in rows
    }


def as_yaml(value: object) -> str:
    """Write a value as JSON, which is YAML too."""
    return json.dumps(value, indent=1) + "\n"
