"""Whether a fleet is legal as it stands; where it is not, what the nearest legal step would be.

The planner starts from legal states only: of a pair that does not fit now, nobody can say what it
has done already.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from toolchain.model.law import compatible, peers_compatible
from toolchain.model.version import Version
from toolchain.plan.rollout.telling.reasons import Bar, Refusal, peer_refusals, shard_refusals
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Fleet
from toolchain.plan.rollout.world.shard import ShardState


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """Two parts of a fleet that do not fit, with who they are and the fact against them.

    `others` are the shards, or the newer servers, that `hosts` do not fit. `nearest` is the
    earliest later version of these hosts that fits all shards and all other servers.
    """

    version: Version
    hosts: tuple[str, ...]
    others: tuple[str, ...]
    peers: bool
    refusal: Refusal
    nearest: Version | None


def unfit(chain: Chain, fleet: Fleet) -> tuple[Unfit, ...]:
    """Every pair that the law refuses, the oldest server first."""
    return tuple(_unfit(chain, fleet))


def _unfit(chain: Chain, fleet: Fleet) -> Iterator[Unfit]:
    versions = fleet.versions
    states = sorted(fleet.states, key=lambda state: (state.release, state.stage))
    for at, version in enumerate(versions):
        place = chain.places[version]
        hosts = tuple(server.host for server in fleet.servers if server.version == version)
        found = [
            (refusal, tuple(shard.name for shard in fleet.shards if shard.state == state))
            for state in states
            for refusal in shard_refusals(chain, place, state)
        ]
        found += [
            (refusal, tuple(one.host for one in fleet.servers if one.version == newer))
            for newer in versions[at + 1 :]
            for refusal in peer_refusals(chain, place, chain.places[newer])
        ]
        for refusal, others in found:
            yield Unfit(
                version=version,
                hosts=hosts,
                others=others,
                peers=refusal.bar is Bar.PEERS,
                refusal=refusal,
                nearest=_nearest(chain, versions, version, states),
            )


def _nearest(
    chain: Chain, versions: tuple[Version, ...], version: Version, states: list[ShardState]
) -> Version | None:
    """The earliest later release whose server fits everything but the servers that it replaces."""
    others = [chain.at(other).server for other in versions if other != version]
    for facts in chain.releases:
        if (
            facts.version > version
            and facts.withdrawn is None
            and all(compatible(facts.server, state.handshake) for state in states)
            and all(peers_compatible(facts.server, other) for other in others)
        ):
            return facts.version
    return None
