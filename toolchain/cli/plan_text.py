"""The answers of `interlock plan` for people: a table of waves, and sentences below it."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import click

from toolchain.cli.options import table_console
from toolchain.model.change import Phase
from toolchain.model.version import Version
from toolchain.plan.rollout.telling.beside import Clash
from toolchain.plan.rollout.telling.exclusion import Exclusion
from toolchain.plan.rollout.telling.standing import Unfit
from toolchain.plan.rollout.telling.waves import Part, Plan, Wave
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Side
from toolchain.spec.wording import counted


def print_answer(
    product: str,
    target: Version,
    answer: Plan | Exclusion | tuple[Unfit, ...],
    *,
    chain: Chain,
    before_servers: Sequence[str] = (),
    clashes: Sequence[Clash] = (),
    as_error: bool = False,
) -> None:
    """Print a plan, or why there is none; the latter on stderr where stdout holds a picture."""
    if isinstance(answer, Plan):
        _print_plan(product, answer, chain, before_servers, clashes)
        return
    lines = _no_way(product, answer) if isinstance(answer, Exclusion) else _unfit(target, answer)
    for line in lines:
        click.echo(line, err=as_error)


def _print_plan(
    product: str,
    plan: Plan,
    chain: Chain,
    before_servers: Sequence[str],
    clashes: Sequence[Clash],
) -> None:
    if not plan.waves:
        click.echo(_nothing(plan))
        return
    from rich.table import Table  # noqa: PLC0415

    servers, shards = len(plan.fleet.servers), len(plan.fleet.shards)
    click.echo(
        f"{product} to {plan.target}: {counted(len(plan.waves), 'wave')} for"
        f" {counted(servers, 'server')} and {counted(shards, 'shard')}"
    )
    table = Table()
    for heading in ("wave", "what moves", "from", "to", "count", "notes"):
        number = heading in ("wave", "count")
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    for wave in plan.waves:
        table.add_row(
            str(wave.number),
            wave.side.value,
            "\n".join(dict.fromkeys(move.before for move in wave.moves)),
            "\n".join(dict.fromkeys(move.after for move in wave.moves)),
            str(wave.count),
            "\n".join(notes(wave)),
            end_section=wave.no_return,
        )
    table_console().print(table, highlight=False)
    if before_servers and any(wave.side is Side.SERVERS for wave in plan.waves):
        click.echo(
            f"Before a server's package is upgraded, run '{' '.join(before_servers)}' on its host:"
            " it tells apt or dnf where the shards are now."
        )
    for line in (*_stops(plan), _return(plan, chain), *_clashes(clashes)):
        click.echo(line)


def _clashes(clashes: Sequence[Clash]) -> Iterator[str]:
    """What a wave meets on hosts with both packages; of hosts of one wave the first is told."""
    if clashes:
        yield "On hosts with both packages:"
    for number, here in groupby(clashes, key=lambda clash: clash.wave):
        first, *others = here
        more = f" (and on {counted(len(others), 'more host')})" if others else ""
        yield f"  wave {number}: {first.sentence}{more}"


def _nothing(plan: Plan) -> str:
    target, fleet = plan.target, plan.fleet
    sentence = f"Nothing to do: no server and no shard is below {target}"
    above = [version for version in fleet.versions if version > target]
    beyond = sorted({each.release for each in fleet.states if each.release > target})
    told = [
        f"{'all' if whole else 'some'} {side} are above it, at {', '.join(map(str, there))}"
        for side, there, whole in (
            ("servers", above, len(above) == len(fleet.versions)),
            ("shards", beyond, all(each.release > target for each in fleet.states)),
        )
        if there
    ]
    if not told:
        return f"{sentence}."
    return f"{sentence}. Note that {' and '.join(told)}; Interlock plans upgrades only."


def notes(wave: Wave) -> Iterator[str]:
    """What an operator should know of a wave, a line each."""
    if wave.part is Part.PREPARE:
        yield "expand and migrate only; the contract waits"
    elif wave.part is Part.CONTRACT:
        yield "the contract that has waited"
    if wave.no_return:
        yield "POINT OF NO RETURN"
    if wave.contracts:
        yield f"for good: {', '.join(map(str, wave.contracts))}"


def _stops(plan: Plan) -> Iterator[str]:
    stops = [wave for wave in plan.waves if wave.next is not None]
    if stops:
        yield "Stops on the way, and why:"
    for wave in stops:
        yield f"  wave {wave.number}, {wave.side.value} rest at {_rest(wave)}:"
        for refusal in wave.reasons[:3]:
            yield f"    {refusal.sentence}"
        if len(wave.reasons) > 3:
            yield f"    and {len(wave.reasons) - 3} more; --json lists them"


def _return(plan: Plan, chain: Chain) -> str:
    """From where on there is no way back, and which steps have no undo where a spec could."""
    crossing = plan.point_of_no_return
    if crossing is None:
        return "Every wave can be taken back."
    lacking = [
        f"{step.id} of {release}"
        for release in crossing.contracts
        for step in chain.at(release).of(Phase.EXPAND)
        if not step.undoable
    ]
    why = f" (no undo: {_some(tuple(lacking))})" if lacking else ""
    return (
        f"Wave {crossing.number} is the point of no return: what it does to the shards for"
        f" {', '.join(map(str, crossing.contracts))} cannot be undone{why}."
    )


def _rest(wave: Wave) -> str:
    before = " before its contract" if wave.part is Part.PREPARE else ""
    onward = f", before {wave.next}" if wave.next != wave.release else ""
    return f"{wave.release}{before}{onward}"


def _no_way(product: str, exclusion: Exclusion) -> Iterator[str]:
    yield f"There is no way for this fleet of {product} to {exclusion.target}."
    reached = []
    if exclusion.servers is not None:
        reached.append(f"servers come to {exclusion.servers}")
    if exclusion.shards:
        reached.append(f"shards to {', '.join(exclusion.shards)}")
    if reached:
        yield f"At the most {' and '.join(reached)}. There these facts exclude each other:"
    for side, refusal in exclusion.refusals:
        stuck = "shards cannot go on" if side is Side.SHARDS else "servers cannot go on"
        yield f"  {stuck}: {refusal.sentence}"
    repair = exclusion.repair
    if repair is None:
        yield "No single release would open a way."
    else:
        whole = repair.reaches == exclusion.target
        opened = "one" if whole else f"one as far as {repair.reaches}"
        yield f"This would open {opened}, in {counted(repair.waves, 'wave')}: {repair.sentence}."


def _unfit(target: Version, unfit: tuple[Unfit, ...]) -> Iterator[str]:
    yield f"The fleet is not legal as it stands, so no plan to {target} can start from it:"
    for pair in unfit:
        others = "servers" if pair.peers else "shards"
        yield (
            f"  server {pair.version} on {_some(pair.hosts)} does not fit {others}"
            f" {_some(pair.others)}: {pair.refusal.sentence}"
        )
        if pair.nearest is not None:
            yield f"    first bring these servers to {pair.nearest}, which fits all the others"
        else:
            yield "    no later release of these servers fits all the others"


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
