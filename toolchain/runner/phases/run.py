"""What one run on one shard carries along: the package, the author, the wish to stop, the story."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.options import Settings
from ..core.session import Connect
from ..core.stop import Stop
from ..ledger.manifest import Manifest
from ..ledger.records import Author
from .activity import Teller


@dataclass
class Run:
    """One run on one shard.

    It outlives lost connections: `ran` lists what was done, `advances` counts what was committed.
    """

    manifest: Manifest
    author: Author
    settings: Settings
    stop: Stop
    teller: Teller
    connect: Connect
    application: str
    ran: list[str] = field(default_factory=list)
    advances: int = 0

    @property
    def product(self) -> str:
        """The product's name, the key of all of the ledger's tables."""
        return self.manifest.product

    def did(self, what: str) -> None:
        """An action is committed."""
        self.advances += 1
        self.ran.append(what)
        self.teller.say(what)
