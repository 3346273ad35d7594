"""What an engine is told to do for a plan: each wave as plays, each play with hosts and words.

A play of shards that goes through a contract, or through an expand without undo, is for good and
stands alone, so that an operator can be asked for a yes right before it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolchain.model.change import Phase
from toolchain.model.release import Health, Product
from toolchain.model.version import Version
from toolchain.plan.handshake import handshake_json
from toolchain.plan.rollout.telling.waves import Part, Plan, Wave, spell_waiting
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Fleet, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A service that shall run after an upgrade, and how it says that it is well."""

    unit: str
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One play of one wave.

    `version` is the package's, with revision; `release` and `phase` are what the database package's
    `apply` is told. `contracts` are the releases that are entered for good: not empty where the
    play wants a yes. `handshake` is the release.json of the servers to come. `last` marks the last
    wave of servers.
    """

    wave: int
    side: Side
    release: Version
    version: str
    phase: Phase
    hosts: tuple[str, ...]
    contracts: tuple[Version, ...]
    probes: tuple[Probe, ...]
    handshake: Mapping[str, object]
    last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """A whole plan for an engine.

    `servers` are hosts, `runners` the hosts of shards with, for each wave, the shards that they
    bring on. `order` holds the packages' versions without revision, oldest first. `agent` tells
    whether the server package brings the command that asks the shards.
    """

    product: Product
    target: Version
    servers: tuple[str, ...]
    runners: Mapping[str, Mapping[int, tuple[str, ...]]]
    order: tuple[str, ...]
    agent: bool
    plays: tuple[Order, ...]

    def of(self, wave: int) -> tuple[Order, ...]:
        """The plays of one wave, in order."""
        return tuple(play for play in self.plays if play.wave == wave)

    @property
    def waves(self) -> tuple[int, ...]:
        """The numbers of the waves, in order."""
        return tuple(dict.fromkeys(play.wave for play in self.plays))


def orders_of(plan: Plan, product: Product, chain: Chain) -> Orders:
    """Spell a plan out; a server that is known by its instances is one host."""
    runner = {shard.name: shard.host or shard.name for shard in plan.fleet.shards}
    plays: list[Order] = []
    for wave in plan.waves:
        if wave.side is Side.SERVERS:
            plays.append(_of_servers(wave, plan, product))
        else:
            plays += _of_shards(wave, product, chain, runner)
    return Orders(
        product=product,
        target=plan.target,
        servers=_hosts(plan.fleet),
        runners=_runners(plan.waves, runner),
        order=tuple(facts.version.packaged for facts in chain.releases),
        agent=any(release.server.services for release in product.releases),
        plays=tuple(plays),
    )


def _hosts(fleet: Fleet) -> tuple[str, ...]:
    return tuple(sorted({host_of(server.host) for server in fleet.servers}))


def host_of(name: str) -> str:
    """The host of a server's name: ledgers call one of several instances HOST/INSTANCE."""
    return name.partition("/")[0]


def _runners(
    waves: Iterable[Wave], runner: Mapping[str, str]
) -> dict[str, dict[int, tuple[str, ...]]]:
    found: dict[str, dict[int, tuple[str, ...]]] = {host: {} for host in sorted(runner.values())}
    for wave in waves:
        if wave.side is Side.SHARDS:
            for name in _names(wave):
                shards = found[runner[name]]
                shards[wave.number] = (*shards.get(wave.number, ()), name)
    return found


def _of_servers(wave: Wave, plan: Plan, product: Product) -> Order:
    release = product.release(wave.release)
    last = next(each for each in reversed(plan.waves) if each.side is Side.SERVERS)
    return Order(
        wave=wave.number,
        side=wave.side,
        release=wave.release,
        version=f"{release.version.packaged}-{release.revision}",
        phase=Phase.CONTRACT,
        hosts=tuple(sorted({host_of(name) for name in _names(wave)})),
        contracts=(),
        probes=tuple(
            Probe(unit=f"{service.name}.service", health=service.health)
            for service in release.server.services
        ),
        handshake=handshake_json(product, release),
        last=last is wave,
    )


def _of_shards(
    wave: Wave, product: Product, chain: Chain, runner: Mapping[str, str]
) -> Iterator[Order]:
    packaged = chain.database(chain.places[wave.release])
    release = product.release(wave.release if packaged is None else chain[packaged].version)
    for target, phase, contracts in _parts(wave, chain, release.version):
        yield Order(
            wave=wave.number,
            side=wave.side,
            release=target,
            version=f"{release.version.packaged}-{release.revision}",
            phase=phase,
            hosts=tuple(sorted({runner[name] for name in _names(wave)})),
            contracts=contracts,
            probes=(),
            handshake={},
            last=False,
        )


def _names(wave: Wave) -> list[str]:
    """All hosts or shards that move, sorted."""
    return sorted(name for move in wave.moves for name in move.names)


def _parts(
    wave: Wave, chain: Chain, release: Version
) -> Iterator[tuple[Version, Phase, tuple[Version, ...]]]:
    """What can be taken back, as far as that goes, and then what cannot."""
    last = Phase.MIGRATE if wave.part is Part.PREPARE else Phase.CONTRACT
    if not wave.contracts:
        yield release, last, ()
        return
    first = chain.at(wave.contracts[0])
    begun = all(move.before == spell_waiting(first.version) for move in wave.moves)
    if not begun and _undoable(chain, wave.contracts[:1]):
        yield first.version, Phase.MIGRATE, ()
    yield release, last, wave.contracts


def _undoable(chain: Chain, releases: Sequence[Version]) -> bool:
    return all(step.undoable for each in releases for step in chain.at(each).of(Phase.EXPAND))
