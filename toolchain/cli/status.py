"""`interlock status`: the fleet as its shards' ledgers say, now or live."""

import json
import math
import re
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import chosen_format
from toolchain.errors import OutputError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolchain.fleet.status import Specs
    from toolchain.plan.fleet_status.status import FleetStatus

_file = click.Path(dir_okay=False, path_type=Path)
_SHORTEST, _LONGEST = 1.0, 86400.0


@click.command("status")
@click.argument("product")
@click.option("--shards", type=_file, required=True, help="The shards.ini of the database package.")
@click.option("--to", "target", help="The release to come to [default: the newest final one].")
@click.option("--servers", "each_server", is_flag=True, help="List every server.")
@click.option(
    "--watch",
    "every",
    metavar="[SECONDS]",
    is_flag=False,
    flag_value="5",
    help="Read again every few seconds, 5 unless told, until Ctrl-C.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "openmetrics"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--output", type=_file, help="Write into a file, whole or not at all.")
def command(
    product: str,
    shards: Path,
    target: str | None,
    each_server: bool,
    every: str | None,
    form: str,
    as_json: bool,
    output: Path | None,
) -> None:
    """Show where the fleet of PRODUCT stands, from the ledgers of its shards.

    PRODUCT is its directory of specs; then the planner says what may be done next. With the
    product's bare name the ledgers alone are shown. Changes nothing. Exits with 4 where a shard
    cannot be read; the others are shown all the same.
    """
    form = chosen_format(form, as_json=as_json)
    if each_server and form != "text":
        raise UsageError("--servers lists every server in the text", "leave out --servers")
    seconds = None if every is None else _seconds(every)
    if seconds is not None and form == "openmetrics" and output is None:
        raise UsageError(
            "an OpenMetrics text ends with # EOF, so --watch needs a file", "give --output"
        )
    name, specs = _product(product, target)
    from toolchain.edge.ledger_config import read_addresses  # noqa: PLC0415
    from toolchain.fleet.status import read_status  # noqa: PLC0415

    addresses = read_addresses(shards)

    def read(before: "FleetStatus | None") -> "FleetStatus":
        return read_status(addresses, name, specs, now=datetime.now(UTC), before=before)

    def tell(status: "FleetStatus") -> None:
        _tell(status, form, output, each_server=each_server, one_line=seconds is not None)

    if seconds is None:
        from toolchain.cli.progress import activity  # noqa: PLC0415

        with activity(f"reading {len(addresses)} shards"):
            last = read(None)
        tell(last)
    else:
        from toolchain.cli.status_watch import has_screen, live_screen, watch  # noqa: PLC0415

        if form == "text" and output is None and has_screen():
            with live_screen(seconds, each_server=each_server) as show:
                found = watch(read, show, seconds)
            if found is not None:
                tell(found)
        else:
            found = watch(read, tell, seconds)
        if found is None:
            raise KeyboardInterrupt
        last = found
    sys.exit(0 if last.whole else 4)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not _SHORTEST <= seconds <= _LONGEST:
        raise UsageError(
            f"--watch takes seconds between {_SHORTEST:g} and {_LONGEST:g}, not {text!r}",
            "write --watch 10, or put a bare --watch at the end",
        )
    return seconds


def _product(text: str, target: str | None) -> "tuple[str, Specs | None]":
    """The product's name, and its specs where a directory was named."""
    if Path(text).is_dir():
        from toolchain.build.product import open_product  # noqa: PLC0415
        from toolchain.cli.target import wanted_release  # noqa: PLC0415
        from toolchain.fleet.status import Specs  # noqa: PLC0415
        from toolchain.plan.rollout.world.facts import chain_of  # noqa: PLC0415

        product = open_product(Path(text)).product
        chain = chain_of(product)
        wanted = wanted_release(product, chain, target)
        return product.name, Specs(product=product, chain=chain, target=wanted)
    if re.fullmatch(r"[a-z][a-z0-9-]*", text) is None:
        raise UsageError(f"there is no directory {text!r}", "name the product's directory of specs")
    if target is not None:
        raise UsageError("--to is for the planner, which needs the specs", "name their directory")
    return text, None


def _tell(
    status: "FleetStatus", form: str, output: Path | None, *, each_server: bool, one_line: bool
) -> None:
    if form == "json":
        from toolchain.render.status import status_json  # noqa: PLC0415

        # Documents that follow one another are a line each, as programs read them.
        indent = None if one_line and output is None else 2
        text = json.dumps(status_json(status), indent=indent, sort_keys=True)
        _write(f"{text}\n", output)
    elif form == "openmetrics":
        from toolchain.render.openmetrics import openmetrics  # noqa: PLC0415

        _write(openmetrics(status), output)
    else:
        from toolchain.cli.status_text import status_text  # noqa: PLC0415

        _print(status_text(status, each_server=each_server), output)


def _print(text: "RenderableType", output: Path | None) -> None:
    from rich.console import Console  # noqa: PLC0415

    from toolchain.cli.options import table_console  # noqa: PLC0415

    if output is None:
        table_console().print(text, highlight=False)
        return
    page = StringIO()
    Console(file=page, width=100_000, height=25).print(text, highlight=False)
    _write(page.getvalue(), output)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        sys.stdout.flush()
        return
    from toolchain.edge.whole_file import write_whole  # noqa: PLC0415

    try:
        write_whole(output, text.encode())
    except OSError as error:
        raise OutputError(
            f"{output} cannot be written: {error.strerror}", "name a file in a writable directory"
        ) from error
