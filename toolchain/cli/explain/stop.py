"""`interlock explain stop`: why a rollout has to rest at a release, or why it need not."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolchain.cli.options import echo_json, json_option, product_argument
from toolchain.errors import UsageError

if TYPE_CHECKING:
    from toolchain.model.version import Version
    from toolchain.plan.rollout.telling.waves import Wave


@click.command("stop")
@product_argument
@click.argument("release")
@click.option("--from", "start", required=True, help="The release that the whole fleet is at.")
@click.option("--to", "target", help="The release to come to [default: the newest final one].")
@json_option
def command(product: Path, release: str, start: str, target: str | None, as_json: bool) -> None:
    """Say why a rollout of a fleet at one release stops at RELEASE on the way to another.

    Exits with 0 where RELEASE is a stop, and with 1 where the shortest rollout passes it by or
    where there is none.
    """
    from toolchain.build.product import open_product  # noqa: PLC0415
    from toolchain.cli.plan_text import print_answer  # noqa: PLC0415
    from toolchain.cli.target import wanted_release  # noqa: PLC0415
    from toolchain.plan.rollout.planner import plan_rollout  # noqa: PLC0415
    from toolchain.plan.rollout.routes import uniform  # noqa: PLC0415
    from toolchain.plan.rollout.telling.waves import Plan  # noqa: PLC0415
    from toolchain.plan.rollout.world.facts import chain_of  # noqa: PLC0415
    from toolchain.render.rollout import answer_json  # noqa: PLC0415

    opened = open_product(product)
    chain = chain_of(opened.product)
    asked, begun = opened.release(release).version, opened.release(start).version
    wanted = wanted_release(opened.product, chain, target)
    if wanted < begun:
        raise UsageError(f"{wanted} is below {begun}", "Interlock plans upgrades only")
    fleet = uniform(chain, begun)
    answer = plan_rollout(chain, fleet, wanted, opened.product.rollout)
    if not isinstance(answer, Plan):
        if as_json:
            echo_json(answer_json(opened.product.name, str(wanted), fleet, answer))
        else:
            print_answer(opened.product.name, wanted, answer, chain=chain, as_error=True)
        sys.exit(1)
    waves = [wave for wave in answer.waves if wave.release == asked and wave.next is not None]
    if as_json:
        echo_json(_json(asked, begun, wanted, waves))
    else:
        for line in _lines(asked, begun, wanted, waves, list(answer.waves)):
            click.echo(line)
    sys.exit(0 if waves else 1)


def _json(
    asked: "Version", begun: "Version", wanted: "Version", waves: "list[Wave]"
) -> dict[str, Any]:
    return {
        "release": str(asked),
        "from": str(begun),
        "to": str(wanted),
        "is_stop": bool(waves),
        "waves": [
            {
                "wave": wave.number,
                "moves": wave.side.value,
                "next": str(wave.next),
                "reasons": [
                    {
                        "sentence": refusal.sentence,
                        "origin": str(refusal.origin) if refusal.origin else None,
                    }
                    for refusal in wave.reasons
                ],
            }
            for wave in waves
        ],
    }


def _lines(
    asked: "Version",
    begun: "Version",
    wanted: "Version",
    waves: "list[Wave]",
    every: "list[Wave]",
) -> list[str]:
    way = f"from {begun} to {wanted}"
    if not waves:
        stops = dict.fromkeys(str(wave.release) for wave in every if wave.next is not None)
        listed = f"it stops at {', '.join(stops)}" if stops else "it stops nowhere"
        return [f"A rollout {way} needs no stop at {asked}: {listed}."]
    lines = [f"A rollout {way} stops at {asked}:"]
    for wave in waves:
        lines.append(
            f"  wave {wave.number}: {wave.side.value} rest there before {wave.next}, since"
        )
        lines += [f"  - {refusal.sentence}" for refusal in wave.reasons]
    return lines
