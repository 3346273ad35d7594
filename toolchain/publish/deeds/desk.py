"""What every deed decides upon, and what it decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from toolchain.errors import UsageError
from toolchain.publish.arrivals import Arrival
from toolchain.publish.deeds.rule import Pruning
from toolchain.publish.record import Record
from toolchain.publish.state import State, unpublished
from toolchain.publish.tables.generations import Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The state, in the transaction that the deed's changes belong to.

    `now` is in seconds since 1970; `signing` are the keys that sign, none in a dry run.
    """

    state: State
    repository: Path
    now: int
    signing: Sequence[str]

    def product(self) -> str:
        """The product of the repository; raises UsageError where nothing was published yet."""
        product = self.state.settings.get("product")
        if product is None:
            raise unpublished()
        return product

    def require(self, channels: Sequence[str]) -> None:
        """Raise UsageError on a channel that was never published."""
        known = self.state.generations.newest()
        for channel in channels:
            if channel not in known:
                raise UsageError(
                    f"there is no channel {channel}",
                    f"there is {' and '.join(known) or 'none yet'}",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a deed did, or would do, by channel.

    `channels` are those whose indexes it makes anew. `generations` says what each of them became,
    and stays empty in a dry run.
    """

    product: str
    channels: Sequence[str] = ()
    arriving: Mapping[str, tuple[Arrival, ...]] = field(default_factory=dict)
    removed: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    prunings: Mapping[str, Pruning] = field(default_factory=dict)
    retired: tuple[Record, ...] = ()
    generations: Mapping[str, Generation] = field(default_factory=dict)


class Deed(Protocol):
    """Something to do to a repository."""

    def decide(self, desk: Desk) -> Outcome:
        """Say what changes, and change the state so; raises UsageError, RefusedError."""
        ...
