"""`interlock check`: every problem of a product, in one run."""

import os
import sys
from pathlib import Path

import click

from toolchain.cli.options import chosen_format, product_argument


@click.command("check")
@product_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="How to report: for people, programs, GitHub annotations, or code scanners.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(product: Path, form: str, as_json: bool) -> None:
    """Check every file of PRODUCT: specs, SQL, payload, windows and the chain of releases.

    Exits with 0 where nothing is wrong and with 1 where something is.
    """
    from toolchain.edge.directory import Directory  # noqa: PLC0415
    from toolchain.spec.load import check_product  # noqa: PLC0415
    from toolchain.spec.report import REPORTS  # noqa: PLC0415

    form = chosen_format(form, as_json=as_json)
    checked = check_product(Directory(product), os.environ)
    report = REPORTS[form]((*checked.problems, *checked.hints))
    click.echo(report, nl=bool(report) and not report.endswith("\n"))
    if checked.product is not None:
        count = len(checked.product.releases)
        noun = "release" if count == 1 else "releases"
        click.echo(f"{checked.product.name}: {count} {noun}, no problems", err=True)
    sys.exit(1 if checked.problems else 0)
