"""The gate: no shard says what a live server cannot live with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .duration import spell_duration
from .errors import Refused
from .law import Handshake
from .session import Session

_READ = """
SELECT s.host, s.instance, s.version, s.oldest_schema, s.schema_below, s.oldest_peer, s.peers_below,
       extract(epoch FROM clock_timestamp() - s.last_seen)::float8,
       extract(epoch FROM s.expires)::float8,
       interlock.live(s), s.retired IS NOT NULL,
       interlock.compatible(s.version, s.oldest_schema, s.schema_below, %s, %s, %s)
  FROM interlock.servers s
 WHERE s.product = %s
 ORDER BY s.host COLLATE "C", s.instance COLLATE "C"
"""


@dataclass(frozen=True)
class Registration:
    """A server as it registered with one shard; `age` is seconds since it was seen last.

    `fits` says whether it can live with the handshake that was asked about.
    """

    host: str
    instance: str
    version: str
    oldest_schema: int
    schema_below: int | None
    oldest_peer: str
    peers_below: str | None
    age: float
    expires: float
    live: bool
    retired: bool
    fits: bool

    def __str__(self) -> str:
        return (
            f"{self.instance} {self.version} on {self.host} (seen {spell_duration(self.age)} ago)"
        )


class Blocked(Refused):
    """Live servers stand against a change; `servers` are they."""

    def __init__(self, message: str, cure: str, servers: Sequence[Registration]) -> None:
        super().__init__(message, cure)
        self.servers = tuple(servers)


def read_registrations(
    session: Session, product: str, proposed: Handshake
) -> tuple[Registration, ...]:
    """All registrations with a shard, judged against a handshake by the shard's clock."""
    rows = session.rows(
        _READ, (proposed.schema, proposed.servers.oldest, proposed.servers.below, product)
    )
    return tuple(Registration(*row) for row in rows)


def require_fit(session: Session, product: str, proposed: Handshake, purpose: str) -> None:
    """Raise Blocked unless every live server can live with the proposed handshake."""
    against = [
        server
        for server in read_registrations(session, product, proposed)
        if server.live and not server.fits
    ]
    if not against:
        return
    named = ", ".join(str(server) for server in against[:5])
    more = f" and {len(against) - 5} more" if len(against) > 5 else ""
    raise Blocked(f"{purpose} is blocked by {named}{more}", _cure(against, proposed), against)


def _cure(against: Sequence[Registration], proposed: Handshake) -> str:
    first = against[0]
    retire = f"'retire {first.host}/{first.instance}' if it is gone for good"
    if first.version not in proposed.servers:
        return f"bring every server to a version {proposed.servers}, or {retire}"
    if first.oldest_schema > proposed.schema:
        return f"first stop every server that needs schema {first.oldest_schema}, or {retire}"
    return (
        f"first bring every server to a version that accepts schema {proposed.schema}, or {retire}"
    )
