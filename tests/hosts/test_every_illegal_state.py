"""Two shards, three servers: every command for every illegal server in every state of the shards.

The shards are walked by the product's own runner, half-way states included; what they say of
themselves comes from their ledgers, and `toolchain.model.law` says which servers may run. Every
command is really tried, and after each the versions are looked up. The tables are written below
`build/tables`.

By default the shards go through a rollout, one after another. For fleetdesk each server that may run
is asked for each that may not, for procrastinate's long chain one server for those at the edges; each
time by some of the commands, in turn. INTERLOCK_TABLE=rollout asks all of procrastinate's servers for
all that may not run, too. INTERLOCK_TABLE=whole tries every two states that some server bears, with
every server and every command.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from toolchain.model.version import Version

from .table import Outcome, Row, Table, cells
from .table_answers import is_right
from .table_commands import TARGETED, UNTARGETED
from .table_fleet import Fleet, Stop, lead
from .table_site import Site
from .table_trial import Trial, attempts

EXTENT = os.environ.get("INTERLOCK_TABLE", "")
WHOLE = EXTENT == "whole"
# Each time one of so many parts of the commands is tried, and the next time another.
PARTS = 6


def test_fleetdesk(desk_fleet: Fleet) -> None:
    stops = desk_fleet.every_pair() if WHOLE else desk_fleet.rollout()
    check(desk_fleet, stops, thorough=True)


def test_procrastinate(jobs_fleet: Fleet) -> None:
    stops = jobs_fleet.every_pair() if WHOLE else jobs_fleet.rollout()
    check(jobs_fleet, stops, thorough=bool(EXTENT))


def check(fleet: Fleet, stops: Sequence[Stop], *, thorough: bool) -> None:
    """Try everything on three hosts at once."""

    def work(site: Site, number: int) -> Iterator[Row]:
        mine = stops if thorough else stops[number :: len(fleet.sites)]
        for turn, stop in enumerate(lead(site, fleet.way(mine))):
            illegal = [version for version in fleet.packaged.versions if version not in stop.legal]
            # Three hosts share the legal versions of a stop in turn, or the stops.
            legal = stop.legal[(number + turn) % len(fleet.sites) :: len(fleet.sites)]
            if not thorough:
                legal = stop.legal[turn % len(stop.legal) :][:1]
            there = site.customer.pair().server
            for installed in sorted(legal, key=lambda version: version != there):
                site.move(installed)
                targets = illegal if thorough else outermost(illegal, installed)
                yield from tried(site, stop, installed, targets, turn)

    extent = f"-{EXTENT}" if EXTENT else ""
    table = fleet.on_each(f"{fleet.packaged.product.name}{extent}", work)
    assert_no_illegal_state(fleet, stops, table, thorough=thorough)


def tried(
    site: Site, stop: Stop, installed: Version, targets: Sequence[Version], turn: int
) -> tuple[Row, ...]:
    """Ask for each of the versions, and for none, by all commands or by a part of them."""
    parts = 1 if WHOLE else PARTS
    trial = Trial(site=site, situation=stop.situation, installed=installed, gates="all")
    return trial.of(
        [
            attempt
            for number, target in enumerate((*targets, None), turn)
            for attempt in attempts(site.packaging, installed, target)[number % parts :: parts]
        ]
    )


def outermost(illegal: Sequence[Version], installed: Version) -> list[Version]:
    """The nearest and the farthest illegal versions, older and newer ones."""
    older = [version for version in illegal if version < installed]
    newer = [version for version in illegal if version > installed]
    chosen = {*older[:1], *older[-1:], *newer[:1], *newer[-1:]}
    return sorted(chosen)


def assert_no_illegal_state(
    fleet: Fleet, stops: Sequence[Stop], table: Table, *, thorough: bool
) -> None:
    """Nothing illegal was reached, all was tried, and each refusal gives a true reason."""
    assert table.told(row for row in table.rows if row.outcome is Outcome.ILLEGAL) == ""
    tried = cells(table.rows)
    for stop in stops if thorough else ():
        illegal = [version for version in fleet.packaged.versions if version not in stop.legal]
        for installed in stop.legal:
            for target in illegal:
                assert (stop.situation, installed, target) in tried
    for kind in (*TARGETED[fleet.packaging], *UNTARGETED[fleet.packaging]):
        assert any(row.kind is kind for row in table.rows), kind.name
    assert table.told(row for row in table.rows if not is_right(row, fleet.packaged)) == ""
