"""What a shard's ledger says: its handshake, its steps, the servers that live on it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolchain.edge.ledger_config import ShardAddress
from toolchain.errors import ToolError

if TYPE_CHECKING:
    from psycopg import Connection

_AT_ONCE = 16

_HANDSHAKE = """
SELECT schema, oldest_server, servers_below, ready_release, closed_release
  FROM interlock.handshake WHERE product = %s
"""
_STEPS = "SELECT id FROM interlock.steps WHERE product = %s AND state <> 'undone' ORDER BY id"
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
    """One shard's ledger as it was read, in one snapshot; versions are text still."""

    shard: str
    schema: int
    oldest_server: str
    servers_below: str | None
    ready: str | None
    closed: str | None
    steps: tuple[str, ...]
    servers: tuple[Registered, ...]


def read_ledgers(
    addresses: Sequence[ShardAddress],
    product: str,
    connect: "Callable[..., Connection[Any]] | None" = None,
) -> tuple[LedgerReading, ...]:
    """All ledgers, several at a time, in the order of the file.

    Raises ToolError that names every shard that cannot be read: a plan for half of a fleet would
    be no plan. `connect` stands in for psycopg's in tests.
    """
    import psycopg  # noqa: PLC0415  (its import costs a fifth of a second)

    def read(address: ShardAddress) -> LedgerReading | str:
        try:
            return _read(address, product, connect or psycopg.connect)
        except psycopg.Error as error:
            return f"shard {address.name}: {_sentence(error)}"
        except _NoLedgerError as error:
            return f"shard {address.name} {error}"

    with ThreadPoolExecutor(_AT_ONCE) as executor:
        found = list(executor.map(read, addresses))
    failures = [failure for failure in found if isinstance(failure, str)]
    if failures:
        raise ToolError(
            "; ".join(failures), "a plan needs every shard: mend this, or plan from an inventory"
        )
    return tuple(reading for reading in found if isinstance(reading, LedgerReading))


class _NoLedgerError(Exception):
    pass


def _sentence(error: Exception) -> str:
    """The first line of what libpq says; it names hosts and roles and never a password."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _read(
    address: ShardAddress, product: str, connect: "Callable[..., Connection[Any]]"
) -> LedgerReading:
    from psycopg.errors import InvalidSchemaName, UndefinedTable  # noqa: PLC0415

    with connect(
        **{
            "application_name": "interlock plan",
            "connect_timeout": round(address.connect_timeout),
            **address.parameters,
        }
    ) as connection:
        # One snapshot, and no function of somebody else's before pg_catalog's (CVE-2018-1058).
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")
        connection.execute("SET LOCAL statement_timeout = '30s'")
        try:
            row = connection.execute(_HANDSHAKE, (product,)).fetchone()
        except (UndefinedTable, InvalidSchemaName):
            raise _NoLedgerError("has no ledger") from None
        if row is None:
            raise _NoLedgerError(f"has no ledger of {product}")
        steps = connection.execute(_STEPS, (product,)).fetchall()
        servers = connection.execute(_SERVERS, (product,)).fetchall()
    return LedgerReading(
        shard=address.name,
        schema=row[0],
        oldest_server=row[1],
        servers_below=row[2],
        ready=row[3],
        closed=row[4],
        steps=tuple(step for (step,) in steps),
        servers=tuple(
            Registered(host=host, instance=instance, version=version)
            for host, instance, version in servers
        ),
    )
