"""Offering packages in channels: those that lack them, unless their release was withdrawn."""

from collections.abc import Sequence

from toolchain.errors import RefusedError
from toolchain.publish.arrivals import Arrival
from toolchain.publish.deeds.desk import Desk, Outcome
from toolchain.publish.state import State


def offer(
    desk: Desk, product: str, arrived: Sequence[Arrival], channels: Sequence[str], *, force: bool
) -> Outcome:
    """What is new in each channel; `force` brings a withdrawn release back."""
    for channel in channels:
        _require_not_withdrawn(desk.state, channel, arrived, force=force)
    arriving = {channel: _new(desk.state, channel, arrived) for channel in channels}
    changed = tuple(channel for channel, new in arriving.items() if new)
    return Outcome(product=product, channels=changed, arriving=arriving)


def _require_not_withdrawn(
    state: State, channel: str, arrived: Sequence[Arrival], *, force: bool
) -> None:
    withdrawals = state.channels.withdrawals(channel)
    for release in dict.fromkeys(one.release for one in arrived):
        if release is None or release not in withdrawals:
            continue
        if not force:
            raise RefusedError(
                f"{release} was withdrawn from {channel}: {withdrawals[release].reason}",
                "publish a new release, or bring this one back with --force",
            )
        state.channels.restore(channel, release)


def _new(state: State, channel: str, arrived: Sequence[Arrival]) -> tuple[Arrival, ...]:
    return tuple(
        one
        for one in arrived
        if one.known is None or channel not in state.channels.offering(one.known)
    )
