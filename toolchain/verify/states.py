"""Every state that some shard can be in, half-way ones included; the planner's rules, walked out.

How a shard moves stands in `plan.rollout` alone, which a test holds against the phase runner.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.version import Version
from toolchain.plan.rollout.world.facts import Chain, ReleaseFacts
from toolchain.plan.rollout.world.shard import ShardState, Stage, state_at, step_into
from toolchain.plan.rollout.world.way import carried_by, way


def line_of(releases: Mapping[Version, tuple[ServerHandshake, ShardHandshake]]) -> Chain:
    """A chain of handshakes, which carry neither a date nor steps.

    It assumes that each release was built upon the version before it, so that a shard passes all
    of them: of a hotfix that came out after a later version, nothing here can know that. Where a
    product has such branches, its specs tell.
    """
    return Chain.of(
        ReleaseFacts(version=version, date=date.min, server=server, shard=shard)
        for version, (server, shard) in releases.items()
    )


def shard_states(chain: Chain) -> tuple[ShardHandshake, ...]:
    """What a shard can say of itself once it is at a release, in the order of the releases.

    A shard begins at the first release of a history and goes through the next ones; one on a
    branch of hotfixes goes on to those later releases that carry every step which it has run.
    """
    found: defaultdict[int, dict[ShardHandshake, None]] = defaultdict(dict)
    resting: list[tuple[ShardState, ...]] = []
    for at, facts in enumerate(chain.releases):
        states = dict.fromkeys(_arriving(chain, at, resting)) if facts.packaged else {}
        for state in states:
            found[chain.places[state.release]][state.handshake] = None
        resting.append(tuple(state for state in states if state.release == facts.version))
    ordered = (handshake for at in sorted(found) for handshake in found[at])
    return tuple(dict.fromkeys(ordered))


def _arriving(chain: Chain, at: int, resting: list[tuple[ShardState, ...]]) -> Iterator[ShardState]:
    """Every state on the ways into a release; `resting` are those at each release before it."""
    past = chain.history(at)
    above = [place for place in past[:-1] if chain[place].packaged]
    if above:
        # A contract that would leave no server can't begin, and nothing comes after it.
        for state in resting[above[-1]]:
            if state.stage is Stage.CLOSED:
                yield from step_into(state, chain[at])
    else:
        for stage in Stage:
            first = state_at(chain, at, stage)
            if first is not None:
                yield first
    for here in sorted(set(range(at)) - set(past)):
        for state in resting[here]:
            if carried_by(chain, state, at):
                continue
            if above and above[-1] > here and not carried_by(chain, state, above[-1]):
                continue  # it comes by that release, and is there already
            for half in way(chain, state, (at, Stage.CLOSED)):
                yield half.state
