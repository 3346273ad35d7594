"""The differences that a rehearsal found, in sentences; every report takes them from here."""

from toolchain.matrix.measured.differences import FalsePromise, WiderWindow
from toolchain.matrix.measured.values import (
    ORDER,
    Broken,
    Exchange,
    Failure,
    Means,
    SchemaComparison,
    State,
)
from toolchain.model.version import Version

_MOST_STATES = 3
_MOST_STATEMENTS = 3
_LONGEST_DEFINITION = 200


def promise_sentence(promise: FalsePromise) -> str:
    """Which server fails where, although the windows let it run there."""
    exchange = promise.failure.exchange
    if exchange is not None:
        return (
            f"the server {promise.server.version} does not see what {exchange.writer} writes on a"
            f" shard at {spell_states(promise.states)}, and the windows let both run there"
        )
    return (
        f"the server {promise.server.version} fails on a shard at {spell_states(promise.states)},"
        " and the windows let it run there"
    )


def windows_sentence(promise: FalsePromise) -> str:
    """What both sides say of themselves, with the places of their specs."""
    server, release, shard = promise.server, promise.release, promise.first.shard
    return (
        f"the server says schema {server.server.schemas} ({server.server.schemas_origin});"
        f" the shard says schema {shard.schema}, servers {shard.servers}"
        f" ({release.database.servers_origin})"
    )


def answer_sentence(failure: Failure, *, varies: bool = False) -> str:
    """The statement by its name and place, and what was answered; `varies` is of the detail."""
    statement = failure.statement
    if statement is None:
        code = f" (exit code {failure.code})" if failure.code else ""
        return f"the probe says: {failure.message}{code}"
    if failure.means is Means.EXCHANGE:
        return f"{statement.name} at {statement.origin} {failure.message}"
    run = "" if failure.means is Means.PREPARE else f" with its {failure.means.value}"
    code = f" (SQLSTATE {failure.code})" if failure.code else ""
    detail = f"; {'for example: ' if varies else ''}{failure.detail}" if failure.detail else ""
    return f"{statement.name}{run} at {statement.origin}: {failure.message}{code}{detail}"


def missed_sentence(exchange: Exchange, reader: Version) -> str:
    """What a server saw of another's write, and what it should have seen."""
    should = (
        f"after {_spell_writes(exchange.own, f'{reader} itself')} it sees"
        if exchange.own
        else f"where {exchange.writer} itself sees"
    )
    wrote = _spell_writes(exchange.wrote, str(exchange.writer))
    return f"sees {exchange.found} after {wrote}; {should} {exchange.expected}"


def _spell_writes(names: tuple[str, ...], server: str) -> str:
    """A few statements by name, or the last of them, and how many are before it."""
    *before, last = names
    if not before:
        return f"{last} of {server}"
    if len(names) <= _MOST_STATEMENTS:
        return f"{', '.join(before)} and {last} of {server}"
    return f"{last} of {server} and {len(before)} statements before it"


def wider_sentence(wider: WiderWindow) -> str:
    """Where a server would run, as far as its statements tell."""
    return (
        f"all that was tried of the server {wider.server.version} works on the shards of"
        f" {spell_versions(wider.releases)}, and the windows refuse it there"
    )


def unmeasured_sentence(versions: tuple[Version, ...]) -> str:
    """Which servers had nothing to be tried with."""
    return (
        f"not measured: {spell_versions(versions)}; give the release 'server.statements' or"
        " 'server.probe'"
    )


def schemas_sentence(comparison: SchemaComparison) -> str:
    """That a release's schema depends on the way to it."""
    count = len(comparison.differences)
    objects = "1 object" if count == 1 else f"{count} objects"
    way = " → ".join(str(version) for version in comparison.way)
    return f"a shard upgraded {way} differs from a fresh {comparison.release} in {objects}"


def order_sentence(comparison: SchemaComparison) -> str:
    """That the way to a release decides the order of columns."""
    tables = ", ".join(each.name.removeprefix(ORDER) for each in comparison.differences)
    way = " → ".join(str(version) for version in comparison.way)
    return (
        f"a shard upgraded {way} has its columns in another order than a fresh"
        f" {comparison.release} ({tables}): name them in INSERT and SELECT"
    )


def definition(text: str | None) -> str:
    """One side of a difference, on one line."""
    if text is None:
        return "is not there"
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_DEFINITION else f"{line[:_LONGEST_DEFINITION]}…"


def broken_sentence(broken: Broken) -> str:
    """Where the walk ended, in the runner's words."""
    way = f" ({broken.way})" if broken.way else ""
    return f"the walk ends at {broken.release}{way}: {broken.sentence}"


def spell_states(states: tuple[State, ...]) -> str:
    """A few states by name, and how many more there are."""
    named = ", ".join(str(state) for state in states[:_MOST_STATES])
    more = len(states) - _MOST_STATES
    if more <= 0:
        return named
    return f"{named} and {more} more state{'s' if more > 1 else ''}"


def spell_versions(versions: tuple[Version, ...]) -> str:
    """Versions by name."""
    return ", ".join(str(version) for version in versions)
