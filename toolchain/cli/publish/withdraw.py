"""`interlock publish withdraw`: a release out of channels, at once."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import read_product
from toolchain.cli.publish.options import (
    Shared,
    channels_option,
    product_option,
    release_argument,
    shared_options,
)
from toolchain.errors import UsageError

if TYPE_CHECKING:
    from toolchain.model.version import Version


@click.command("withdraw")
@release_argument
@channels_option("Out of this channel", required=True)
@click.option("--reason", required=True, help="Why, in one line; kept in the repository.")
@product_option
@click.option("--force", is_flag=True, help="Let it go although others need it.")
@shared_options
def command(
    release: "Version",
    channels: tuple[str, ...],
    reason: str,
    specs: Path | None,
    force: bool,
    shared: Shared,
) -> None:
    """Take RELEASE out of channels at once; hosts that have it keep it.

    Exits with 1 where others could not reach the newest release without it.
    """
    from toolchain.cli.publish.carry_out import carry_out  # noqa: PLC0415
    from toolchain.publish.deeds.withdraw import Withdraw  # noqa: PLC0415

    if not reason.strip() or not reason.isprintable():
        raise UsageError("a withdrawal has a reason", "give it in one line with --reason")
    deed = Withdraw(
        release=release,
        channels=channels,
        reason=reason,
        product=read_product(specs),
        force=force,
    )
    carry_out(deed, shared)
