"""What goes on at one shard, and where that is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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
