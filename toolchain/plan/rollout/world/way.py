"""A shard's way through the releases, in half states, whether the law allows it or not.

A shard passes every release between where it is and where it goes, in the order of the target's
history, and enters each in two steps. It may go to a release only if that one's history carries
every step that has run in the shard: what a hotfix did, a later release must know.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from toolchain.model.change import Phase
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.shard import ShardState, Stage, step_into

Goal = tuple[int, Stage]


@dataclass(frozen=True, slots=True)
class Half:
    """One state on a shard's way; `final` marks those from which there is no way back."""

    release: int
    state: ShardState
    final: bool


def half_states(chain: Chain, state: ShardState, release: int) -> Iterator[Half]:
    """The states on the way into one release, which comes next in a history."""
    facts = chain[release]
    undoable = all(step.undoable for step in facts.of(Phase.EXPAND))
    entering = state.release != facts.version
    for following in step_into(state, facts):
        if entering:
            entering = False
            yield Half(release, following, not undoable)
        else:
            yield Half(release, following, final=True)


def carried_by(chain: Chain, state: ShardState, release: int) -> frozenset[str]:
    """The steps that have run in a shard and that a release's history does not carry."""
    past = chain.history(release)
    here = chain.places[state.release]
    if here in past and not state.ahead:
        return frozenset()
    known = {step.id for place in past for step in chain[place].steps}
    run = {
        step.id
        for place in chain.history(here)
        for step in chain[place].steps
        if place != here or state.stage is Stage.CLOSED or step.phase is not Phase.CONTRACT
    }
    return frozenset(run | state.ahead) - known


def way(chain: Chain, state: ShardState, goal: Goal) -> Iterator[Half]:
    """Every state on the way to a goal above, whether the law allows it or not."""
    release, stage = goal
    here = chain.places[state.release]
    places = [place for place in chain.history(release) if place > here]
    if here in chain.history(release) and state.stage is Stage.READY:
        places.insert(0, here)
    for place in places:
        if place != here and not chain[place].packaged:
            continue
        for half in half_states(chain, state, place):
            yield half
            state = half.state
            if (place, state.stage) == goal and stage is Stage.READY:
                return
