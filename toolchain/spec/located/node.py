"""A YAML document as a tree of values that know their line and column.

Named tuples, not dataclasses: a product has thousands of nodes, few of whose places are ever asked
for, and a tuple is made in a fifth of the time.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from toolchain.model.origin import Origin

Path = tuple[str | int, ...]


class Mark(NamedTuple):
    """A place in a file, before anyone asks for it."""

    file: str
    line: int
    column: int

    @property
    def origin(self) -> Origin:
        """The place as the model has it."""
        return Origin(file=self.file, line=self.line, column=self.column)


class Scalar(NamedTuple):
    """One value, as text; `plain` when it was written without quotes, so may be a number."""

    text: str
    plain: bool
    mark: Mark

    @property
    def origin(self) -> Origin:
        """Where the value begins."""
        return self.mark.origin


class Items(NamedTuple):
    """A list."""

    nodes: tuple["Node", ...]
    mark: Mark

    @property
    def origin(self) -> Origin:
        """Where the list begins."""
        return self.mark.origin


class Table(NamedTuple):
    """A mapping: values by key, and where each key stands.

    The readers below are for tables whose shape has been checked; they raise KeyError or TypeError
    on any other.
    """

    nodes: Mapping[str, "Node"]
    keys: Mapping[str, Mark]
    mark: Mark

    @property
    def origin(self) -> Origin:
        """Where the mapping begins."""
        return self.mark.origin

    def has(self, key: str) -> bool:
        """Whether the key was written."""
        return key in self.nodes

    def scalar(self, key: str) -> Scalar:
        """The value of a key, with its place."""
        node = self.nodes[key]
        if not isinstance(node, Scalar):
            raise TypeError(f"{node.origin}: not a scalar")
        return node

    def text(self, key: str, default: str = "") -> str:
        """The value of a key as text."""
        return self.scalar(key).text if key in self.nodes else default

    def number(self, key: str, default: int = 0) -> int:
        """The value of a key as a whole number."""
        return int(self.scalar(key).text) if key in self.nodes else default

    def flag(self, key: str, *, default: bool) -> bool:
        """The value of a key as true or false."""
        return self.scalar(key).text == "true" if key in self.nodes else default

    def table(self, key: str) -> "Table":
        """The mapping under a key; an empty one at this table's place when there is none."""
        return as_table(self.nodes.get(key) or Table({}, {}, self.mark))

    def items(self, key: str) -> "tuple[Node, ...]":
        """The list under a key; empty when there is none."""
        node = self.nodes.get(key) or Items((), self.mark)
        if not isinstance(node, Items):
            raise TypeError(f"{node.origin}: not a list")
        return node.nodes

    def tables(self, key: str) -> Iterable["Table"]:
        """The mappings of a list."""
        return map(as_table, self.items(key))

    def scalars(self, key: str) -> Iterable[Scalar]:
        """The values of a list."""
        return map(as_scalar, self.items(key))


Node = Scalar | Items | Table


def as_table(node: Node) -> Table:
    """The node as a mapping; raises TypeError when it is none."""
    if not isinstance(node, Table):
        raise TypeError(f"{node.origin}: not a mapping")
    return node


def as_scalar(node: Node) -> Scalar:
    """The node as a value; raises TypeError when it is none."""
    if not isinstance(node, Scalar):
        raise TypeError(f"{node.origin}: not a scalar")
    return node


def node_at(root: Node, path: Iterable[str | int]) -> Node:
    """The node at a path, or the deepest one on the way to it."""
    for step in path:
        match root, step:
            case Table(), str() if step in root.nodes:
                root = root.nodes[step]
            case Items(), int() if step < len(root.nodes):
                root = root.nodes[step]
            case _:
                break
    return root


def shown_path(path: Iterable[str | int]) -> str:
    """A path as sentences print it: `schema.expand[0].sql`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
