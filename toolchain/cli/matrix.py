"""`interlock matrix`: servers against schemas."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import chosen_format, echo_json, product_argument, wide_console

if TYPE_CHECKING:
    from toolchain.matrix.compatibility import Matrix

# Cells of a grid that is drawn at once.
_PLAIN = 2_500


@click.command("matrix")
@product_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "html"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(product: Path, form: str, as_json: bool) -> None:
    """Show which servers of PRODUCT may run on a shard after each release's phases."""
    from toolchain.build.product import open_product  # noqa: PLC0415
    from toolchain.matrix.compatibility import matrix  # noqa: PLC0415
    from toolchain.render.matrix import matrix_html, matrix_json, matrix_markdown  # noqa: PLC0415

    form = chosen_format(form, as_json=as_json)
    opened = open_product(product).product
    table = matrix(opened)
    if form == "json":
        echo_json(matrix_json(opened.name, table))
    elif form == "markdown":
        click.echo(matrix_markdown(table), nl=False)
    elif form == "html":
        click.echo(matrix_html(opened.name, table), nl=False)
    else:
        _print(opened.name, table)


def _print(name: str, table: "Matrix") -> None:
    from toolchain.render.matrix import state_heading  # noqa: PLC0415

    numbers = [state.handshake.schema for state in table.states]
    headings = [
        # A contract changes what a shard accepts and not its schema, so one number may come twice.
        str(number) if numbers.count(number) == 1 else f"{number} ({state.releases[0]})"
        for number, state in zip(numbers, table.states, strict=True)
    ]
    title = f"{name}: which servers run on which schemas"
    if len(table.servers) * len(headings) > _PLAIN:
        _print_plain(title, headings, table)
    else:
        _print_grid(title, headings, table)
    for state in table.states:
        schema, releases = state_heading(state)
        click.echo(f"schema {schema}: database {releases}")


def _print_grid(title: str, headings: list[str], table: "Matrix") -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    click.echo(title)
    grid = Table()
    grid.add_column("server")
    for heading in headings:
        grid.add_column(heading, justify="center")
    for server, row in zip(table.servers, table.fits, strict=True):
        cells = [Text("fits", style="green") if fits else Text("no", style="red") for fits in row]
        grid.add_row(str(server), *cells)
    # A grid that is wider than the terminal would be cut; a pager or a wider window shows it.
    wide_console().print(grid)


def _print_plain(title: str, headings: list[str], table: "Matrix") -> None:
    """Columns of text; drawing a grid of many thousand cells takes longer than anyone waits."""
    first = max(map(len, map(str, table.servers)), default=0)
    widths = [max(4, len(heading)) for heading in headings]
    click.echo(title)
    cells = " ".join(f"{heading:<{width}}" for heading, width in zip(headings, widths, strict=True))
    click.echo(f"{'':<{first}} {cells}".rstrip())
    for server, row in zip(table.servers, table.fits, strict=True):
        words = ("fits" if fits else "no" for fits in row)
        cells = " ".join(f"{word:<{width}}" for word, width in zip(words, widths, strict=True))
        click.echo(f"{server!s:<{first}} {cells}".rstrip())
