"""Arguments that several commands share."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from toolchain.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from toolchain.model.release import Product

# Wider than any table; rich pads no line to it.
_WIDEST = 100_000


class _ProductDirectory(click.Path):
    """A product's directory; who names one of its specs is told which directory that is."""

    def __init__(self) -> None:
        super().__init__(exists=True, file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(value)
        if path.suffix == ".yaml" and path.is_file():
            # An inventory lies anywhere; only a spec has its product beside it.
            spec = (path.parent / "product.yaml").is_file()
            cure = f"name its directory, '{path.parent}'" if spec else "name a product's directory"
            self.fail(f"{value!r} is a file; {cure}.", param, ctx)
        return super().convert(value, param, ctx)


product_argument = click.argument("product", type=_ProductDirectory())
json_option = click.option("--json", "as_json", is_flag=True, help="Write the answer as JSON.")
verbose_option = click.option(
    "--verbose", is_flag=True, help="On a tool's failure, show all that it printed."
)


def echo_json(value: Any) -> None:
    """Print a value as JSON, sorted and indented, for people and programs alike."""
    click.echo(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))


def chosen_format(form: str, *, as_json: bool) -> str:
    """The format that --format or --json asks for; raises UsageError where they disagree."""
    if not as_json:
        return form
    source = click.get_current_context().get_parameter_source("form")
    if form != "json" and source is not ParameterSource.DEFAULT:
        raise UsageError(f"--json and --format {form} contradict each other", "give one of them")
    return "json"


def wide_console() -> "Console":
    """A console that cuts and wraps nothing: a line may be longer than the terminal.

    Both sizes are given, because rich takes a dumb terminal for 80 columns otherwise.
    """
    from rich.console import Console  # noqa: PLC0415

    return Console(width=_WIDEST, height=25)


def table_console() -> "Console":
    """A console for tables of text: only a terminal has an edge, a pipe gets each row as it is."""
    from rich.console import Console  # noqa: PLC0415

    return Console() if sys.stdout.isatty() else wide_console()


def read_product(specs: Path | None) -> "Product | None":
    """The product of --product; raises SpecError."""
    if specs is None:
        return None
    from toolchain.build.product import open_product  # noqa: PLC0415

    return open_product(specs).product
