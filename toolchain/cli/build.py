"""`interlock build`: packages from specs."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolchain.cli.options import echo_json, json_option, product_argument, verbose_option
from toolchain.cli.progress import progress

if TYPE_CHECKING:
    from toolchain.build.targets import Planned


@click.command("build")
@product_argument
@click.argument("releases", nargs=-1)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("dist"),
    show_default=True,
    help="The directory of the packages and their manifest.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(["deb", "rpm"]),
    multiple=True,
    help="Only this format (may be repeated).",
)
@click.option("--dry-run", is_flag=True, help="Show what would be built, and build nothing.")
@verbose_option
@json_option
def command(
    product: Path,
    releases: tuple[str, ...],
    output: Path,
    formats: tuple[str, ...],
    dry_run: bool,
    verbose: bool,  # noqa: ARG001  (read where errors are reported)
    as_json: bool,
) -> None:
    """Build the pairs of PRODUCT, a directory with a product.yaml.

    Without RELEASES, all that are not withdrawn.

    Packages whose inputs did not change since the last build stay as they are. The output
    directory changes only when every package has been built and checked.
    """
    from toolchain.build.product import open_product  # noqa: PLC0415
    from toolchain.build.run import Builder  # noqa: PLC0415
    from toolchain.build.targets import plan_packages  # noqa: PLC0415
    from toolchain.edge.process import Processes  # noqa: PLC0415
    from toolchain.errors import UsageError  # noqa: PLC0415

    opened = open_product(product)
    chosen = opened.select(releases)
    packages = [
        planned
        for planned in plan_packages(opened.product, chosen, opened.listing(), opened.sql())
        if not formats or planned.format.value in formats
    ]
    if not packages:
        raise UsageError(
            f"{opened.product.name} has no target of format {' or '.join(formats)}",
            "add it to `targets` in product.yaml",
        )
    if dry_run:
        _show_plan(packages, as_json=as_json)
        return
    with progress("building", "built {done} of {total}: {name}") as moved:
        result = Builder(
            product=product,
            output=output,
            templates=opened.templates,
            licence_text=opened.licence_text,
            licence_file=opened.licence_file,
            processes=Processes(),
            progress=moved,
        ).build(packages, whole=not releases and not formats)
    if as_json:
        rows = [{**asdict(row), "made": row.file in result.made} for row in result.packages]
        removed = sorted(result.removed)
        echo_json({"output": str(output), "packages": rows, "removed": removed})
        return
    made = len(result.made)
    kept = len(result.packages) - made
    for row in result.packages:
        if row.file in result.made:
            click.echo(output / row.file)
    words = [f"{made} built"] if made else []
    words += [f"{kept} unchanged"] if kept else []
    words += [f"{len(result.removed)} removed"] if result.removed else []
    click.echo(f"{', '.join(words)} in {output}", err=True)


def _show_plan(packages: "list[Planned]", *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "file": planned.file_name,
            "compression": str(planned.compression),
            "relations": [str(item) for item in planned.package.all_relations(planned.format)],
            "contents": sorted(entry.path for entry in planned.package.entries),
        }
        for planned in packages
    ]
    if as_json:
        echo_json({"packages": rows})
        return
    for row in rows:
        click.echo(row["file"])
        for relation in row["relations"]:
            click.echo(f"  {relation}")
