"""A server before a shard: ask the law, check in, check out. One SQL function each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2

from ..core import sqlstate
from ..core.errors import LedgerConflict, Refused, ShardError
from ..core.law import Handshake
from ..core.session import Row, Session
from ..core.version import Versions
from .release_file import ServerRelease
from .this_host import this_boot

_PATIENCE = 15
# invalid_schema_name, undefined_table, undefined_function: nobody has put a ledger there.
_NO_LEDGER = frozenset({"3F000", "42P01", "42883"})


@dataclass(frozen=True)
class Applicant:
    """A server process that would run: which release, on which host, under which name."""

    release: ServerRelease
    host: str
    instance: str

    @property
    def key(self) -> tuple[object, ...]:
        """Product, host and instance, as the ledger's functions take them."""
        return self.release.product, self.host, self.instance

    @property
    def claims(self) -> tuple[object, ...]:
        """Version and windows, as the ledger's functions take them."""
        server = self.release.server
        return (
            server.version,
            server.schemas.oldest,
            server.schemas.below,
            server.peers.oldest,
            server.peers.below,
        )

    def __str__(self) -> str:
        return f"{self.release.package} {self.release.server.version}"


@dataclass(frozen=True)
class Answer:
    """A shard's answer; `peers` are the live servers that stand against the applicant.

    `fresh` says that no live registration was there before, `replaced` that another boot's was.
    """

    accepted: bool
    handshake: Handshake
    peers: tuple[str, ...]
    fresh: bool = False
    replaced: bool = False


class NotAccepted(Refused):
    """A shard's own answer stands against the applicant."""

    def __init__(self, reason: Refused, handshake: Handshake) -> None:
        super().__init__(reason.message, reason.cure)
        self.handshake = handshake


def read_handshake(session: Session, product: str) -> Handshake:
    """What a shard says of itself; raises LedgerConflict where it says nothing."""
    rows = _rows(session, "SELECT * FROM interlock.read_handshake(%s)", (product,))
    if not rows:
        raise _no_ledger(product)
    schema, oldest, below = rows[0]
    return Handshake(schema, Versions(oldest, below))


def ask(session: Session, applicant: Applicant) -> Answer:
    """Ask the law without registering."""
    return _call(session, "ask(%s, %s, %s, %s, %s, %s, %s, %s)", applicant, ())


def check_in(session: Session, applicant: Applicant, expires: float) -> Answer:
    """Ask the law and register, in one transaction."""
    _be_patient(session)
    call = "check_in(%s, %s, %s, %s, %s, %s, %s, %s, %s * interval '1 second', %s)"
    return _call(session, call, applicant, (expires, this_boot()))


def check_out(session: Session, applicant: Applicant) -> bool:
    """Take the registration back; whether there was one."""
    _be_patient(session)
    parameters = (*applicant.key, this_boot())
    return bool(_rows(session, "SELECT interlock.check_out(%s, %s, %s, %s)", parameters)[0][0])


def refusal(applicant: Applicant, shard: str, handshake: Handshake) -> Refused | None:
    """Why this server may not work on a shard, in one sentence; None where it may."""
    server = applicant.release.server
    if server.version not in handshake.servers:
        return Refused(
            f"{applicant} does not fit shard {shard}, which accepts servers {handshake.servers}",
            f"install a {applicant.release.package} {handshake.servers}",
        )
    if handshake.schema not in server.schemas:
        older = handshake.schema < server.schemas.oldest
        return Refused(
            f"{applicant} does not fit shard {shard}: it needs schema {server.schemas}, and the"
            f" shard has {handshake.schema}",
            f"first run {applicant.release.product}-database apply on that shard"
            if older
            else f"install a newer {applicant.release.package}",
        )
    return None


def peer_refusal(applicant: Applicant, shard: str, peers: Sequence[str]) -> Refused:
    """Why this server may not run beside others, in one sentence."""
    named = ", ".join(peers[:5]) + (f" and {len(peers) - 5} more" if len(peers) > 5 else "")
    return Refused(
        f"{applicant} may not run beside {named}, seen live by shard {shard}",
        f"first upgrade or stop those; peers must be {applicant.release.server.peers}",
    )


def _be_patient(session: Session) -> None:
    """Others hold the ledger's row for a moment only, but a commit may wait for a standby."""
    session.run(f"SET lock_timeout = '{_PATIENCE}s'")


def _call(session: Session, call: str, applicant: Applicant, more: tuple[object, ...]) -> Answer:
    columns = "accepted, schema, oldest_server, servers_below, peers"
    columns += ", fresh, replaced" if more else ", false, false"
    rows = _rows(
        session,
        f"SELECT {columns} FROM interlock.{call}",
        (*applicant.key, *applicant.claims, *more),
    )
    if not rows:
        raise _no_ledger(applicant.release.product)
    accepted, schema, oldest, below, peers, fresh, replaced = rows[0]
    return Answer(
        accepted,
        Handshake(schema, Versions(oldest, below)),
        tuple(f"{peer['instance']} {peer['version']} on {peer['host']}" for peer in peers),
        fresh,
        replaced,
    )


def _rows(session: Session, sql: str, parameters: tuple[object, ...]) -> list[Row]:
    try:
        return session.rows(sql, parameters)
    except psycopg2.Error as error:
        if sqlstate.code(error) in _NO_LEDGER:
            raise LedgerConflict(
                "it has no ledger, so nobody knows its schema",
                "run the database package's 'apply' or 'baseline' on it first",
            ) from error
        if sqlstate.code(error) == sqlstate.READ_ONLY:
            raise ShardError(
                "it takes no registration, because it is read-only",
                "point its dsn at the primary, not at a standby",
            ) from error
        if sqlstate.code(error) == sqlstate.INSUFFICIENT_PRIVILEGE:
            raise ShardError(
                "this role may not call the start-up check",
                "name it in server_roles of the database package's shards.ini and run its 'apply'",
            ) from error
        raise


def _no_ledger(product: str) -> LedgerConflict:
    return LedgerConflict(
        f"its ledger does not know {product}",
        f"run {product}-database 'apply' or 'baseline' on it first",
    )
