"""A place on a lab's network for programs of the build machine: a control node, a balancer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from . import launch, sweep
from .commands import Result, run
from .network import Cable


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """Programs of the build machine that see the lab's network, and no other.

    They know no host by name, since they read the machine's own /etc/hosts: give them addresses.
    All that they leave running, a daemon included, dies with the lab.
    """

    name: str
    tag: str
    cable: Cable

    @property
    def address(self) -> str:
        """The IPv4 address in the lab."""
        return self.cable.address

    def command(self, *argv: str) -> tuple[str, ...]:
        """Describe how a program of the build machine is run on the lab's network."""
        # In a cgroup of the lab, where the sweep finds what ssh leaves in the background.
        cgroups = (str(root / self.tag / self.name) for root in sweep.cgroup_roots())
        network = ("nsenter", f"--net=/run/netns/{self.cable.namespace}")
        return (sys.executable, "-I", "-S", launch.__file__, *cgroups, "--", *network, *argv)

    def run(
        self,
        *argv: str,
        check: bool = True,
        timeout: float = 120,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run a program; see `commands.run` for the errors. `timeout` is in seconds."""
        return run(*self.command(*argv), check=check, timeout=timeout, env=env)
