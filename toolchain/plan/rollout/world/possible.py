"""What a shard at a release can say of itself, whichever way it came there.

A shard that came through a hotfix may have another schema and window than one that came through the
release's own history, so there may be several answers. A shard can also begin at a release, when an
existing database is adopted there. Whatever is not among the answers contradicts the specs.
"""

from collections.abc import Iterator
from functools import cached_property

from toolchain.model.change import Phase
from toolchain.model.law import ShardHandshake
from toolchain.model.version import Version
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.shard import ShardState, Stage, step_into


class Possible:
    """The handshakes that each release of a chain makes true."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def handshakes(self, at: int, stage: Stage) -> tuple[ShardHandshake, ...]:
        """What shards at a release and stage say, those of the release's own history first.

        A contract that has begun and not ended has the handshake of its end: it is READY still.
        Empty where a shard cannot stand in this stage.
        """
        found = [state.handshake for state in self._states[at] if state.stage is stage]
        if stage is Stage.READY and self._chain[at].of(Phase.CONTRACT):
            found += [state.handshake for state in self._states[at]]
        return tuple(dict.fromkeys(found))

    def explains(self, at: int, stage: Stage, said: ShardHandshake) -> bool:
        """Whether a shard there can say this.

        Of a ceiling only that some release declares it: one that an undone release had brought
        may be left.
        """
        ceilings = {facts.shard.servers.below for facts in self._chain.releases}
        return said.servers.below in ceilings and any(
            (one.schema, one.servers.oldest) == (said.schema, said.servers.oldest)
            for one in self.handshakes(at, stage)
        )

    @cached_property
    def _states(self) -> list[tuple[ShardState, ...]]:
        """The states at each place; none at a release without a database package."""
        found: list[tuple[ShardState, ...]] = []
        for at, facts in enumerate(self._chain.releases):
            states: list[ShardState] = []
            if facts.packaged:
                for before in self._before(at, found):
                    states += step_into(before, facts)
            found.append(tuple(dict.fromkeys(states)))
        return found

    def _before(self, at: int, found: list[tuple[ShardState, ...]]) -> Iterator[ShardState]:
        """The states from which a shard can enter a release."""
        past = self._chain.history(at)
        parent = max((place for place in past[:-1] if found[place]), default=-1)
        if parent >= 0:
            yield from (state for state in found[parent] if state.stage is Stage.CLOSED)
        # A release that came out later, of a branch of hotfixes.
        for place in sorted(set(range(parent + 1, at)) - set(past)):
            yield from found[place]
        yield ShardState(
            release=Version(0, 0, 0),
            stage=Stage.CLOSED,
            handshake=ShardHandshake(schema=0, servers=self._chain[at].shard.servers),
        )
