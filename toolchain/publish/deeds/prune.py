"""Pruning channels by a rule."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.model.release import Product
from toolchain.publish.deeds.desk import Desk, Outcome
from toolchain.publish.deeds.retire import retire
from toolchain.publish.deeds.rule import Pruning, Rule, plan_pruning
from toolchain.publish.offered import releases
from toolchain.publish.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Prune:
    """Take out what a rule does not keep; of all channels where none is named.

    `product` has the law where specs are to tell it instead of the packages.
    """

    rule: Rule
    channels: Sequence[str] = ()
    product: Product | None = None

    def decide(self, desk: Desk) -> Outcome:
        """Apply the rule to each channel; files that none offers any more go later."""
        product, state = desk.product(), desk.state
        desk.require(self.channels)
        prunings = {
            channel: plan_pruning(state, channel, self.rule, now=desk.now, product=self.product)
            for channel in self.channels or tuple(state.generations.newest())
        }
        removed = {
            channel: _take_out(desk, channel, pruning)
            for channel, pruning in prunings.items()
            if pruning.goes
        }
        return Outcome(
            product=product,
            channels=tuple(removed),
            removed=removed,
            prunings=prunings,
            retired=retire(state, desk.now),
        )


def _take_out(desk: Desk, channel: str, pruning: Pruning) -> tuple[Record, ...]:
    """Have a channel offer no more what goes; the packages that this were."""
    offered = releases(desk.state.channels.members(channel))
    records = tuple(record for version in pruning.goes for record in offered[version])
    for record in records:
        desk.state.channels.leave(channel, record, desk.now)
    return records
