"""What is blocked by what: contracts by servers, releases by shards and peers, runners by locks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from toolchain.model.law import ShardHandshake
from toolchain.model.version import Version
from toolchain.plan.fleet_status.seen import Blocker, LedgerSeen, Registration, ShardSeen
from toolchain.plan.fleet_status.servers import Life, ServerStatus
from toolchain.plan.rollout.telling.reasons import peer_refusals, shard_refusals
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.shard import ShardState, Stage
from toolchain.plan.rollout.world.way import way


class Kind(Enum):
    """What it is that cannot go on."""

    MISFIT = "misfit"  # a server that does not fit its shard: it should not be there
    CONTRACT = "contract"  # the next contract on a shard's way, by servers registered with it
    SCHEMA = "schema"  # the next schema on a shard's way, by servers with a ceiling
    SERVERS = "servers"  # a release that no server can go to yet, by shards or older servers
    LOCK = "lock"  # a runner that waits, by other sessions of PostgreSQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """`what` cannot go on: on `shards`, because of `servers` or `sessions`.

    For SERVERS it is the `shards` and the servers of older `versions` that keep the releases out,
    and `reason` is the first fact with its line.
    """

    kind: Kind
    what: str
    shards: tuple[str, ...] = ()
    servers: tuple[Registration, ...] = ()
    versions: tuple[Version, ...] = ()
    sessions: tuple[Blocker, ...] = ()
    reason: str = ""


def waiting_runners(shards: Sequence[ShardSeen]) -> Iterator[Blocked]:
    """Runners that wait for a lock, a shard each."""
    for shard in shards:
        runner = shard.ledger.runner if shard.ledger else None
        if runner is not None and runner.blockers:
            yield Blocked(
                kind=Kind.LOCK,
                what=runner.waits_for or "a lock",
                shards=(shard.name,),
                sessions=runner.blockers,
            )


def misfits(shards: Sequence[ShardSeen]) -> tuple[Blocked, ...]:
    """Servers that do not fit the shard that they are registered with."""
    groups = _Groups()
    for shard in shards:
        if shard.ledger is not None:
            against = _against(shard.ledger, shard.ledger.handshake)
            groups.add(shard, Kind.MISFIT, "servers that do not fit", against)
    return groups.all


def gates(
    shards: Sequence[ShardSeen], states: Mapping[str, ShardState], chain: Chain, target: Version
) -> tuple[Blocked, ...]:
    """The first gate on each shard's way to a target that registered servers keep shut.

    A server that does not fit its shard already is a misfit, and not told again.
    """
    groups = _Groups()
    place = chain.database(chain.places[target])
    for shard in shards:
        before = states.get(shard.name)
        if shard.ledger is None or before is None or place is None:
            continue
        present = before.handshake
        for half in way(chain, before, (place, Stage.CLOSED)):
            release = half.state.release
            entering, before = release != before.release, half.state
            against = _against(shard.ledger, half.state.handshake)
            against = tuple(one for one in against if one.fits(present))
            if not against:
                continue
            if entering:
                schema = f"schema {half.state.handshake.schema} of {release}"
                groups.add(shard, Kind.SCHEMA, schema, against)
            else:
                groups.add(shard, Kind.CONTRACT, f"the contract of {release}", against)
            break
    return groups.all


def kept_out(
    servers: Sequence[ServerStatus],
    states: Mapping[str, ShardState],
    chain: Chain,
    target: Version,
) -> tuple[Blocked, ...]:
    """Releases up to the target that no server can go to yet; those kept out alike are one."""
    live = sorted({server.version for server in servers if server.life is Life.LIVE})
    known = [chain.places[version] for version in live if version in chain.places]
    lowest = min(live, default=None)
    found: dict[tuple[tuple[str, ...], tuple[Version, ...]], list[tuple[Version, str]]] = {}
    for place, facts in enumerate(chain.releases):
        if facts.withdrawn is not None or not _on_the_way(facts.version, lowest, target):
            continue
        refusing = {
            name: list(shard_refusals(chain, place, state)) for name, state in states.items()
        }
        peers = {
            chain[other].version: list(peer_refusals(chain, place, other))
            for other in known
            if other < place
        }
        facts_against = [*refusing.values(), *peers.values()]
        reasons = [refusal.sentence for refusals in facts_against for refusal in refusals]
        if reasons:
            names = tuple(name for name, refusals in refusing.items() if refusals)
            older = tuple(version for version, refusals in peers.items() if refusals)
            found.setdefault((names, older), []).append((facts.version, reasons[0]))
    return tuple(
        Blocked(
            kind=Kind.SERVERS,
            what=f"servers {_span([version for version, _ in releases])}",
            shards=names,
            versions=older,
            reason=releases[0][1],
        )
        for (names, older), releases in found.items()
    )


def _on_the_way(version: Version, lowest: Version | None, target: Version) -> bool:
    """Whether servers may be meant to go there; to a pre-release only where it is the target."""
    if lowest is None or version == target:
        return version == target and (lowest is None or lowest < target)
    return lowest < version < target and version.stage is None


class _Groups:
    """Shards that are kept back by the same servers from the same thing are told together."""

    def __init__(self) -> None:
        self._shards: dict[tuple[Kind, str, tuple[tuple[str, str], ...]], list[str]] = {}
        self._servers: dict[tuple[Kind, str, tuple[tuple[str, str], ...]], _Against] = {}

    def add(self, shard: ShardSeen, kind: Kind, what: str, against: "_Against") -> None:
        if against:
            key = kind, what, tuple((one.host, one.instance) for one in against)
            self._shards.setdefault(key, []).append(shard.name)
            self._servers.setdefault(key, against)

    @property
    def all(self) -> tuple[Blocked, ...]:
        return tuple(
            Blocked(kind=key[0], what=key[1], shards=tuple(names), servers=self._servers[key])
            for key, names in self._shards.items()
        )


_Against = tuple[Registration, ...]


def _against(ledger: LedgerSeen, handshake: ShardHandshake) -> _Against:
    """The servers that the shard's gate would not let by, if it were asked now.

    One that has expired may run all the same; only who was retired is known not to.
    """
    return tuple(one for one in ledger.servers if not one.retired and not one.fits(handshake))


def _span(versions: Sequence[Version]) -> str:
    if len(versions) < 3:
        return ", ".join(map(str, versions))
    return f"{versions[0]} to {versions[-1]}"
