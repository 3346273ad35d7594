"""`interlock publish prune`: out with what a rule does not keep."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import read_product
from toolchain.cli.publish.options import (
    FILE,
    Shared,
    channels_option,
    product_option,
    release,
    shared_options,
)

if TYPE_CHECKING:
    from toolchain.model.version import Version


@click.command("prune")
@channels_option("This channel only", required=False)
@click.option("--keep", type=click.IntRange(min=1), help="Keep the newest N releases.")
@click.option("--keep-from", type=release, help="Keep this release and all later ones.")
@click.option("--keep-days", type=click.IntRange(min=1), help="Keep what came within N days.")
@click.option("--supported", type=release, help="The oldest release that customers may still run.")
@click.option("--plan", "plans", type=FILE, multiple=True, help="Keep what this plan names.")
@product_option
@shared_options
def command(
    channels: tuple[str, ...],
    keep: int | None,
    keep_from: "Version | None",
    keep_days: int | None,
    supported: "Version | None",
    plans: tuple[Path, ...],
    specs: Path | None,
    shared: Shared,
) -> None:
    """Take out what no --keep keeps and what no customer needs on the way to the newest release.

    Files leave the repository when no index that names them is believed any more.
    """
    from toolchain.cli.publish.carry_out import carry_out  # noqa: PLC0415
    from toolchain.publish.deeds.planned import read_plan  # noqa: PLC0415
    from toolchain.publish.deeds.prune import Prune  # noqa: PLC0415
    from toolchain.publish.deeds.rule import Rule  # noqa: PLC0415

    rule = Rule(
        newest=keep,
        since=keep_from,
        days=keep_days,
        supported=supported,
        plans=tuple(named for plan in plans for named in read_plan(plan)),
    )
    carry_out(Prune(rule=rule, channels=channels, product=read_product(specs)), shared)
