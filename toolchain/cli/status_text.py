"""A fleet's status for people: servers, shards, what is blocked by what, what may be done next."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from toolchain.cli.status_parts import headed, indented, some
from toolchain.cli.status_sentences import blocked_line, next_lines
from toolchain.cli.status_shards import shards_table
from toolchain.plan.fleet_status.servers import Life, ServerStatus, by_version
from toolchain.plan.fleet_status.status import FleetStatus
from toolchain.runner.core.duration import spell_duration
from toolchain.spec.wording import counted, printable


def status_text(
    status: FleetStatus, *, each_server: bool = False, most_shards: int | None = None
) -> RenderableType:
    """All of it; with `most_shards` only so many, and no reasons: what a screen has room for.

    Those shards are shown first that somebody should look at.
    """
    small = most_shards is not None
    parts: list[RenderableType] = [_title(status), _versions(status, small=small)]
    if each_server and not small:
        parts.append(_servers(status.servers, small=False))
    parts.append(shards_table(status.shards, most_shards))
    if status.blocked:
        parts.append(Text("Blocked:", style="bold"))
        parts += [indented(blocked_line(one, reasons=not small)) for one in status.blocked]
    parts += next_lines(status)
    if each_server and small:
        parts.append(_servers(status.servers, small=True))
    return Group(*parts)


def _title(status: FleetStatus) -> Text:
    live = sum(server.life is Life.LIVE for server in status.servers)
    return Text(
        f"{printable(status.product)}: {counted(live, 'live server')},"
        f" {counted(len(status.shards), 'shard')}, read {status.at:%Y-%m-%d %H:%M:%S %Z}"
    )


def _versions(status: FleetStatus, *, small: bool) -> RenderableType:
    counts = by_version(status.servers)
    if not counts:
        return Text("No server is registered with any shard.")
    numbers = ("live", "expired", "retired")
    table = headed("servers", *numbers, "last seen", "does not fit", right=numbers, small=small)
    for one in counts:
        table.add_row(
            str(one.version),
            str(one.live),
            str(one.expired or ""),
            str(one.retired or ""),
            _span(one.youngest, one.oldest),
            Text(counted(one.misfits, "server"), style="red") if one.misfits else "",
        )
    return table


def _span(youngest: float | None, oldest: float | None) -> str:
    if youngest is None or oldest is None:
        return ""
    least, most = spell_duration(youngest), spell_duration(oldest)
    return f"{least} ago" if least == most else f"{least} to {most} ago"


def _servers(servers: Sequence[ServerStatus], *, small: bool) -> Table:
    headings = ("host", "instance", "version", "state", "last seen", "expires", "shards")
    table = headed(*headings, small=small)
    for one in servers:
        places = Text(str(len(one.shards)))
        if one.misfits:
            places.append(f", does not fit {some(one.misfits)}", style="red")
        table.add_row(
            Text(printable(one.host)),
            Text(printable(one.instance)),
            str(one.version),
            Text(one.life.value, style="" if one.life is Life.LIVE else "yellow"),
            f"{spell_duration(one.age)} ago",
            f"in {spell_duration(one.left)}" if one.life is Life.LIVE else "",
            places,
        )
    return table
