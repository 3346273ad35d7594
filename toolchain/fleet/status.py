"""A fleet's status from its shards' ledgers, with what the specs add where they are at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from toolchain.edge.ledger import LedgerReading, Registered
from toolchain.edge.ledger_config import ShardAddress
from toolchain.edge.ledger_look import look_at_shards
from toolchain.errors import InterlockError
from toolchain.fleet.ledgers import fleet_of, shard_state
from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.plan.fleet_status.onward import Onward, Way, onward
from toolchain.plan.fleet_status.seen import LedgerSeen, ShardSeen
from toolchain.plan.fleet_status.status import FleetStatus, rates_between, status_of
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.possible import Possible
from toolchain.plan.rollout.world.shard import ShardState


@dataclass(frozen=True, slots=True, kw_only=True)
class Specs:
    """What the specs add: the chain that the ledgers are judged by, and where to go."""

    product: Product
    chain: Chain
    target: Version


def read_status(
    addresses: Sequence[ShardAddress],
    product: str,
    specs: Specs | None,
    *,
    now: datetime,
    before: FleetStatus | None = None,
) -> FleetStatus:
    """Look at every shard; a shard that cannot be read is a row with its reason.

    Rates are what was moved since the look `before`; without one, the ledgers' averages.
    """
    seen = look_at_shards(addresses, product)
    elapsed = (now - before.at).total_seconds() if before is not None else 0.0
    rates = rates_between(before, seen, elapsed) if before is not None and elapsed > 0 else {}
    return judge(product, seen, specs, now=now, rates=rates)


def judge(
    product: str,
    seen: tuple[ShardSeen, ...],
    specs: Specs | None,
    *,
    now: datetime,
    rates: Mapping[tuple[str, str], float],
) -> FleetStatus:
    """What the shards have shown, judged by the specs."""
    states = {} if specs is None else dict(states_of(seen, specs.chain))
    return status_of(
        product,
        now,
        seen,
        _onward(seen, states, specs),
        states=states,
        chain=None if specs is None else specs.chain,
        rates=rates,
    )


def states_of(seen: Sequence[ShardSeen], chain: Chain) -> Mapping[str, ShardState | str]:
    """The state of each shard that was read, or in what its ledger contradicts the specs."""
    possible = Possible(chain)
    found: dict[str, ShardState | str] = {}
    for shard in seen:
        if shard.ledger is not None:
            try:
                found[shard.name] = shard_state(_reading(shard.name, shard.ledger), chain, possible)
            except InterlockError as error:
                found[shard.name] = str(error)
    return found


def _onward(
    seen: tuple[ShardSeen, ...], states: Mapping[str, ShardState | str], specs: Specs | None
) -> Onward:
    if specs is None:
        return Onward(
            way=Way.UNKNOWN,
            target=None,
            reasons=("the next wave follows from the specs: name the product's directory",),
        )
    problems = [f"shard {shard.name} {shard.problem}" for shard in seen if shard.problem]
    problems += [state for state in states.values() if isinstance(state, str)]
    if not problems:
        readings = [_reading(shard.name, shard.ledger) for shard in seen if shard.ledger]
        try:
            fleet = fleet_of(readings, specs.chain)
        except InterlockError as error:
            problems = [str(error)]
    if problems:
        return Onward(way=Way.UNKNOWN, target=specs.target, reasons=tuple(problems))
    answer = plan_rollout(specs.chain, fleet, specs.target, specs.product.rollout)
    return onward(specs.product, specs.target, answer)


def _reading(name: str, ledger: LedgerSeen) -> LedgerReading:
    """The same ledger as the planner takes it."""
    window = ledger.handshake.servers
    return LedgerReading(
        shard=name,
        schema=ledger.handshake.schema,
        oldest_server=str(window.oldest),
        servers_below=None if window.below is None else str(window.below),
        ready=None if ledger.ready is None else str(ledger.ready),
        closed=None if ledger.closed is None else str(ledger.closed),
        steps=tuple(step.id for step in ledger.steps if step.state != "undone"),
        servers=tuple(
            Registered(host=one.host, instance=one.instance, version=str(one.version))
            for one in ledger.servers
            if one.live
        ),
        unfinished=tuple(step.id for step in ledger.steps if step.unfinished),
    )
