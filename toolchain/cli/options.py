"""Arguments that several commands share."""

import json
from pathlib import Path
from typing import Any

import click

product_argument = click.argument(
    "product", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write the answer as JSON.")
verbose_option = click.option(
    "--verbose", is_flag=True, help="On a tool's failure, show all that it printed."
)


def echo_json(value: Any) -> None:
    """Print a value as JSON, sorted and indented, for people and programs alike."""
    click.echo(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))
