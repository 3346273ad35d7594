"""`interlock report`: a page that shows what may run with what, and why."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import echo_json, json_option, product_argument, verbose_option
from toolchain.errors import UsageError

if TYPE_CHECKING:
    from toolchain.cli.progress import Progress
    from toolchain.model.release import Product
    from toolchain.render.report.content import Content
    from toolchain.report.packaged import Packaged


@click.command("report")
@product_argument
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="The page to write, as HTML."
)
@click.option(
    "--measured",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What 'interlock rehearse --json' has written.",
)
@click.option(
    "--packages",
    type=click.Path(exists=True, path_type=Path),
    metavar="DIRECTORY",
    help="Built packages: a directory or a repository.",
)
@verbose_option
@json_option
def command(
    product: Path,
    output: Path | None,
    measured: Path | None,
    packages: Path | None,
    verbose: bool,  # noqa: ARG001  (read where errors are reported)
    as_json: bool,
) -> None:
    """Write one HTML file about PRODUCT: what may run with what, and why, for anyone to read.

    The file needs no network and no other file. Its date is that of the newest release, or of
    SOURCE_DATE_EPOCH: the same input makes the same bytes.
    """
    from toolchain.build.product import open_product  # noqa: PLC0415
    from toolchain.cli.progress import activity  # noqa: PLC0415
    from toolchain.render.report.json import report_json  # noqa: PLC0415
    from toolchain.render.report.page import report_html  # noqa: PLC0415
    from toolchain.render.templates import Templates  # noqa: PLC0415
    from toolchain.report.gather import Sources, gather_report  # noqa: PLC0415
    from toolchain.report.measured_file import read_measured  # noqa: PLC0415
    from toolchain.report.places import Places  # noqa: PLC0415
    from toolchain.report.write import chosen_day, write_page  # noqa: PLC0415

    if output is None and not as_json:
        raise UsageError("a report needs a place to be written to", "give --output FILE or --json")
    opened = open_product(product)
    with activity("reporting") as report:
        sources = Sources(
            places=Places(root=opened.root),
            measured=None if measured is None else read_measured(measured, opened.product),
            packaged=None if packages is None else _packaged(packages, opened.product, report),
            day=chosen_day(os.environ),
        )
        content = gather_report(opened.product, sources)
        if output is not None:
            write_page(output, report_html(content, Templates(opened.templates)))
    if as_json:
        echo_json(report_json(content))
    if output is not None:
        click.echo(_story(content, output), err=True)


def _packaged(path: Path, product: "Product", report: "Progress") -> "Packaged":
    from toolchain.edge.process import Processes  # noqa: PLC0415
    from toolchain.report.packaged import Packaged  # noqa: PLC0415
    from toolchain.verify.gather import gather  # noqa: PLC0415
    from toolchain.verify.halves import Names  # noqa: PLC0415
    from toolchain.verify.intake import package_paths, read_packages  # noqa: PLC0415
    from toolchain.verify.pair_verdicts import pair_verdicts  # noqa: PLC0415

    with Processes() as processes:
        files = read_packages(package_paths([path]), processes, report)
    # Judged by what they say themselves, so that a difference from the specs is seen as one.
    gathered = gather(files, names=Names.usual(product.name))
    return Packaged(
        files=files,
        pairs=pair_verdicts(gathered.cases),
        findings=tuple(
            f"{', '.join(Path(file).name for file in finding.files)}: {finding.what}"
            for finding in gathered.findings
        ),
    )


def _story(content: "Content", output: Path) -> str:
    verdict = content.verdict
    return f"{output}: {len(content.sections)} releases; {verdict.title.lower()}: {verdict.value}"
