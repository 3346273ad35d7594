"""The shards of a status, a row each: what runs there, what has stopped, what it waits for."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from toolchain.cli.status_parts import headed, some
from toolchain.plan.fleet_status.progress import Progress, State
from toolchain.plan.fleet_status.seen import RunnerSeen
from toolchain.plan.fleet_status.status import ShardStatus
from toolchain.runner.core.duration import spell_duration
from toolchain.spec.wording import counted, printable

# A runner asks for hindrances once a second; one that has been quiet for longer may hang.
_QUIET = 60.0


def shards_table(shards: Sequence[ShardStatus], most: int | None) -> RenderableType:
    """A row for each shard; with `most` only so many, the most urgent."""
    headings = ("shard", "release", "schema", "accepts servers", "state")
    table = headed(*headings, right=("schema",), small=most is not None)
    shown = list(shards)
    if most is not None and len(shown) > most:
        chosen = sorted(shown, key=_urgency)[: max(most, 1)]
        shown = [shard for shard in shown if shard in chosen]
    for shard in shown:
        ledger = shard.seen.ledger
        name = Text(printable(shard.seen.name))
        if ledger is None:
            table.add_row(name, "", "", "", Text(printable(shard.seen.problem or ""), style="red"))
            continue
        table.add_row(
            name,
            "-" if ledger.ready is None else str(ledger.ready),
            str(ledger.handshake.schema),
            str(ledger.handshake.servers),
            Text("\n").join(_state(shard)),
        )
    left = len(shards) - len(shown)
    if not left:
        return table
    return Group(table, Text(f"and {counted(left, 'more shard')} at which less happens"))


def _urgency(shard: ShardStatus) -> int:
    """What a person should see first when not all fit."""
    ledger = shard.seen.ledger
    if ledger is None or shard.contradiction is not None:
        return 0
    if shard.progress or ledger.runner is not None:
        return 1
    return 3 if shard.complete else 2


def _state(shard: ShardStatus) -> Iterator[Text]:
    """What happens on a shard and what it waits for, a line each; one at least."""
    ledger = shard.seen.ledger
    assert ledger is not None  # noqa: S101  (who has none is a row with its problem)
    if shard.contradiction is not None:
        yield Text(printable(shard.contradiction), style="red")
    if ledger.standby:
        yield Text("read from a standby, which may lag behind", style="yellow")
    for one in shard.progress:
        yield _progress(one)
    under_way = shard.under_way
    if under_way is not None:
        of = "" if under_way.total is None else f" of {under_way.total}"
        yield Text(
            f"on the way to {under_way.release}: {under_way.done}{of} steps, now in"
            f" {under_way.phase.value}"
        )
    if ledger.runner is not None:
        yield _runner(ledger.runner)
    moving = {one.step for one in shard.progress}
    unmoved = [step for step in shard.to_move if step not in moving]
    if unmoved:
        yield Text(printable(f"data still to be moved by {some(unmoved)}"))
    if shard.complete:
        yield Text("complete")
    elif not shard.progress and under_way is None and not unmoved and ledger.runner is None:
        yield Text(_rest(shard))


def _rest(shard: ShardStatus) -> str:
    if shard.state is not None:
        return "before its contract"
    return "no release is ready" if _unready(shard) else "ready"


def _unready(shard: ShardStatus) -> bool:
    return shard.seen.ledger is not None and shard.seen.ledger.ready is None


def _progress(one: Progress) -> Text:
    step = f"{'undo of ' if one.undoing else ''}{one.step} ({one.release})"
    parts = []
    if one.rows or one.total:
        parts.append(f"{one.rows} rows")
        parts += [f"about {one.fraction:.0%}"] if one.fraction is not None else []
    if one.state is State.RUNNING:
        parts += [f"{one.rate:.0f} rows/s"] if one.rate is not None else []
        parts += [f"about {spell_duration(one.left)} left"] if one.left is not None else []
    words = {
        State.RUNNING: f"{step} runs",
        State.STOPPED: f"{step} has STOPPED, nobody works on it",
        State.UNKNOWN: f"{step} runs or has stopped; a standby cannot tell",
    }[one.state]
    style = "red" if one.state is State.STOPPED else ""
    text = Text(printable(f"{words}: {', '.join(parts)}" if parts else words), style=style)
    if one.state is State.STOPPED:
        again = "'undo --to' ends it" if one.undoing else "'apply' goes on there"
        text.append(f"; {again}")
    return text


def _runner(runner: RunnerSeen) -> Text:
    told = f"at work: {runner.application}"
    if runner.client:
        told += f" from {runner.client}"
    if runner.age is not None:
        told += f" for {spell_duration(runner.age)}"
    if runner.index_build:
        told += f", {runner.index_build}"
    if runner.waits_for:
        return Text(printable(f"{told}, waits for {runner.waits_for}"), style="yellow")
    if runner.quiet is not None and runner.quiet > _QUIET:
        silence = f"{told}, silent for {spell_duration(runner.quiet)}"
        return Text(printable(silence), style="yellow")
    return Text(printable(told))
