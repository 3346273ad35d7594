"""Each gate holds by itself, and all of them let through what fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations

from toolchain.model.version import Version

from .table.answers import has_arrived, is_refused_by_the_hook, is_right
from .table.commands import TARGETED, Gate, Kind
from .table.fleet import Fleet, Stop
from .table.middle import edge_attempts, on_middle
from .table.rows import Row, Speaker, Table
from .table.site import Site
from .table.trial import Attempt, Trial, attempts


def test_the_solver_alone(desk_fleet: Fleet) -> None:
    def work(site: Site, stop: Stop, installed: Version) -> Sequence[Row]:
        site.meet(stop.situation)
        every = edge_attempts(site, stop, installed)
        tried = share(
            desk_fleet, site, [attempt for attempt in every if attempt.kind.gate is Gate.SOLVER]
        )
        trial = Trial(
            site=site, situation=stop.situation, installed=installed, gates="solver alone"
        )
        with site.overridden():
            site.host.run(site.customer.server, "override", "--active")
            return trial.of(tried)

    table = on_middle(desk_fleet, "solver-alone", work)
    assert_all_tried(desk_fleet, table, lambda kind: kind.gate is Gate.SOLVER)
    assert table.told(row for row in table.rows if not is_right(row, desk_fleet.packaged)) == ""
    assert table.told(row for row in table.rows if row.speaker is Speaker.HOOK) == ""


def share(fleet: Fleet, site: Site, every: Sequence[Attempt]) -> Sequence[Attempt]:
    """A host's part of what all of them try together, each command once in each direction."""
    return every[fleet.sites.index(site) :: len(fleet.sites)]


def assert_all_tried(fleet: Fleet, table: Table, asked: Callable[[Kind], bool]) -> None:
    """Every command that names a version was tried if it is one of those."""
    wanted = {kind.name for kind in TARGETED[fleet.packaging] if asked(kind)}
    assert {row.kind.name for row in table.rows} == wanted


def asks_the_hook(kind: Kind) -> bool:
    """Whether a command comes to the transaction hook when no solver stands in its way."""
    return (
        kind.gate is Gate.SOLVER
        and not kind.removes
        and kind.words[0] != "rpm"
        and "--noplugins" not in kind.words
    )


def test_the_hook_alone(desk_fleet: Fleet) -> None:
    def work(site: Site, stop: Stop, installed: Version) -> Sequence[Row]:
        site.point(stop.situation)
        every = edge_attempts(site, stop, installed)
        trial = Trial(
            site=site,
            situation=stop.situation,
            installed=installed,
            gates="hook alone",
            synced=False,
        )
        tried = [attempt for attempt in every if asks_the_hook(attempt.kind)]
        return trial.of(share(desk_fleet, site, tried))

    table = on_middle(desk_fleet, "hook-alone", work)
    assert_all_tried(desk_fleet, table, asks_the_hook)
    assert told_wrong(table, desk_fleet) == ""


def told_wrong(table: Table, fleet: Fleet) -> str:
    return table.told(row for row in table.rows if not is_refused_by_the_hook(row, fleet.packaged))


def test_packages_that_say_what_the_shards_said_before(desk_fleet: Fleet) -> None:
    """Shards that were contracted since, and shards that were restored from a backup."""
    stops = [stop for stop in desk_fleet.rollout() if stop.situation.north == stop.situation.south]
    found: list[tuple[Stop, Stop, Version, Version]] = []
    for before, now in permutations(stops, 2):
        both = [version for version in before.legal if version in now.legal]
        found += [
            (before, now, both[0], target)
            for target in before.legal
            if both and target not in now.legal and target != both[0]
        ]
    newer = next(one for one in found if one[3] > one[2])
    older = next(one for one in found if one[3] < one[2])

    def work(site: Site, number: int) -> Sequence[Row]:
        if number > 1:
            return ()
        before, now, installed, target = (newer, older)[number]
        site.begin(before.situation, installed)
        site.meet(before.situation)
        site.point(now.situation)
        every = attempts(site.packaging, installed, target)
        trial = Trial(
            site=site,
            situation=now.situation,
            installed=installed,
            gates="all, stale",
            synced=False,
        )
        return trial.of([attempt for attempt in every if asks_the_hook(attempt.kind)])

    table = desk_fleet.on_each("stale", work)
    assert {row.target for row in table.rows} == {newer[3], older[3]}
    assert told_wrong(table, desk_fleet) == ""


def test_every_command_brings_a_server_that_fits(desk_fleet: Fleet) -> None:
    """The commands that are refused everywhere else do work."""
    stop = max(desk_fleet.rollout(), key=lambda stop: len(stop.legal))
    older, installed, newer = stop.legal[:3]

    def work(site: Site, number: int) -> Sequence[Row]:
        site.begin(stop.situation, installed)
        site.meet(stop.situation)
        ways: dict[str, list[Attempt]] = {}
        for target in (older, newer):
            for attempt in attempts(site.packaging, installed, target):
                if not attempt.kind.removes:
                    ways.setdefault(attempt.kind.name, []).append(attempt)
        # What can go in either direction goes up and down in turn.
        every = [way[turn % len(way)] for turn, way in enumerate(ways.values())]
        trial = Trial(site=site, situation=stop.situation, installed=installed, gates="all, legal")
        return trial.of(share(desk_fleet, site, every))

    table = desk_fleet.on_each("legal", work)
    assert_all_tried(desk_fleet, table, lambda kind: not kind.removes)
    assert {row.target for row in table.rows} == {older, newer}
    assert table.told(row for row in table.rows if not has_arrived(row, desk_fleet.packaged)) == ""
