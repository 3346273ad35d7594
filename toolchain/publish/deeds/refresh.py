"""Signing the indexes anew, and trusting former keys no more."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.publish.deeds.desk import Desk, Outcome
from toolchain.publish.deeds.retire import retire
from toolchain.publish.keys import drop_key
from toolchain.publish.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """Sign the indexes anew, of all channels where none is named.

    `dropped` are fingerprints; the rpms that they signed go from every channel. `force` lets a
    release go that is offered by such rpms alone.
    """

    channels: Sequence[str] = ()
    dropped: Sequence[str] = ()
    force: bool = False

    def decide(self, desk: Desk) -> Outcome:
        """Change nothing but what a dropped key has signed."""
        product, state = desk.product(), desk.state
        desk.require(self.channels)
        every = tuple(state.generations.newest())
        if not self.dropped:
            return Outcome(product=product, channels=self.channels or every)
        removed: dict[str, tuple[Record, ...]] = {}
        for key in self.dropped:
            goes = drop_key(state, key, desk.signing, now=desk.now, force=self.force)
            for channel, records in goes.items():
                removed[channel] = (*removed.get(channel, ()), *records)
        retired = retire(state, desk.now)
        return Outcome(product=product, channels=every, removed=removed, retired=retired)
