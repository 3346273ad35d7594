"""`interlock publish refresh`: indexes signed anew."""

import click

from toolchain.cli.publish.options import (
    Shared,
    address_option,
    channels_option,
    shared_options,
)
from toolchain.errors import UsageError


@click.command("refresh")
@channels_option("This channel only", required=False)
@address_option("Another address of the repository; remembered from then on.")
@click.option(
    "--drop-key",
    "dropped",
    multiple=True,
    metavar="FINGERPRINT",
    help="Trust this former key no more (repeatable).",
)
@click.option(
    "--force", is_flag=True, help="With --drop-key: let releases go that it alone has signed."
)
@shared_options
def command(
    channels: tuple[str, ...],
    url: str | None,
    dropped: tuple[str, ...],
    force: bool,
    shared: Shared,
) -> None:
    """Sign the indexes anew before they expire, with other keys where others are named.

    Exits with 1 where a key that is dropped has signed what nothing else replaces.
    """
    from toolchain.cli.publish.carry_out import carry_out  # noqa: PLC0415
    from toolchain.publish.deeds.refresh import Refresh  # noqa: PLC0415

    if dropped and channels:
        raise UsageError("a key is dropped from all channels", "leave --channel out")
    if force and not dropped:
        raise UsageError("--force is about a key's packages", "name the key with --drop-key")
    keys = tuple(key.replace(" ", "").upper() for key in dropped)
    carry_out(Refresh(channels=channels, dropped=keys, force=force), shared, url=url)
