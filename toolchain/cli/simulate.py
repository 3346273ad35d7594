"""`interlock simulate`: a fleet moved by chance, and no illegal state; or how one is reached."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolchain.cli.options import echo_json, product_argument
from toolchain.errors import ToolError, UsageError

if TYPE_CHECKING:
    from toolchain.simulate.episode import Setting
    from toolchain.simulate.run import Result

# As toolchain.simulate.commands has them; a test holds the two together.
_GATES = ("proof", "relations", "shard-packages", "hook", "start-up", "contract")
_ASSUMPTIONS = ("returns", "outages", "clocks", "retired", "durable", "names")


@click.command("simulate")
@product_argument
@click.option(
    "--servers",
    type=click.IntRange(1, 100_000),
    default=1_000,
    show_default=True,
    help="Hosts with a server in each fleet.",
)
@click.option(
    "--shards",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Databases that they all use.",
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Events after which it ends; a fleet at its end is followed by another one.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, the same run.")
@click.option(
    "--without", type=click.Choice(_GATES), multiple=True, help="Take a gate away, or several."
)
@click.option(
    "--lift",
    type=click.Choice(_ASSUMPTIONS),
    multiple=True,
    help="Lift an assumption that the promise rests on.",
)
@click.option(
    "--trace",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a line for each event to a file.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the answer as JSON.")
def command(
    product: Path,
    servers: int,
    shards: int,
    steps: int,
    seed: int,
    without: tuple[str, ...],
    lift: tuple[str, ...],
    trace: Path | None,
    as_json: bool,
) -> None:
    """Move a fleet of PRODUCT by chance: rollouts, mistakes, faults, in simulated time.

    The law, the planner, the relations and the gate are those that ship. Exits with 1 where a
    server comes to work with a shard or beside a server that it does not fit; the way there is
    then told as a story, shrunk to what it needs.
    """
    from toolchain.build.product import open_product  # noqa: PLC0415

    opened = open_product(product).product
    try:
        from toolchain.cli.simulate_text import print_result, result_json  # noqa: PLC0415
        from toolchain.simulate.commands import Assumption, Gate  # noqa: PLC0415
        from toolchain.simulate.episode import Setting, rests  # noqa: PLC0415
        from toolchain.simulate.facts import Facts  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "psycopg2":
            raise
        raise ToolError(
            "the simulation runs the database package's own code, which needs psycopg2",
            "install it beside Interlock: pip install psycopg2-binary",
        ) from error
    gates = frozenset(map(Gate, without))
    setting = Setting(
        facts=Facts(opened, lying=Gate.PROOF in gates),
        servers=servers,
        shards=shards,
        without=gates,
        lifted=frozenset(map(Assumption, lift)),
    )
    if not rests(setting.facts):
        raise UsageError(
            f"{opened.name} has no final release with a database package that is not withdrawn",
            "there is nothing that a fleet could stand at",
        )
    result = _run(setting, seed, steps, trace)
    if as_json:
        echo_json(result_json(opened.name, setting, seed, result))
    else:
        print_result(opened.name, setting, seed, result)
    sys.exit(0 if result.reached is None else 1)


def _run(setting: "Setting", seed: int, steps: int, trace: Path | None) -> "Result":
    from toolchain.cli.progress import progress  # noqa: PLC0415
    from toolchain.edge.trace import trace_file  # noqa: PLC0415
    from toolchain.simulate.run import simulate  # noqa: PLC0415

    with ExitStack() as stack:
        move = stack.enter_context(progress("simulating", "{done} of {total} {name}"))
        tell = None if trace is None else stack.enter_context(trace_file(trace))
        return simulate(
            setting, seed=seed, steps=steps, tell=tell,
            progress=lambda done: move(done, steps, "steps"),
        )  # fmt: skip
