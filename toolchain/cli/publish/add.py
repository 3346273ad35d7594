"""`interlock publish add`: packages into channels."""

from pathlib import Path

import click

from toolchain.cli.options import read_product
from toolchain.cli.publish.options import (
    Shared,
    address_option,
    channels_option,
    product_option,
    shared_options,
)


@click.command("add")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PACKAGE..."
)
@channels_option("Into this channel", required=True)
@address_option("The address of the repository; remembered from then on.")
@click.option(
    "--allow", "allowed", multiple=True, metavar="NAME", help="Let in packages of this other name."
)
@product_option
@click.option("--force", is_flag=True, help="Bring a release back that was withdrawn.")
@shared_options
def command(
    paths: tuple[Path, ...],
    channels: tuple[str, ...],
    url: str | None,
    allowed: tuple[str, ...],
    specs: Path | None,
    force: bool,
    shared: Shared,
) -> None:
    """Offer each PACKAGE, a deb, an rpm, or a directory with such, in channels.

    Everything is proved as by 'interlock verify' first. Exits with 1 where the packages are not
    proved, or would replace what is published.
    """
    from toolchain.cli.publish.carry_out import carry_out, read_all  # noqa: PLC0415
    from toolchain.publish.deeds.add import Add  # noqa: PLC0415

    product = read_product(specs)
    files = read_all(paths)
    deed = Add(files=files, channels=channels, allowed=frozenset(allowed), force=force)
    carry_out(deed, shared, url=url, product=product)
