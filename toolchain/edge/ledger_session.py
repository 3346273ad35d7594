"""A session that reads a shard's ledger: bounded in time, deaf to other schemas' names."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Timer
from typing import TYPE_CHECKING, Any

from toolchain.edge.ledger_config import ShardAddress

if TYPE_CHECKING:
    from psycopg import Connection

Connect = Callable[..., "Connection[Any]"]

# Reading takes milliseconds; a statement of it waits for nobody but a lock on the ledger itself.
READING_SECONDS = 20.0
# As many as any site has; each waits more than it works.
MOST_AT_ONCE = 64


class NotReadError(Exception):
    """A shard that cannot be read; the words go on after its name: `has no ledger`."""


@contextmanager
def reading(
    address: ShardAddress, application: str, connect: Connect | None = None
) -> "Iterator[Connection[Any]]":
    """A connection in autocommit, ended from outside when the reading takes too long.

    A server that was stopped, or lies behind a cut wire, would leave libpq waiting for ever: its
    own `connect_timeout` ends with the connection, and `statement_timeout` is the server's. Raises
    NotReadError.
    """
    import psycopg  # noqa: PLC0415  (its import costs a fifth of a second)

    late = Event()
    try:
        parameters: dict[str, Any] = {
            "application_name": application,
            "connect_timeout": round(address.connect_timeout),
            **address.parameters,
            "client_encoding": "UTF8",
            "autocommit": True,
        }
        with (connect or psycopg.connect)(**parameters) as connection:
            descriptor = connection.fileno()

            def end() -> None:
                late.set()
                with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as wire:
                    wire.shutdown(socket.SHUT_RDWR)

            timer = Timer(READING_SECONDS, end)
            timer.daemon = True
            timer.start()
            try:
                yield connection
            finally:
                timer.cancel()
    except psycopg.Error as error:
        if late.is_set():
            raise NotReadError(f"has not answered for {READING_SECONDS:.0f} s") from error
        if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.InvalidSchemaName):
            raise NotReadError("has no ledger") from error
        raise NotReadError(f"cannot be read: {_sentence(error)}") from error
    except UnicodeDecodeError as error:
        raise NotReadError("cannot be read: its text is not UTF-8") from error


@contextmanager
def snapshot(connection: "Connection[Any]") -> Iterator[None]:
    """One transaction that reads; its names are pg_catalog's before anybody's (CVE-2018-1058)."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")
        connection.execute(f"SET LOCAL statement_timeout = '{READING_SECONDS * 1000:.0f}ms'")
        yield


def _sentence(error: Exception) -> str:
    """The first line of what libpq says; it names hosts and roles and never a password."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
