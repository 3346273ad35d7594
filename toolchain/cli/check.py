"""`interlock check`: every problem of a product, in one run."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import chosen_format, product_argument
from toolchain.cli.policies import show_policies
from toolchain.errors import UsageError

if TYPE_CHECKING:
    from toolchain.model.published import PublishedReader


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
@click.option(
    "--policy", is_flag=True, help="Compare the rollout policies: which cost code for two forms."
)
@click.option(
    "--published",
    "repository",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A directory with the packages that customers have, such as a repository's: facts that"
    " the specs must agree with.",
)
def command(product: Path, form: str, as_json: bool, policy: bool, repository: Path | None) -> None:
    """Check every file of PRODUCT: specs, SQL, payload, templates, windows and the chain.

    Windows are held against those that follow from changes, phases and forms. Exits with 0 where
    nothing is wrong and with 1 where something is; hints are no problems.
    """
    from toolchain.edge.directory import Directory  # noqa: PLC0415
    from toolchain.spec.load import check_product  # noqa: PLC0415
    from toolchain.spec.report import REPORTS  # noqa: PLC0415

    form = chosen_format(form, as_json=as_json)
    if policy and form not in {"text", "json"}:
        raise UsageError(f"--policy has no format {form}", "take --format text or json")
    with _reader(repository) as published:
        checked = check_product(Directory(product), os.environ, published)
    if policy and checked.product is not None:
        show_policies(checked.product, as_json=form == "json")
        return
    problems = checked.problems
    if checked.product is not None and (product / "packaging").exists():
        from toolchain.build.overlay import overlay_problems  # noqa: PLC0415
        from toolchain.build.product import OpenProduct  # noqa: PLC0415

        problems = overlay_problems(OpenProduct(product=checked.product, root=product))
    report = REPORTS[form]((*problems, *checked.hints))
    click.echo(report, nl=bool(report) and not report.endswith("\n"))
    if checked.product is not None and not problems:
        count = len(checked.product.releases)
        noun = "release" if count == 1 else "releases"
        click.echo(f"{checked.product.name}: {count} {noun}, no problems", err=True)
    sys.exit(1 if problems else 0)


@contextmanager
def _reader(repository: Path | None) -> "Iterator[PublishedReader]":
    """What reads a product's packages from the repository, if there is one; nothing runs on."""
    if repository is None:
        yield lambda _product: ()
        return
    from toolchain.edge.process import Processes  # noqa: PLC0415
    from toolchain.verify.published import read_published  # noqa: PLC0415

    with Processes() as processes:
        yield lambda product: read_published(repository, product, processes, lambda *_: None)
