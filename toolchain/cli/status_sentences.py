"""What is blocked by what in a fleet, and what may be done next, in sentences."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from toolchain.cli.plan_text import notes
from toolchain.cli.status_parts import NAMED, indented, some
from toolchain.plan.fleet_status.blocked import Blocked, Kind
from toolchain.plan.fleet_status.onward import Onward, Way
from toolchain.plan.fleet_status.progress import State
from toolchain.plan.fleet_status.seen import Blocker, Registration
from toolchain.plan.fleet_status.status import FleetStatus, ShardStatus
from toolchain.render.status import command_line
from toolchain.runner.core.duration import spell_duration
from toolchain.spec.wording import printable


def blocked_line(one: Blocked, *, reasons: bool) -> str:
    """What is blocked by what, and with `reasons` why."""
    shards = some(one.shards)
    match one.kind:
        case Kind.LOCK:
            sessions = "; ".join(map(_session, one.sessions[:NAMED]))
            return f"the runner on {shards} waits for {one.what}, held by {sessions}"
        case Kind.MISFIT:
            return f"servers that do not fit {shards}: {_registered(one.servers)}"
        case Kind.CONTRACT | Kind.SCHEMA:
            return f"{one.what} on {shards}, by {_registered(one.servers)}"
        case Kind.SERVERS:
            older = f"older servers {', '.join(map(str, one.versions))}" if one.versions else ""
            by = " and ".join(part for part in (shards, older) if part)
            return f"{one.what}, by {by}" + (f": {one.reason}" if reasons else "")


def _session(one: Blocker) -> str:
    if not one.pid:
        return "a prepared transaction"
    details = [f"server process {one.pid}", *([one.state] if one.state else [])]
    details += [f"for {spell_duration(one.age)}"] if one.age is not None else []
    user = f" of {one.user}" if one.user else ""
    client = f" on {one.client}" if one.client else ""
    return f"{one.application or 'an application'}{user}{client} ({', '.join(details)})"


def _registered(servers: Sequence[Registration]) -> str:
    return some(
        [
            f"{one.instance} {one.version} on {one.host} (seen {spell_duration(one.age)} ago"
            f"{'' if one.live else ', expired'})"
            for one in servers
        ]
    )


def next_lines(status: FleetStatus) -> Iterator[Text]:
    """What may be done next, and what should end before."""
    yield from _next(status.onward)
    yield from _first(status.shards)
    # The plan counts who is live; the gates count these, too.
    gone = {one.host for each in status.blocked for one in each.servers if not one.live}
    if gone:
        yield indented(f"first start again, or retire, the expired servers on {some(sorted(gone))}")


def _next(onward: Onward) -> Iterator[Text]:
    target = onward.target
    match onward.way:
        case Way.DONE:
            yield Text(f"Next: nothing, no server and no shard is below {target}.")
        case Way.WAVE:
            yield from _wave(onward)
        case Way.NO_WAY:
            yield Text(f"Next: there is no way for this fleet to {target}:", style="bold")
        case Way.NOT_LEGAL:
            yield Text(
                f"Next: mend what does not fit; no plan to {target} starts from there:",
                style="bold",
            )
        case Way.UNKNOWN:
            yield Text("Next: nobody can say yet:", style="bold")
    if onward.way not in {Way.DONE, Way.WAVE}:
        for reason in onward.reasons:
            yield indented(reason)


def _first(shards: Sequence[ShardStatus]) -> Iterator[Text]:
    """What should end before anything else begins."""
    busy = [one.seen.name for one in shards if one.seen.ledger and one.seen.ledger.runner]
    if busy:
        yield indented(f"first let the runner end that is at work on {some(busy)}")
    stopped = [
        one.seen.name for one in shards if any(step.state is State.STOPPED for step in one.progress)
    ]
    if stopped:
        yield indented(f"first end the steps that have stopped on {some(stopped)}")


def _wave(onward: Onward) -> Iterator[Text]:
    wave = onward.wave
    assert wave is not None  # noqa: S101  (it is what this answer has)
    names = sorted(name for move in wave.moves for name in move.names)
    told = [f"{wave.side.value} to {wave.release}, {some(names)}", *notes(wave)]
    yield Text(
        printable(f"Next to {onward.target}, wave 1 of {onward.waves}: {'; '.join(told)}"),
        style="bold",
    )
    where = ""
    for command in onward.commands:
        if command.where != where:
            where = command.where
            yield indented(f"on {where}:")
        yield indented(f"  {command_line(command.argv)}")
