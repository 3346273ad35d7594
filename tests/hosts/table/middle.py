"""Stops in the middle of a rollout, where an older and a newer server are illegal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from toolchain.model.version import Version

from .fleet import Fleet, Stop
from .rows import Row, Table
from .site import Site
from .trial import Attempt, attempts


def middle(fleet: Fleet) -> list[Stop]:
    """Stops between the oldest and the newest server, one for each host: both sides are illegal."""
    versions = fleet.packaged.versions
    found = [stop for stop in fleet.rollout() if not {versions[0], versions[-1]} & set(stop.legal)]
    return found[:: max(1, len(found) // len(fleet.sites))][: len(fleet.sites)]


def on_middle(
    fleet: Fleet, name: str, work: Callable[[Site, Stop, Version], Sequence[Row]]
) -> Table:
    """Do something with each host at a stop of its own, and keep what came of it.

    The shards' packages are not there when it begins.
    """
    stops = middle(fleet)

    def at_stop(site: Site, number: int) -> Sequence[Row]:
        stop = stops[number % len(stops)]
        installed = stop.legal[number % len(stop.legal)]
        site.begin(stop.situation, installed)
        return work(site, stop, installed)

    return fleet.on_each(name, at_stop)


def nearest(site: Site, stop: Stop, installed: Version) -> list[Version]:
    """The illegal versions next to what is installed, an older and a newer one."""
    illegal = [version for version in site.packaged.versions if version not in stop.legal]
    older = [version for version in illegal if version < installed]
    newer = [version for version in illegal if version > installed]
    return [*older[-1:], *newer[:1]]


def edge_attempts(site: Site, stop: Stop, installed: Version) -> list[Attempt]:
    """Every command that can ask for one of the nearest."""
    targets = nearest(site, stop, installed)
    return [one for target in targets for one in attempts(site.packaging, installed, target)]
