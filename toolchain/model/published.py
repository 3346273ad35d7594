"""What packages that customers already have say: facts that no spec can change any more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from toolchain.model.version import Version
from toolchain.model.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedServer:
    """A server package's windows; `peers` is None where the package does not tell."""

    schemas: Window[int]
    peers: Window[Version] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDatabase:
    """A database package's schema and window, and its own steps by id with their SHA-256.

    `steps` is None where the package carries no manifest.
    """

    schema: int
    servers: Window[Version]
    steps: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One package file of a product's release; exactly one half is there."""

    product: str
    version: Version
    file: str
    server: PublishedServer | None = None
    database: PublishedDatabase | None = None


# What finds the published packages of a product, by the product's name.
PublishedReader = Callable[[str], Sequence[Published]]
