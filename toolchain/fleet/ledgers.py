"""The ledgers of all shards to one fleet: the shards' states, and every server that lives."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from toolchain.edge.ledger import LedgerReading, read_ledgers
from toolchain.edge.ledger_config import read_addresses
from toolchain.errors import InterlockError
from toolchain.model.change import Phase
from toolchain.model.law import ShardHandshake
from toolchain.model.release import Product
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Fleet, Server, Shard
from toolchain.plan.rollout.world.possible import Possible
from toolchain.plan.rollout.world.shard import ShardState, Stage, closed


def read_fleet(path: Path, product: Product, chain: Chain) -> Fleet:
    """The fleet that the ledgers of a shards file know.

    Raises UsageError for the file, ToolError for a shard that cannot be read, and InterlockError
    for a ledger that contradicts the product: one that speaks of releases which it does not have,
    or that says of itself what no shard at its release can say.
    """
    return fleet_of(read_ledgers(read_addresses(path), product.name), chain)


def fleet_of(readings: Sequence[LedgerReading], chain: Chain) -> Fleet:
    """The fleet of these readings; a host with several alike instances is one server."""
    possible = Possible(chain)
    shards = tuple(
        Shard(name=one.shard, state=shard_state(one, chain, possible)) for one in readings
    )
    return Fleet(tuple(_servers(readings, chain)), shards)


def _servers(readings: Sequence[LedgerReading], chain: Chain) -> Iterator[Server]:
    found: dict[str, dict[str, set[Version]]] = {}
    for reading in readings:
        for server in reading.servers:
            version = _known(server.version, f"server {server.host} of {reading.shard}", chain)
            found.setdefault(server.host, {}).setdefault(server.instance, set()).add(version)
    for host, instances in found.items():
        # One that restarts registers with one shard after another: the old is still true.
        versions = {instance: min(registered) for instance, registered in instances.items()}
        if len(set(versions.values())) == 1:
            yield Server(host=host, version=min(versions.values()))
            continue
        for instance, version in versions.items():
            yield Server(host=f"{host}/{instance}", version=version)


def shard_state(reading: LedgerReading, chain: Chain, possible: Possible) -> ShardState:
    """A shard as its ledger and the specs together say; raises InterlockError where they differ."""
    where = f"shard {reading.shard}"
    if reading.ready is None:
        raise InterlockError(
            f"{where} has no release that is ready: its first 'apply' has not ended",
            "let it end, then plan",
        )
    version = _known(reading.ready, where, chain)
    at = chain.places[version]
    handshake = ShardHandshake(
        schema=reading.schema,
        servers=Window(
            Version.parse(reading.oldest_server),
            None if reading.servers_below is None else Version.parse(reading.servers_below),
        ),
    )
    facts, done = chain[at], set(reading.steps)
    contracts = {step.id for step in facts.of(Phase.CONTRACT)}
    ended = done - set(reading.unfinished)
    whole = closed(handshake, facts) == handshake and contracts <= ended
    history = {step.id for place in chain.history(at) for step in chain[place].steps}
    stage = Stage.CLOSED if whole else Stage.READY
    if not possible.explains(at, stage, handshake):
        right = possible.handshakes(at, stage) or possible.handshakes(at, Stage.CLOSED)
        raise InterlockError(
            f"{where} is at {version} and says {_spelled(handshake)}, where the specs make"
            f" {' or '.join(map(_spelled, right))} of it",
            "plan with the specs that its database package was built from",
        )
    state = ShardState(release=version, stage=stage, handshake=handshake)
    return replace(state, ahead=frozenset(done - history))


def _spelled(handshake: ShardHandshake) -> str:
    return f"schema {handshake.schema}, servers {handshake.servers}"


def _known(text: str, where: str, chain: Chain) -> Version:
    version = Version.parse(text)
    if version in chain.places:
        return version
    known = [str(facts.version) for facts in chain.releases]
    near = get_close_matches(text, known, n=1)
    raise InterlockError(
        f"{where} is at release {text}, which the product does not have",
        f"fetch its spec{f' (the nearest here is {near[0]})' if near else ''}",
    )
