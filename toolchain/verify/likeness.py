"""Which hosts are alike: a solver that knows the law's relations alone does the same on each.

A host is a few packages, some of them installed. Where each of their relations is the law's, a
solver knows of them which fit which, which are newer, and which it may remove. Two hosts that are
the same in all that differ in names of versions only.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from toolchain.verify.halves import Case, DatabaseHalf, ServerHalf
from toolchain.verify.questions import Row
from toolchain.verify.transitions import HostState, Order, Verb

# What can be asked for equality; equal values are of hosts that are alike.
Kind = tuple[object, ...]


class Likeness:
    """What hosts of one case have in common."""

    def __init__(self, case: Case, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._servers = _marks(case.servers)
        self._databases = _marks(case.databases)

    def of(
        self,
        state: HostState,
        servers: Collection[int],
        databases: Collection[int],
        orders: Iterable[Order],
    ) -> Kind:
        """The kind of a host in this state that is offered these packages, all by place."""
        server_order = {place: at for at, place in enumerate(sorted(servers))}
        database_order = {place: at for at, place in enumerate(sorted(databases))}
        rows = [self._rows[place] for place in server_order]
        return (
            None if state.server is None else server_order[state.server],
            None if state.database is None else database_order[state.database],
            tuple(self._servers[place] for place in server_order),
            tuple(self._databases[place] for place in database_order),
            tuple(row.databases[place] for row in rows for place in database_order),
            tuple(row.shards[shard] for row in rows for shard in state.shards),
            tuple(_told(order, server_order, database_order) for order in orders),
        )


def _marks(halves: Sequence[ServerHalf | DatabaseHalf]) -> tuple[Kind, ...]:
    """Whether each is protected; one whose order is not plain from its release stands for itself.

    Two revisions of a release, or an epoch, are ordered by more than their releases.
    """
    count = Counter(half.release for half in halves)
    return tuple(
        (half.file.protected, None if count[half.release] == 1 and _plain(half) else at)
        for at, half in enumerate(halves)
    )


def _plain(half: ServerHalf | DatabaseHalf) -> bool:
    return half.file.version.rpartition("-")[0] == half.release.packaged


def _told(order: Order, servers: dict[int, int], databases: dict[int, int]) -> Kind:
    target = 0
    if order.verb is Verb.INSTALL_SERVER:
        target = servers[order.target]
    elif order.verb is Verb.INSTALL_DATABASE:
        target = databases[order.target]
    return order.verb.value, target, order.bold, order.best
