"""The gate: no shard says what a server cannot live with that is registered and not retired.

One that has expired counts as well. A shard that was away for long, a host that was cut off and a
clock that leapt all leave expired registrations of servers that run; only a person knows better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.duration import spell_duration
from ..core.errors import Refused
from ..core.law import Handshake
from ..core.session import Session

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

    @property
    def expired(self) -> bool:
        """Whether it has neither stopped in order nor been seen for as long as it said."""
        return not self.live and not self.retired

    @property
    def misfit(self) -> bool:
        """Whether the gate counts it, and it cannot live with the handshake."""
        return not self.retired and not self.fits

    def __str__(self) -> str:
        ago = f"{spell_duration(self.age)} ago"
        seen = f"last seen {ago}, expired" if self.expired else f"seen {ago}"
        return f"{self.instance} {self.version} on {self.host} ({seen})"


class Blocked(Refused):
    """Registered servers stand against a change; `servers` are they."""

    def __init__(self, message: str, cure: str, servers: Sequence[Registration]) -> None:
        super().__init__(message, cure)
        self.servers = tuple(servers)
        self.data = {"blocked_by": [server_data(server) for server in servers]}


def server_data(server: Registration) -> dict[str, object]:
    """A registration for `--json`; ages in seconds."""
    return {
        "host": server.host,
        "instance": server.instance,
        "version": server.version,
        "live": server.live,
        "retired": server.retired,
        "fits": server.fits,
        "seconds_since_seen": round(server.age, 1),
        "expires_after": server.expires,
    }


def read_registrations(
    session: Session, product: str, proposed: Handshake
) -> tuple[Registration, ...]:
    """All registrations with a shard, judged against a handshake by the shard's clock."""
    rows = session.rows(
        _READ, (proposed.schema, proposed.servers.oldest, proposed.servers.below, product)
    )
    return tuple(Registration(*row) for row in rows)


def require_fit(session: Session, product: str, proposed: Handshake, purpose: str) -> None:
    """Raise Blocked unless every server that is not retired can live with the handshake."""
    against = [one for one in read_registrations(session, product, proposed) if one.misfit]
    if not against:
        return
    named = ", ".join(str(server) for server in against[:5])
    more = f" and {len(against) - 5} more" if len(against) > 5 else ""
    cure = _cure(against, proposed, f"{product}-database retire")
    raise Blocked(f"{purpose} is blocked by {named}{more}", cure, against)


def _cure(against: Sequence[Registration], proposed: Handshake, retire: str) -> str:
    """What to do about those that live, then about those that have expired."""
    live = [server for server in against if server.live]
    expired = [server for server in against if not server.live]
    first = (live or expired)[0]
    if first.version not in proposed.servers:
        cure = f"bring every server to a version {proposed.servers}, or stop it"
    elif first.oldest_schema > proposed.schema:
        cure = f"first stop every server that needs schema {first.oldest_schema}"
    else:
        cure = f"first bring every server to a version that accepts schema {proposed.schema}"
    if not expired:
        return f"{cure}; if its host is gone for good, '{retire} --force {_named(first)}'"
    if len(expired) == 1:
        gone = f"if {expired[0].host} is gone for good, '{retire} {_named(expired[0])}'"
    else:
        gone = f"those that are gone for good, '{retire} HOST', or '{retire} --expired'"
    return f"{cure}; {gone}"


def _named(server: Registration) -> str:
    return f"{server.host}/{server.instance}"
