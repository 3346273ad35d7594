"""Two shards, three servers: every command for every illegal server in every state of the shards.

The shards are walked by the product's own runner, half-way states included; what they say of
themselves comes from their ledgers, and `toolchain.model.law` says which servers may run. Every
command is really tried, and after each the versions are looked up. The tables are written below
`build/tables`.

By default the shards go through a rollout, one after another; each of three hosts goes with them a
third of the way. For fleetdesk each server that may run is asked for each that may not, for
procrastinate's long chain one server for those at the edges; each time by the next two of the
commands, going round. INTERLOCK_TABLE=rollout asks at each stop for every server that may not run
by every command, which the servers that may run share. INTERLOCK_TABLE=whole tries every two states
that some server bears, with every server and every command.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from toolchain.model.version import Version

from .recipes import Packaging
from .table.answers import is_right
from .table.commands import TARGETED, UNTARGETED
from .table.fleet import Fleet, Stop, lead
from .table.rows import Outcome, Row, Table, cells
from .table.site import Site
from .table.trial import Attempt, Round, Trial, attempts

EXTENT = os.environ.get("INTERLOCK_TABLE", "")
WHOLE = EXTENT == "whole"
# The commands that ask at a stop, beside an installed version, for another one or for none.
Deal = Callable[[Stop, Version, Version | None], Sequence[Attempt]]


def test_fleetdesk(desk_fleet: Fleet) -> None:
    stops = desk_fleet.every_pair() if WHOLE else desk_fleet.rollout()
    check(desk_fleet, stops, thorough=True)


def test_procrastinate(jobs_fleet: Fleet) -> None:
    stops = jobs_fleet.every_pair() if WHOLE else jobs_fleet.rollout()
    check(jobs_fleet, stops, thorough=bool(EXTENT))


def check(fleet: Fleet, stops: Sequence[Stop], *, thorough: bool) -> None:
    """Try everything on three hosts at once, each at its share of the stops."""

    def work(site: Site, number: int) -> Iterator[Row]:
        hosts = len(fleet.sites)
        deal = dealt(site.packaging, begin=number / hosts)
        mine = stops[len(stops) * number // hosts : len(stops) * (number + 1) // hosts]
        for turn, stop in enumerate(lead(site, fleet.way(mine))):
            illegal = [version for version in fleet.packaged.versions if version not in stop.legal]
            legal = stop.legal if thorough else stop.legal[turn % len(stop.legal) :][:1]
            there = site.customer.pair().server
            for installed in sorted(legal, key=lambda version: version != there):
                site.move(installed)
                targets = illegal if thorough else outermost(illegal, installed)
                trial = Trial(site=site, situation=stop.situation, installed=installed, gates="all")
                asked = (deal(stop, installed, target) for target in (*targets, None))
                yield from trial.of([attempt for some in asked for attempt in some])

    extent = f"-{EXTENT}" if EXTENT else ""
    table = fleet.on_each(f"{fleet.packaged.product.name}{extent}", work)
    assert_no_illegal_state(fleet, stops, table, thorough=thorough)


def dealt(packaging: Packaging, begin: float) -> Deal:
    """How commands are dealt to what is asked; `begin` is that of a round."""

    def every(_: Stop, installed: Version, target: Version | None) -> Sequence[Attempt]:
        return attempts(packaging, installed, target)

    def shared(stop: Stop, installed: Version, target: Version | None) -> Sequence[Attempt]:
        sharing = [
            legal
            for legal in stop.legal
            if target is None or (legal < target) is (installed < target)
        ]
        return every(stop, installed, target)[sharing.index(installed) :: len(sharing)]

    commands = Round(packaging=packaging, most=2, begin=begin)

    def going_round(_: Stop, installed: Version, target: Version | None) -> Sequence[Attempt]:
        return commands.attempts(installed, target)

    return {"": going_round, "rollout": shared, "whole": every}[EXTENT]


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
    for stop in stops:
        illegal = [version for version in fleet.packaged.versions if version not in stop.legal]
        asked = {target for situation, _, target in tried if situation == stop.situation}
        assert asked >= set(outermost(illegal, stop.legal[0]))
        for installed in stop.legal if thorough else ():
            for target in illegal:
                assert (stop.situation, installed, target) in tried
        for target in illegal if EXTENT else ():
            here = (stop.situation, target)
            by = {row.kind.name for row in table.rows if (row.situation, row.target) == here}
            for installed in stop.legal:
                assert by >= {one.kind.name for one in attempts(fleet.packaging, installed, target)}
    for kind in (*TARGETED[fleet.packaging], *UNTARGETED[fleet.packaging]):
        assert any(row.kind is kind for row in table.rows), kind.name
    assert table.told(row for row in table.rows if not is_right(row, fleet.packaged)) == ""
