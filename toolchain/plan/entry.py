"""What stands in a package: files, links and directories."""

from dataclasses import dataclass
from enum import Enum


class EntryKind(Enum):
    """How a package manager treats a file."""

    PLAIN = "plain"
    CONFIG = "config"
    DOCUMENT = "document"
    LICENCE = "licence"


@dataclass(frozen=True, slots=True)
class Payload:
    """The content of a file of the product's directory, by its path relative to it."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A regular file; `content` is its bytes, or the payload file that brings them.

    `mode` holds the permission bits, setuid included where the spec declares it. With `gzip`
    the content is compressed when it is staged, without a name or a time in the header.
    """

    path: str
    content: bytes | Payload
    mode: int = 0o644
    kind: EntryKind = EntryKind.PLAIN
    group: str = "root"
    gzip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A symbolic link; `to` is what it points at, as written."""

    path: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """A directory that the package owns, so that removal takes it away when it is empty."""

    path: str
    mode: int = 0o755


Entry = File | Link | Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One file, link or directory found below a payload source.

    `path` is relative to the source and empty for the source itself; `machine` is the ELF
    architecture (`amd64`, `arm64`, another machine's number) of a binary, None for all else.
    """

    path: str
    is_directory: bool = False
    executable: bool = False
    link: str | None = None
    machine: str | None = None
