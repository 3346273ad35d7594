"""What a publication did, for people and as JSON."""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

import click

from toolchain.publish.arrivals import Arrival
from toolchain.publish.deeds.desk import Outcome
from toolchain.publish.record import Record
from toolchain.spec.wording import counted

# Lines that a person reads one by one.
_MANY = 20


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _names(packages: Sequence[Arrival | Record]) -> list[str]:
    return [one.file.file_name for one in packages]


def outcome_json(outcome: Outcome, *, dry_run: bool) -> dict[str, Any]:
    """The whole outcome as plain values; times are seconds since 1970."""
    return {
        "product": outcome.product,
        "dry_run": dry_run,
        "added": {channel: _names(new) for channel, new in outcome.arriving.items()},
        "removed": {channel: _names(gone) for channel, gone in outcome.removed.items()},
        "pruning": {
            channel: {
                "goes": [str(version) for version in pruning.goes],
                "stays": {str(version): reason for version, reason in pruning.stays},
                "left_behind": [str(version) for version in pruning.left_behind],
            }
            for channel, pruning in outcome.prunings.items()
        },
        "retired": _names(outcome.retired),
        "signed": list(outcome.channels),
        "channels": {
            channel: {"serial": one.serial, "valid_until": one.valid_until}
            for channel, one in outcome.generations.items()
        },
    }


def print_outcome(outcome: Outcome, *, dry_run: bool) -> None:
    """The result on stdout, a line for each package or release; the story on stderr."""
    for channel, new in outcome.arriving.items():
        print_files(f"{channel}: {'would add' if dry_run else 'added'}", _names(new))
    for channel, pruning in outcome.prunings.items():
        for version, reason in pruning.stays:
            click.echo(f"{channel}: {version} stays: {reason}")
        for version in pruning.goes:
            click.echo(f"{channel}: {version} {'would go' if dry_run else 'goes'}")
        if pruning.left_behind:
            listed = ", ".join(map(str, pruning.left_behind))
            click.echo(
                f"interlock: warning: fleets that are still at {listed} have no way to the newest "
                f"release of {channel} then; without --supported it keeps what they need",
                err=True,
            )
    for channel, records in outcome.removed.items():
        print_files(f"{channel}: {'would remove' if dry_run else 'removed'}", _names(records))
    for channel, one in outcome.generations.items():
        click.echo(
            f"{channel}: publication {one.serial}, valid until {_day(one.valid_until)}", err=True
        )
    if dry_run and outcome.channels:
        click.echo(f"{', '.join(outcome.channels)}: indexes would be signed anew", err=True)
    if outcome.retired:
        leave = f"{counted(len(outcome.retired), 'package')} {'would' if dry_run else 'will'} leave"
        click.echo(f"{leave} the pool, once no index that is still believed names them", err=True)
    if not (outcome.channels or outcome.retired):
        click.echo("nothing is new: everything stays as it is", err=True)


def print_files(said: str, names: Sequence[str]) -> None:
    """A line for each file; on a terminal their number where they would fill it."""
    if len(names) <= _MANY or not sys.stdout.isatty():
        for name in names:
            click.echo(f"{said} {name}")
        return
    counts = Counter(PurePath(name).suffix[1:] for name in names)
    kinds = " and ".join(f"{count} {kind}s" for kind, count in sorted(counts.items()))
    click.echo(f"{said} {kinds}; --json names them")
