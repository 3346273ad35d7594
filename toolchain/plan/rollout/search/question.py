"""What is asked of a search: the way of a fleet in its chain to a target, by a policy."""

from dataclasses import dataclass
from typing import Self

from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Fleet
from toolchain.plan.rollout.world.shard import ShardState, Stage
from toolchain.plan.rollout.world.way import Goal


@dataclass(frozen=True, slots=True)
class Node:
    """Where a fleet stands: the place of its oldest server, and the states of its shards."""

    floor: int
    shards: frozenset[ShardState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A chain, a fleet, a target and a policy, with what follows from them; releases are places.

    `database` is the release whose database package goes with the target, None where there is none.
    `servers` are the versions that run now, oldest first. `able` says of each release whether
    servers may stop there; `rests` are the releases whose databases shards may stop at.
    """

    chain: Chain
    fleet: Fleet
    policy: RolloutPolicy
    target: int
    database: int | None
    servers: tuple[int, ...]
    able: tuple[bool, ...]
    rests: frozenset[int]

    @classmethod
    def of(cls, chain: Chain, fleet: Fleet, target: Version, policy: RolloutPolicy) -> Self:
        """The question for a target; it and every version of the fleet are in the chain."""
        goal = chain.places[target]
        # A pre-release is a stop only for those who ask for it.
        able = tuple(at == goal or facts.recommended for at, facts in enumerate(chain.releases))
        # A final release without a database package of its own may have that of its pre-release.
        databases = (chain.database(at) for at, stop in enumerate(able) if stop)
        return cls(
            chain=chain,
            fleet=fleet,
            policy=policy,
            target=goal,
            database=chain.database(goal),
            servers=tuple(chain.places[version] for version in fleet.versions),
            able=able,
            rests=frozenset(at for at in databases if at is not None),
        )

    @property
    def start(self) -> Node:
        """Where the fleet stands now."""
        floor = self.servers[0] if self.servers else len(self.chain)
        return Node(floor=floor, shards=self.fleet.states)

    def present(self, floor: int) -> tuple[int, ...]:
        """The versions that run while the oldest server stands at a floor."""
        if not self.servers:
            return ()
        return (floor, *(place for place in self.servers if place > floor))

    def place(self, state: ShardState) -> Goal:
        """A shard's state as release and stage."""
        return self.chain.places[state.release], state.stage

    def behind(self, state: ShardState) -> bool:
        """Whether a shard is not yet where the target wants it."""
        goal = (self.database, Stage.CLOSED)
        return self.database is not None and self.place(state) < goal
