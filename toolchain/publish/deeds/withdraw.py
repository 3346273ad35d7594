"""Withdrawing a release from channels: at once, unless it is a stop that others need."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.errors import RefusedError, UsageError
from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.plan.repository.stops import stranded
from toolchain.publish.deeds.desk import Desk, Outcome
from toolchain.publish.offered import customers_at, offered_chain, releases
from toolchain.publish.record import Record
from toolchain.publish.state import State
from toolchain.publish.tables.channels import Withdrawal


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Take a release out of channels at once; `force` leaves others without a way.

    `product` has the law where specs are to tell it instead of the packages.
    """

    release: Version
    channels: Sequence[str]
    reason: str
    product: Product | None = None
    force: bool = False

    def decide(self, desk: Desk) -> Outcome:
        """Raise RefusedError where others would be left without a way to the newest release.

        The newest itself can always go.
        """
        product = desk.product()
        desk.require(self.channels)
        removed = {channel: self._leave(desk, channel) for channel in self.channels}
        return Outcome(product=product, channels=self.channels, removed=removed)

    def _leave(self, desk: Desk, channel: str) -> tuple[Record, ...]:
        state = desk.state
        offered = releases(state.channels.members(channel))
        records = offered.get(self.release)
        if records is None:
            listed = ", ".join(map(str, offered)) or "nothing"
            raise UsageError(f"{channel} does not offer {self.release}", f"it offers {listed}")
        if not self.force:
            _require_unneeded(state, channel, self.release, self.product, tuple(offered))
        for record in records:
            state.channels.leave(channel, record, desk.now)
        withdrawal = Withdrawal(release=str(self.release), reason=self.reason, at=desk.now)
        state.channels.withdraw(channel, withdrawal)
        return tuple(records)


def _require_unneeded(
    state: State,
    channel: str,
    release: Version,
    product: Product | None,
    offered: tuple[Version, ...],
) -> None:
    before = offered_chain(state, channel, product, without=frozenset())
    after = offered_chain(state, channel, product, without=frozenset({release}))
    lost = stranded(before, after, [one for one in customers_at(state, channel) if one != release])
    if lost:
        listed = ", ".join(dict.fromkeys(str(start) for start, _ in lost))
        raise RefusedError(
            f"{release} is a stop: without it no fleet at {listed} comes to {lost[-1][1]}",
            "publish a release that takes its place first, or leave them there with --force",
        )
    for version in offered:
        if version == release:
            continue
        place = before.database(before.places[version])
        if place is not None and before[place].version == release:
            raise RefusedError(
                f"{version} has no database package of its own, and goes with that of {release}",
                f"withdraw {version} first, or leave it without one with --force",
            )
