"""Withdrawing a release from a channel: at once, unless it is a stop that others need."""

from toolchain.errors import RefusedError, UsageError
from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.plan.repository.stops import stranded
from toolchain.publish.offered import customers_at, offered_chain, releases
from toolchain.publish.record import Record
from toolchain.publish.state import State, Withdrawal


def withdraw(
    state: State, channel: str, withdrawal: Withdrawal, *, product: Product | None, force: bool
) -> tuple[Record, ...]:
    """Take a release out of a channel, and say which packages those were.

    Raises UsageError where it is not there, RefusedError where others would be left without a way
    to the newest release. The newest itself can always go.
    """
    release = Version.parse(withdrawal.release)
    offered = releases(state.members(channel))
    records = offered.get(release)
    if records is None:
        listed = ", ".join(map(str, offered)) or "nothing"
        raise UsageError(f"{channel} does not offer {release}", f"it offers {listed}")
    if not force:
        _require_unneeded(state, channel, release, product, tuple(offered))
    for record in records:
        state.leave(channel, record, withdrawal.at)
    state.withdraw(channel, withdrawal)
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
