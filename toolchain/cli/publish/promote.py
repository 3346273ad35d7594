"""`interlock publish promote`: what one channel offers into others."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import read_product
from toolchain.cli.publish.options import (
    Shared,
    channel,
    channels_option,
    product_option,
    release_argument,
    shared_options,
)

if TYPE_CHECKING:
    from toolchain.model.version import Version


@click.command("promote")
@release_argument
@click.option(
    "--from", "source", type=channel, required=True, help="The channel that offers the release."
)
@channels_option("Into this channel too", required=True)
@product_option
@click.option("--force", is_flag=True, help="Bring a release back that was withdrawn.")
@shared_options
def command(
    release: "Version",
    source: str,
    channels: tuple[str, ...],
    specs: Path | None,
    force: bool,
    shared: Shared,
) -> None:
    """Offer RELEASE in other channels as one offers it, byte for byte.

    It is proved there with what those offer already. Exits with 1 where it is not.
    """
    from toolchain.cli.publish.carry_out import carry_out  # noqa: PLC0415
    from toolchain.publish.deeds.promote import Promote  # noqa: PLC0415

    deed = Promote(release=release, source=source, channels=channels, force=force)
    carry_out(deed, shared, product=read_product(specs))
