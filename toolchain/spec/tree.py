"""The seam to a product's directory: what `spec` asks of it, and nothing about how it answers."""

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

Kind = Literal[
    "file", "directory", "link", "missing", "dangling", "escaping", "special", "unreadable"
]

# A word for each kind that fits "X is …".
KIND_WORDS: dict[Kind, str] = {
    "file": "a file",
    "directory": "a directory",
    "link": "a symbolic link",
    "missing": "missing",
    "dangling": "a symbolic link that leads nowhere",
    "escaping": "reached through a symbolic link that leads out of the product",
    "special": "a device, a socket or a pipe",
    "unreadable": "not readable",
}


class Entry(Protocol):
    """What is known of a path without reading it."""

    @property
    def kind(self) -> Kind:
        """What stands there."""
        ...

    @property
    def size(self) -> int:
        """Bytes of a file; 0 for anything else."""
        ...

    @property
    def mode(self) -> int:
        """Permission bits, setuid, setgid and sticky among them."""
        ...

    @property
    def leads_to(self) -> str:
        """The text of a symbolic link; empty for anything else."""
        ...


class Tree(Protocol):
    """A product's directory; paths are relative to it and use `/`."""

    def shown(self, path: str) -> str:
        """The path as the user would type it: what every sentence and report prints."""
        ...

    def names(self) -> Sequence[str]:
        """The names at the top, sorted; raises OSError when the directory cannot be read."""
        ...

    def look(self, path: str) -> Entry:
        """What stands at a path, links followed, so never of kind `link`; raises nothing.

        A file that this user may not read is of kind `unreadable`, here and in `walk`.
        """
        ...

    def walk(self, path: str) -> Iterable[tuple[str, Entry]]:
        """All below a directory by path relative to it, sorted; links are not followed.

        Raises OSError when a directory cannot be read.
        """
        ...

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of a file that `look` called one; raises OSError."""
        ...
