"""Promoting a release that a channel offers already."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.errors import UsageError
from toolchain.model.version import Version
from toolchain.publish.arrivals import Arrival
from toolchain.publish.deeds.desk import Desk, Outcome
from toolchain.publish.deeds.offer import offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote:
    """Offer in other channels what one offers, byte for byte.

    `force` brings a release back that was withdrawn there.
    """

    release: Version
    source: str
    channels: Sequence[str]
    force: bool = False

    def decide(self, desk: Desk) -> Outcome:
        """Take the release's packages as they were published."""
        product = desk.product()
        desk.require((self.source,))
        arrived = tuple(
            Arrival(file=record.within(desk.repository), release=record.release, known=record)
            for record in desk.state.channels.members(self.source)
            if record.release == str(self.release)
        )
        if not arrived:
            raise UsageError(
                f"{self.source} does not offer {self.release}", "publish its packages there first"
            )
        return offer(desk, product, arrived, self.channels, force=self.force)
