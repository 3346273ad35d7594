"""The whole of a status: every shard and server, what is blocked by what, what may be done next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from toolchain.plan.fleet_status.blocked import Blocked, gates, kept_out, misfits, waiting_runners
from toolchain.plan.fleet_status.onward import Onward
from toolchain.plan.fleet_status.progress import (
    Progress,
    Rates,
    UnderWay,
    progress_of,
    to_move,
    under_way,
)
from toolchain.plan.fleet_status.seen import ShardSeen
from toolchain.plan.fleet_status.servers import ServerStatus, servers_of
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.shard import ShardState, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardStatus:
    """A shard with what its ledger and the specs together make of it.

    `state` is None without the specs, where the shard was not read, and where its ledger does not
    agree with the specs: `contradiction` then says how.
    """

    seen: ShardSeen
    state: ShardState | None
    contradiction: str | None
    progress: tuple[Progress, ...]
    under_way: UnderWay | None
    to_move: tuple[str, ...]

    @property
    def complete(self) -> bool | None:
        """Whether all of its release has run, the contract too; None where nobody can tell."""
        if self.state is None:
            return None
        return self.state.stage is Stage.CLOSED and not self.progress and not self.to_move


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetStatus:
    """A fleet as its ledgers say; `at` is when they were read, by the clock of this host."""

    product: str
    at: datetime
    shards: tuple[ShardStatus, ...]
    servers: tuple[ServerStatus, ...]
    blocked: tuple[Blocked, ...]
    onward: Onward

    @property
    def whole(self) -> bool:
        """Whether every shard was read."""
        return all(shard.seen.ledger is not None for shard in self.shards)


def status_of(
    product: str,
    at: datetime,
    seen: tuple[ShardSeen, ...],
    onward: Onward,
    *,
    states: Mapping[str, ShardState | str],
    chain: Chain | None,
    rates: Rates,
) -> FleetStatus:
    """What was seen, put together; `states` are the shards' states, or why they have none."""
    servers = servers_of(seen)
    blocked = [*waiting_runners(seen), *misfits(seen)]
    if chain is not None and onward.target is not None:
        known = {name: state for name, state in states.items() if isinstance(state, ShardState)}
        blocked += gates(seen, known, chain, onward.target)
        blocked += kept_out(servers, known, chain, onward.target)
    return FleetStatus(
        product=product,
        at=at,
        shards=tuple(_shard(shard, states.get(shard.name), chain, rates) for shard in seen),
        servers=servers,
        blocked=tuple(blocked),
        onward=onward,
    )


def _shard(
    shard: ShardSeen, state: ShardState | str | None, chain: Chain | None, rates: Rates
) -> ShardStatus:
    ledger = shard.ledger
    return ShardStatus(
        seen=shard,
        state=state if isinstance(state, ShardState) else None,
        contradiction=state if isinstance(state, str) else None,
        progress=progress_of(shard.name, ledger, rates) if ledger else (),
        under_way=under_way(ledger, chain) if ledger else None,
        to_move=to_move(ledger, chain) if ledger else (),
    )


def rates_between(before: FleetStatus, seen: tuple[ShardSeen, ...], seconds: float) -> Rates:
    """Rows a second of each running step since an earlier look, rests included."""
    rows = {
        (shard.seen.name, one.step): one.rows for shard in before.shards for one in shard.progress
    }
    return {
        (shard.name, step.id): (step.rows - rows[shard.name, step.id]) / seconds
        for shard in seen
        for step in (shard.ledger.steps if shard.ledger else ())
        if step.unfinished and step.rows >= rows.get((shard.name, step.id), step.rows + 1)
    }
