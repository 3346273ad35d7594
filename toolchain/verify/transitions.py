"""What a host may go through: its states, the commands given there, and how they may end; pure."""

from dataclasses import dataclass
from enum import Enum

from toolchain.verify.finding import Finding, Kind
from toolchain.verify.halves import Case
from toolchain.verify.questions import Row, shard_words

# A product of 16 releases has 140 legal pairs and takes 15 seconds with every witness.
MANY_PAIRS = 200


@dataclass(frozen=True, slots=True)
class HostState:
    """What stands on a host, by place in the case; None where that half is not there."""

    server: int | None
    database: int | None
    shards: tuple[int, ...] = ()


class Verb(Enum):
    """What an administrator asks for."""

    UPGRADE = "upgrade"
    FULL_UPGRADE = "full upgrade"
    INSTALL_SERVER = "install server"
    INSTALL_DATABASE = "install database"
    AUTOREMOVE = "autoremove"


@dataclass(frozen=True, slots=True)
class Order:
    """One command; `target` is the place of the version that is asked for by name.

    A `bold` order lets the solver remove and downgrade: dnf's `--allowerasing`, apt's
    `--allow-downgrades`. With `best` off, dnf may pass over what it can't do.
    """

    verb: Verb
    target: int = 0
    bold: bool = False
    best: bool = True


def host_states(
    rows: tuple[Row, ...], *, shards: bool, every: bool = False
) -> tuple[HostState, ...]:
    """Every legal pair; with `shards`, also servers beside shards at the edges of their window.

    Of a product with very many pairs, those at the edges of each server's window, unless `every`
    one is asked for: what happens between two edges happens at them.
    """
    fitting = {row.server: _fitting(row.databases) for row in rows}
    if not every and sum(map(len, fitting.values())) > MANY_PAIRS:
        fitting = {server: _ends(places) for server, places in fitting.items()}
    pairs = [HostState(server, at) for server, places in fitting.items() for at in places]
    if shards:
        for row in rows:
            ends = _ends(_fitting(row.shards))
            pairs += [HostState(row.server, None, (at,)) for at in ends]
    return tuple(pairs)


def _fitting(fits: tuple[bool, ...]) -> tuple[int, ...]:
    return tuple(at for at, fit in enumerate(fits) if fit)


def _ends(places: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted({places[0], places[-1]})) if places else ()


def edge_targets(rows: tuple[Row, ...], state: HostState) -> tuple[tuple[int, ...], ...]:
    """Servers and databases that are worth asking for from a state: ends, neighbours and edges."""
    servers = [row.databases[state.database] for row in rows] if state.database is not None else []
    databases = list(rows[state.server].databases) if state.server is not None else []
    return (
        _around(servers or [True] * len(rows), state.server),
        _around(databases, state.database),
    )


def _around(fits: list[bool], here: int | None) -> tuple[int, ...]:
    last = len(fits) - 1
    near = () if here is None else (here - 1, here + 1)
    flips = (at + side for at in range(last) if fits[at] != fits[at + 1] for side in (0, 1))
    return tuple(sorted({at for at in (0, last, *near, *flips) if 0 <= at <= last and at != here}))


def judge(case: Case, rows: tuple[Row, ...], before: HostState, after: HostState) -> str:
    """What is wrong with an end; empty where nothing is."""
    names = case.names
    if before.server is not None and after.server is None:
        return f"removes {names.server_package}"
    if before.database is not None and after.database is None:
        return f"removes {names.database_package}"
    if set(before.shards) - set(after.shards):
        return "removes the package of a shard"
    if after.server is None:
        return ""
    release, row = case.servers[after.server].release, rows[after.server]
    if after.database is not None and not row.databases[after.database]:
        other = case.databases[after.database].release
        return f"ends with server {release} beside database {other}, which do not fit"
    for shard in after.shards:
        if not row.shards[shard]:
            words = shard_words(case.states[shard])
            return f"ends with server {release}, which does not fit the shard {words}"
    return ""


def state_words(case: Case, state: HostState) -> str:
    """A state in words: `server 4.0.0 and database 4.1.0`."""
    words = []
    if state.server is not None:
        words.append(f"server {case.servers[state.server].release}")
    if state.database is not None:
        words.append(f"database {case.databases[state.database].release}")
    words += [f"a shard {shard_words(case.states[shard])}" for shard in state.shards]
    return " and ".join(words) or "nothing"


def transition_finding(
    case: Case, before: HostState, command: str, wrong: str, asked: str
) -> Finding:
    """The sentence about a command that ended badly."""
    halves: list[str] = []
    if before.server is not None:
        halves.append(case.servers[before.server].file.path)
    if before.database is not None:
        halves.append(case.databases[before.database].file.path)
    removal = wrong.startswith("removes")
    return Finding(
        kind=Kind.TRANSITION,
        files=tuple(halves),
        what=f"on a host with {state_words(case, before)} {wrong}",
        law="both halves stay and fit",
        solver=wrong,
        asked=(asked,),
        commands=(command,),
        cure="protect both packages (`protect: true` in product.yaml)"
        if removal
        else "mend the relations that the other findings name",
    )
