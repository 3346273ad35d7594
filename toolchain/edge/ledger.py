"""What a shard's ledger says: its handshake, its steps, the servers that live on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.edge.at_once import at_once
from toolchain.edge.ledger_config import ShardAddress
from toolchain.edge.ledger_session import MOST_AT_ONCE, Connect, NotReadError, reading, snapshot
from toolchain.errors import ToolError

_HANDSHAKE = """
SELECT schema, oldest_server, servers_below, ready_release, closed_release
  FROM interlock.handshake WHERE product = %s
"""
_STEPS = (
    "SELECT id, state FROM interlock.steps WHERE product = %s AND state <> 'undone' ORDER BY id"
)
# Liveness is judged by the shard's own clock, as the contract gate does.
_SERVERS = """
SELECT s.host, s.instance, s.version FROM interlock.servers s
 WHERE s.product = %s AND interlock.live(s)
 ORDER BY s.host, s.instance
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A live server as it registered with a shard."""

    host: str
    instance: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReading:
    """One shard's ledger as it was read, in one snapshot; versions are text still.

    `steps` are all that have begun, `unfinished` those of them that have not ended.
    """

    shard: str
    schema: int
    oldest_server: str
    servers_below: str | None
    ready: str | None
    closed: str | None
    steps: tuple[str, ...]
    servers: tuple[Registered, ...]
    unfinished: tuple[str, ...] = ()


def read_ledgers(
    addresses: Sequence[ShardAddress], product: str, connect: Connect | None = None
) -> tuple[LedgerReading, ...]:
    """All ledgers, at the same time, in the order of the file.

    Raises ToolError that names every shard that cannot be read: a plan for half of a fleet would
    be no plan. `connect` stands in for psycopg's in tests.
    """

    def read(address: ShardAddress) -> LedgerReading | str:
        try:
            return _read(address, product, connect)
        except NotReadError as error:
            return f"shard {address.name} {error}"

    found = at_once(read, addresses, most=MOST_AT_ONCE)
    failures = [failure for failure in found if isinstance(failure, str)]
    if failures:
        raise ToolError(
            "; ".join(failures), "a plan needs every shard: mend this, or plan from an inventory"
        )
    return tuple(one for one in found if isinstance(one, LedgerReading))


def _read(address: ShardAddress, product: str, connect: Connect | None) -> LedgerReading:
    with reading(address, "interlock plan", connect) as connection, snapshot(connection):
        row = connection.execute(_HANDSHAKE, (product,)).fetchone()
        if row is None:
            raise NotReadError(f"has no ledger of {product}")
        steps = connection.execute(_STEPS, (product,)).fetchall()
        servers = connection.execute(_SERVERS, (product,)).fetchall()
    return LedgerReading(
        shard=address.name,
        schema=row[0],
        oldest_server=row[1],
        servers_below=row[2],
        ready=row[3],
        closed=row[4],
        steps=tuple(step for step, _ in steps),
        servers=tuple(
            Registered(host=host, instance=instance, version=version)
            for host, instance, version in servers
        ),
        unfinished=tuple(step for step, state in steps if state != "done"),
    )
