"""The versions that each host is pinned to in a wave, for tools that keep hosts as told."""

from collections.abc import Mapping
from dataclasses import dataclass

from toolchain.plan.rollout.telling.orders import Order, Orders
from toolchain.plan.rollout.world.inventory import Side

Pins = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WavePins:
    """By host, the version (with revision) of each package that this wave or one before it moved.

    `phases` are the commands, as words, that each host of a wave of shards runs afterwards.
    """

    name: str
    what: str
    pins: Pins
    phases: Mapping[str, tuple[tuple[str, ...], ...]]


def pins_of(orders: Orders) -> tuple[WavePins, ...]:
    """The pins of every wave, in order; what no wave has moved yet is pinned nowhere."""
    pins: dict[str, dict[str, str]] = {}
    found: list[WavePins] = []
    for wave in orders.waves:
        plays = orders.of(wave)
        last = plays[-1]
        package = (
            orders.product.server_package
            if last.side is Side.SERVERS
            else orders.product.database_package
        )
        for host in last.hosts:
            pins[host] = {**pins.get(host, {}), package: last.version}
        found.append(
            WavePins(
                name=f"{wave:02d}-{last.side.value}-{last.release}",
                what=f"{last.side.value} to {last.release}",
                pins={host: dict(sorted(pins[host].items())) for host in sorted(pins)},
                phases={host: _phases(orders, plays, host) for host in last.hosts}
                if last.side is Side.SHARDS
                else {},
            )
        )
    return tuple(found)


def _phases(orders: Orders, plays: tuple[Order, ...], host: str) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            *(orders.product.database_package, "apply"),
            *("--to", str(play.release), "--phase", play.phase.value),
            *(word for shard in orders.runners[host][play.wave] for word in ("--shard", shard)),
        )
        for play in plays
    )
