"""What a shard says of itself on its way through the releases, as the phase runner writes it.

A release is entered in two transactions: `ready` raises the schema once expand and migrate are
done, `closed` raises the oldest server when the contract begins. In between the shard has the new
schema and still takes the old servers. These are the runner's own rules (`walk.made_ready`,
`walk.closed`); a test holds the two against each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from toolchain.model.change import Phase
from toolchain.model.law import ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.plan.rollout.world.facts import Chain, ReleaseFacts


class Stage(IntEnum):
    """How far a shard has come in its release."""

    READY = 0
    CLOSED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardState:
    """A shard at a release; `ahead` are steps that have run beyond it, as a ledger tells."""

    release: Version
    stage: Stage
    handshake: ShardHandshake
    ahead: frozenset[str] = frozenset()


def made_ready(before: ShardHandshake, release: ReleaseFacts) -> ShardHandshake:
    """The handshake once a release's schema is ready; the wider ceiling holds from then on."""
    ceilings = (before.servers.below, release.shard.servers.below)
    below = None if None in ceilings else max(ceiling for ceiling in ceilings if ceiling)
    return ShardHandshake(
        schema=max(before.schema, release.shard.schema),
        servers=Window(before.servers.oldest, below),
    )


def closed(before: ShardHandshake, release: ReleaseFacts) -> ShardHandshake | None:
    """The handshake once a contract has begun; None when no server at all would be left."""
    oldest = max(before.servers.oldest, release.shard.servers.oldest)
    below = release.shard.servers.below
    if below is not None and not oldest < below:
        return None
    return ShardHandshake(schema=before.schema, servers=Window(oldest, below))


def step_into(state: ShardState, release: ReleaseFacts) -> Iterator[ShardState]:
    """The states of a shard that goes from a state into the next release, contract included.

    Ends early where a contract would leave no server. A contract that changes nothing is none, so
    that the first state is already the last.
    """
    handshake = state.handshake
    if state.release != release.version:
        handshake = made_ready(handshake, release)
        after = closed(handshake, release)
        done = after == handshake and not release.of(Phase.CONTRACT)
        stage = Stage.CLOSED if done else Stage.READY
        yield ShardState(release=release.version, stage=stage, handshake=handshake)
        if done:
            return
    elif state.stage is Stage.CLOSED:
        return
    after = closed(handshake, release)
    if after is not None:
        yield ShardState(release=release.version, stage=Stage.CLOSED, handshake=after)


def state_at(chain: Chain, at: int, stage: Stage = Stage.CLOSED) -> ShardState | None:
    """A shard that came to a release through its whole history; None when there is no such state.

    A release without a database package leaves a shard at the one before it.
    """
    places = [place for place in chain.history(at) if chain[place].packaged]
    if not places:
        return None
    first = chain[places[0]]
    # No server can need anything older than what the first release's contract leaves.
    state = ShardState(
        release=Version(0, 0, 0),
        stage=Stage.CLOSED,
        handshake=ShardHandshake(schema=0, servers=first.shard.servers),
    )
    for place in places:
        for following in step_into(state, chain[place]):
            state = following
            if place == places[-1] and state.stage is stage:
                return state
    return state if state.release == chain[places[-1]].version else None
