"""Why a wave may not be taken: the facts that are in its way, each with the line that says so."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from toolchain.model.law import compatible, peers_compatible
from toolchain.model.origin import Origin
from toolchain.model.version import Version
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.shard import ShardState, Stage
from toolchain.plan.rollout.world.way import Goal, carried_by, way


class Bar(Enum):
    """Which fact stands in the way."""

    DATABASE = "database"  # a shard does not accept the version of a server
    SCHEMA = "schema"  # a server does not run on the schema of a shard
    PEERS = "peers"  # a newer server does not work beside an older one
    STEPS = "steps"  # a step has run in a shard that the release knows nothing of


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One fact against a state: what `release` says, and the `server` or shard that it leaves out.

    `sentence` is a clause without a full stop, `origin` the line of the spec.
    """

    bar: Bar
    release: Version
    server: Version
    schema: int
    sentence: str
    origin: Origin | None
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.sentence


def at_line(origin: Origin | None) -> str:
    """A place in parentheses behind a fact; nothing where no file says it."""
    return "" if origin is None else f" ({origin.file}:{origin.line})"


def shard_refusals(chain: Chain, server: int, state: ShardState) -> Iterator[Refusal]:
    """Why a server may not work on a shard in a state; nothing where the law lets it."""
    facts, shard = chain[server], state.handshake
    if compatible(facts.server, shard):
        return
    if facts.version not in shard.servers:
        owner = _owner(chain, state, facts.version)
        origin = chain[owner].origins
        place = origin.servers if origin else None
        yield Refusal(
            bar=Bar.DATABASE,
            release=chain[owner].version,
            server=facts.version,
            schema=shard.schema,
            sentence=f"database {chain[owner].version} accepts servers {shard.servers}"
            f"{at_line(place)}, and {facts.version} is not among them",
            origin=place,
        )
    if shard.schema not in facts.server.schemas:
        place = facts.origins.schemas if facts.origins else None
        yield Refusal(
            bar=Bar.SCHEMA,
            release=facts.version,
            server=facts.version,
            schema=shard.schema,
            sentence=f"server {facts.version} runs on schemas {facts.server.schemas}"
            f"{at_line(place)}, and a shard at {state.release} has schema {shard.schema}",
            origin=place,
        )


def _owner(chain: Chain, state: ShardState, server: Version) -> int:
    """The release whose window it is that a shard has: the last that has the bound in question."""
    here = chain.places[state.release]
    window = state.handshake.servers
    for place in reversed(chain.history(here)):
        declared = chain[place].shard.servers
        if server < window.oldest:
            if declared.oldest == window.oldest and not (
                place == here and state.stage is Stage.READY
            ):
                return place
        elif declared.below == window.below:
            return place
    return here


def peer_refusals(chain: Chain, one: int, other: int) -> Iterator[Refusal]:
    """Why two servers may not run side by side; nothing where the law lets them."""
    newer, older = chain[max(one, other)], chain[min(one, other)]
    if peers_compatible(newer.server, older.server):
        return
    place = newer.origins.peers if newer.origins else None
    yield Refusal(
        bar=Bar.PEERS,
        release=newer.version,
        server=older.version,
        schema=0,
        sentence=f"server {newer.version} works beside servers {newer.server.peers}"
        f"{at_line(place)}, and {older.version} is not among them",
        origin=place,
    )


def server_bars(
    chain: Chain, place: int, present: Iterable[int], states: Iterable[ShardState]
) -> tuple[Refusal, ...]:
    """What keeps servers from going to a release beside these servers and shards."""
    found = [refusal for other in present for refusal in peer_refusals(chain, place, other)]
    for state in sorted(states, key=lambda state: (state.release, state.stage)):
        found.extend(shard_refusals(chain, place, state))
    return tuple(dict.fromkeys(found))


def shard_bars(
    chain: Chain, goal: Goal, present: Iterable[int], states: Iterable[ShardState]
) -> tuple[Refusal, ...]:
    """What keeps shards from going to a goal while these servers run: the first fact for each."""
    found: list[Refusal] = []
    servers = tuple(present)
    for state in sorted(states, key=lambda state: (state.release, state.stage)):
        if (chain.places[state.release], state.stage) >= goal:
            continue
        unknown = sorted(carried_by(chain, state, goal[0]))
        if unknown:
            found.append(_step_refusal(chain, state, goal[0], unknown))
            continue
        for half in way(chain, state, goal):
            refusals = [
                refusal
                for server in servers
                for refusal in shard_refusals(chain, server, half.state)
            ]
            if refusals:
                found.extend(refusals)
                break
    return tuple(dict.fromkeys(found))


def _step_refusal(chain: Chain, state: ShardState, place: int, steps: list[str]) -> Refusal:
    facts = chain[place]
    origin = facts.origins.release if facts.origins else None
    return Refusal(
        bar=Bar.STEPS,
        release=facts.version,
        server=state.release,
        schema=state.handshake.schema,
        sentence=f"a shard at {state.release} has run {', '.join(steps)}, which database"
        f" {facts.version} does not carry{at_line(origin)}",
        origin=origin,
        steps=tuple(steps),
    )
