"""The law, asked once for each pair: a search meets the same servers and shards over and over."""

from toolchain.model.law import ShardHandshake, compatible, peers_compatible
from toolchain.plan.rollout.world.facts import Chain


class Fits:
    """Answers of the law about the releases of a chain; servers are places in it."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._shards: dict[ShardHandshake, dict[int, bool]] = {}
        self._peers: dict[tuple[int, int], bool] = {}

    def shard(self, servers: tuple[int, ...], shard: ShardHandshake) -> bool:
        """Whether every one of these servers may work on a shard."""
        known = self._shards.setdefault(shard, {})
        for server in servers:
            if server not in known:
                known[server] = compatible(self._chain[server].server, shard)
            if not known[server]:
                return False
        return True

    def peers(self, one: int, others: tuple[int, ...]) -> bool:
        """Whether a server may run beside each of these."""
        for other in others:
            pair = (one, other)
            if pair not in self._peers:
                self._peers[pair] = peers_compatible(
                    self._chain[one].server, self._chain[other].server
                )
            if not self._peers[pair]:
                return False
        return True
