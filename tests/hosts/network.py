"""The network of a lab: one switch, and a cable from it to each host; it leads nowhere else.

Every link is made inside the lab's own namespaces, so neither a name nor a packet of it is
ever seen in the machine's own network.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from .commands import CommandError, run

SUBNET = "10.99.0.0/24"
MOST_HOSTS = 240
_FIRST_ADDRESS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A bridge in a namespace of its own."""

    namespace: str

    def install(self) -> None:
        """Make the namespace and the bridge."""
        run("ip", "netns", "add", self.namespace)
        _ip(self.namespace, "link", "add", "switch", "type", "bridge")
        _ip(self.namespace, "link", "set", "switch", "up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """What joins host `number` (from 0) to the switch: a pair of interfaces and an address."""

    switch: Switch
    namespace: str
    number: int

    @property
    def address(self) -> str:
        """The host's address, the same for its whole life."""
        return f"10.99.0.{_FIRST_ADDRESS + self.number}"

    @property
    def _port(self) -> str:
        return f"port{self.number}"

    def plug(self) -> None:
        """Make the host's network anew, as a machine that starts does."""
        # The hardware address stays: neighbours that remember another one do not find a
        # restarted host for several seconds.
        hardware = f"02:00:00:00:00:{_FIRST_ADDRESS + self.number:02x}"
        pair = ("type", "veth", "peer", "name", "eth0", "address", hardware)
        run("ip", "netns", "add", self.namespace)
        _ip(self.switch.namespace, "link", "add", self._port, *pair, "netns", self.namespace)
        _ip(self.switch.namespace, "link", "set", self._port, "master", "switch", "up")
        _ip(self.namespace, "link", "set", "lo", "up")
        _ip(self.namespace, "address", "add", f"{self.address}/24", "dev", "eth0")
        _ip(self.namespace, "link", "set", "eth0", "up")

    def unplug(self) -> None:
        """Take the cable away with both its ends; the host's network ends with it."""
        with contextlib.suppress(CommandError):
            _ip(self.switch.namespace, "link", "delete", self._port)
        with contextlib.suppress(CommandError):
            run("ip", "netns", "delete", self.namespace)

    def cut(self) -> None:
        """Let nothing through, in either direction; nobody is told."""
        _ip(self.switch.namespace, "link", "set", self._port, "down")

    def join(self) -> None:
        """Let everything through again."""
        _ip(self.switch.namespace, "link", "set", self._port, "up")


def _ip(namespace: str, *argv: str) -> None:
    run("ip", "-netns", namespace, *argv)
