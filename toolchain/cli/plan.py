"""`interlock plan`: the least waves that bring a fleet to a release."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import chosen_format, echo_json, product_argument
from toolchain.cli.target import wanted_release
from toolchain.errors import UsageError

if TYPE_CHECKING:
    from toolchain.build.product import OpenProduct
    from toolchain.model.release import Product
    from toolchain.plan.rollout.telling.waves import Plan
    from toolchain.plan.rollout.world.facts import Chain
    from toolchain.plan.rollout.world.inventory import Fleet

_file = click.Path(dir_okay=False, path_type=Path)
_directory = click.Path(file_okay=False, path_type=Path)


@click.command("plan")
@product_argument
@click.option("--inventory", type=_file, help="The fleet as a YAML file.")
@click.option("--shards", type=_file, help="Ask the live ledgers of a shards.ini instead.")
@click.option("--to", "target", help="The release to come to [default: the newest final one].")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "svg"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--save-inventory", "save", type=_file, help="Keep what the ledgers said as YAML.")
@click.option(
    "--export",
    "engine",
    type=click.Choice(["ansible", "chef", "puppet"]),
    help="Write the plan for the engine that carries it out.",
)
@click.option("--output", type=_directory, help="The directory of --export; your files in it stay.")
def command(
    product: Path,
    inventory: Path | None,
    shards: Path | None,
    target: str | None,
    form: str,
    as_json: bool,
    save: Path | None,
    engine: str | None,
    output: Path | None,
) -> None:
    """Plan how the fleet of PRODUCT comes to a release in the least number of waves.

    In a wave all shards, or all servers, below a release go to it, one by one; whatever stands on
    the way, mixed versions included, is legal. Exits with 1 where there is no way, or where the
    fleet is not legal as it stands.
    """
    from toolchain.build.product import open_product  # noqa: PLC0415
    from toolchain.plan.rollout.planner import plan_rollout  # noqa: PLC0415
    from toolchain.plan.rollout.telling.waves import Plan  # noqa: PLC0415
    from toolchain.plan.rollout.world.facts import chain_of  # noqa: PLC0415

    form = chosen_format(form, as_json=as_json)
    if (engine is None) != (output is None):
        raise UsageError("--export and --output belong together", "give both, or neither")
    whole = open_product(product)
    opened = whole.product
    chain = chain_of(opened)
    wanted = wanted_release(opened, chain, target)
    fleet = _fleet(opened, chain, inventory, shards, save)
    answer = plan_rollout(chain, fleet, wanted, opened.rollout)
    planned = isinstance(answer, Plan)
    from toolchain.plan.rollout.telling.beside import clashes  # noqa: PLC0415
    from toolchain.render.rollout import answer_json, before_servers, clash_json  # noqa: PLC0415

    before = before_servers(opened)
    beside = tuple(clashes(opened, answer)) if isinstance(answer, Plan) else ()
    exported: dict[str, object] = {}
    if engine is not None and output is not None and isinstance(answer, Plan):
        exported = {"export": _export(answer, whole, chain, engine, output)}
    if form == "json":
        told = answer_json(opened.name, str(wanted), fleet, answer, before_servers=before)
        echo_json({**told, "clashes": [clash_json(one) for one in beside], **exported})
    elif form == "svg" and isinstance(answer, Plan):
        from toolchain.render.figures.plan import plan_figure  # noqa: PLC0415
        from toolchain.render.figures.standalone import figure_file  # noqa: PLC0415

        click.echo(figure_file(plan_figure(opened, answer)), nl=False)
    else:
        from toolchain.cli.plan_text import print_answer  # noqa: PLC0415

        # A refusal has no picture; its sentences go where sentences go.
        print_answer(
            opened.name,
            wanted,
            answer,
            chain=chain,
            before_servers=before,
            clashes=beside,
            as_error=form == "svg",
        )
    sys.exit(0 if planned else 1)


def _export(
    plan: "Plan", opened: "OpenProduct", chain: "Chain", engine: str, output: Path
) -> dict[str, object]:
    """Write a plan out for an engine and say so; the same as plain values."""
    if not plan.waves:
        click.echo(f"There is nothing to do, so nothing is written to {output}.", err=True)
        return {"engine": engine, "directory": str(output), "files": []}
    from toolchain.fleet.export import Engine, export  # noqa: PLC0415
    from toolchain.plan.rollout.telling.orders import orders_of  # noqa: PLC0415

    orders = orders_of(plan, opened.product, chain)
    files = export(orders, Engine(engine), output, opened.templates)
    click.echo(f"{output} holds the plan for {engine}; its README.md says how to run it.", err=True)
    return {"engine": engine, "directory": str(output), "files": list(files)}


def _fleet(
    product: "Product",
    chain: "Chain",
    inventory: Path | None,
    shards: Path | None,
    save: Path | None,
) -> "Fleet":
    """The fleet from wherever the command line says it is."""
    if (inventory is None) == (shards is None):
        raise UsageError(
            "a plan starts from a fleet", "give --inventory FILE or --shards FILE, one of the two"
        )
    if inventory is not None:
        from toolchain.fleet.inventory import read_inventory  # noqa: PLC0415

        if save is not None:
            raise UsageError("--save-inventory keeps what --shards has read", "give --shards FILE")
        return read_inventory(inventory, product, chain)
    assert shards is not None  # noqa: S101  (one of the two is there)
    from toolchain.fleet.ledgers import read_fleet  # noqa: PLC0415

    fleet = read_fleet(shards, product, chain)
    if save is not None:
        from toolchain.fleet.inventory import save_inventory  # noqa: PLC0415

        save_inventory(save, product, fleet, [f"Read from the ledgers of {shards}."])
    return fleet
