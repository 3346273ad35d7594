"""What one run on one shard carries along: the package, the author, the wish to stop, the story."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from .manifest import Manifest
from .options import Settings
from .records import Author
from .session import Connect
from .stop import Stop


@dataclass(frozen=True)
class Activity:
    """What a shard is doing at the moment; rates in rows a second, times in seconds."""

    text: str
    done: int | None = None
    total: int | None = None
    rate: float | None = None
    left: float | None = None


class Teller(Protocol):
    """Where a run tells what happens on its shard."""

    def say(self, text: str) -> None:
        """Something happened that is worth a line."""

    def show(self, activity: Activity) -> None:
        """This is what goes on; called as often as it changes."""


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
