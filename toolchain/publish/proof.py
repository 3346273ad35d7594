"""The proof of what customers would see: all that a channel offers, with what is new there."""

from collections.abc import Callable, Sequence
from pathlib import Path

from toolchain.model.carried import PackageFile
from toolchain.publish.arrivals import Arrival
from toolchain.publish.state import State

# Given a channel, all packages that it would offer, and the digests of those that are new there,
# raises RefusedError where they are not proved.
Proof = Callable[[str, Sequence[PackageFile], frozenset[str]], None]


def prove_channel(
    prove: Proof, state: State, repository: Path, channel: str, new: Sequence[Arrival]
) -> None:
    """Prove a channel, but for the packages that set clients up, which publishing makes itself."""
    there = [
        record.within(repository)
        for record in state.channels.members(channel)
        if not record.file.name.endswith("-repository")
    ]
    arriving = [one.file if one.known is None else one.known.within(repository) for one in new]
    prove(channel, (*there, *arriving), frozenset(file.sha256 for file in arriving))
