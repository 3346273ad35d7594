"""Entries of servers that are in order at a glance: nearly all of a large inventory are."""

from toolchain.model.version import Version
from toolchain.spec.located.node import Items, Node, Scalar, Table
from toolchain.spec.problem import Complaint
from toolchain.spec.shape import plain
from toolchain.spec.values import names

_ONE = {"host", "version"}
_SEVERAL = {"hosts", "version"}
_MOST = 200_000  # as the schema has it


class SoundServers:
    """Tells `{host: web1, version: 4.0.0}` from everything that the schema must look at."""

    def __init__(self) -> None:
        self._versions: set[str] = set()

    def __call__(self, node: Node) -> bool:
        """Whether the schema would find nothing here; False where that takes a closer look."""
        if not isinstance(node, Table):
            return False
        if node.nodes.keys() == _ONE:
            return self._is_version(node.nodes["version"]) and _is_host(node.nodes["host"])
        if node.nodes.keys() == _SEVERAL:
            hosts = node.nodes["hosts"]
            return (
                self._is_version(node.nodes["version"])
                and isinstance(hosts, Items)
                and 0 < len(hosts.nodes) <= _MOST
                and all(map(_is_host, hosts.nodes))
            )
        return False

    def _is_version(self, node: Node) -> bool:
        if not isinstance(node, Scalar):
            return False
        if node.text in self._versions:
            return True
        try:
            Version.parse(node.text)
        except ValueError:
            return False
        self._versions.add(node.text)
        return True


def _is_host(node: Node) -> bool:
    if not isinstance(node, Scalar) or plain.is_nothing(plain.view(node)):
        return False
    try:
        names.host(node.text)
    except Complaint:
        return False
    return True
