"""Adding packages that were built."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.model.carried import PackageFile
from toolchain.publish.arrivals import arrivals, product_of
from toolchain.publish.deeds.desk import Desk, Outcome
from toolchain.publish.deeds.offer import offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Offer packages in channels; what is there already is left alone.

    `allowed` are names of other packages that may come in; `force` brings withdrawn releases back.
    """

    files: Sequence[PackageFile]
    channels: Sequence[str]
    allowed: frozenset[str] = frozenset()
    force: bool = False

    def decide(self, desk: Desk) -> Outcome:
        """Look at every package before anything is done."""
        product = product_of(self.files, desk.state.settings.get("product"))
        arrived = arrivals(desk.state, self.files, product, self.allowed)
        return offer(desk, product, arrived, self.channels, force=self.force)
