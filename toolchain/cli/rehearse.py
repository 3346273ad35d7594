"""`interlock rehearse`: what the windows say, measured on a real PostgreSQL."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import chosen_format, echo_json, product_argument, verbose_option
from toolchain.cli.progress import progress

if TYPE_CHECKING:
    from toolchain.edge.postgres.server import DatabaseServer


@click.command("rehearse")
@product_argument
@click.option(
    "--dsn",
    help="A server where databases of the rehearsal's own may be made and dropped; no password.",
)
@click.option(
    "--postgres",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The directory with initdb and postgres, for a scratch server.",
)
@click.option(
    "--release",
    "versions",
    metavar="VERSION",
    multiple=True,
    help="Try only this release's server (may be repeated).",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@verbose_option
def command(
    product: Path,
    dsn: str | None,
    postgres: Path | None,
    versions: tuple[str, ...],
    form: str,
    as_json: bool,
    verbose: bool,  # noqa: ARG001  (read where errors are reported)
) -> None:
    """Walk a PostgreSQL through every state of PRODUCT's chain, and try each server there.

    Without --dsn a scratch server is started from the system's PostgreSQL, or else from a wheel,
    and is gone at the end. Exit code 1 says that a window is false, that the chain cannot be
    walked, or that an upgraded shard differs from a fresh one.
    """
    from toolchain.build.product import open_product  # noqa: PLC0415
    from toolchain.cli.rehearsal_text import print_rehearsal  # noqa: PLC0415
    from toolchain.errors import UsageError  # noqa: PLC0415
    from toolchain.matrix.measured.differences import differences  # noqa: PLC0415
    from toolchain.rehearse.run import Rehearsal  # noqa: PLC0415
    from toolchain.render.rehearsal import rehearsal_json  # noqa: PLC0415
    from toolchain.render.rehearsal_html import rehearsal_html  # noqa: PLC0415

    form = chosen_format(form, as_json=as_json)
    if dsn is not None and postgres is not None:
        raise UsageError("--dsn and --postgres contradict each other", "give one of them")
    opened = open_product(product)
    tried = opened.select(versions) if versions else opened.product.releases
    line = "releases rehearsed: {done} of {total}; now {name}"
    with _server(dsn, postgres) as server, progress("rehearsing", line) as moved:
        measured = Rehearsal(
            product=opened.product,
            root=opened.root,
            sql=opened.sql(),
            server=server,
            releases=tried,
            progress=moved,
        ).run()
    found = differences(opened.product, measured)
    if form == "json":
        echo_json(rehearsal_json(opened.product.name, measured, found))
    elif form == "html":
        click.echo(rehearsal_html(opened.product.name, measured, found), nl=False)
    else:
        print_rehearsal(opened.product.name, measured, found)
    sys.exit(1 if found.any else 0)


def _server(dsn: str | None, postgres: Path | None) -> "AbstractContextManager[DatabaseServer]":
    from toolchain.edge.postgres.server import embedded_server, given_server  # noqa: PLC0415

    return embedded_server(postgres) if dsn is None else given_server(dsn)
