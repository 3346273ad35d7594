"""Whether a shard's registrations can be gone by, or one may be lost that a server still needs."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.duration import spell_duration
from ..core.session import Session

# The clock may have gone back since, so that no more than a whole roll call is left.
_READ = """
SELECT since::text, doubt,
       least(%s, extract(epoch FROM since - pg_catalog.clock_timestamp())::float8 + %s)
  FROM interlock.doubts(%s)
"""


@dataclass(frozen=True)
class Doubt:
    """Why a registration may be lost, the moment of it, and the seconds until it has passed."""

    since: str
    reason: str
    left: float

    def __str__(self) -> str:
        return f"waits {spell_duration(self.left)} for the roll call: {self.reason}"


def read_doubt(session: Session, product: str) -> Doubt | None:
    """The shard's doubt that has not passed; None for none, and where no roll call is held.

    Changes nothing, so that a history that nobody has noticed yet begins anew each time.
    """
    roll_call = session.shard.settings.roll_call
    if roll_call is None:
        return None
    rows = session.rows(_READ, (roll_call, roll_call, product))
    return Doubt(*rows[0]) if rows and rows[0][2] > 0 else None


def notice_history(session: Session) -> None:
    """Record that the database is another one than it was, if it is."""
    session.rows("SELECT interlock.notice_history()")


def raise_doubt(session: Session, product: str, reason: str) -> None:
    """Record that a registration may be lost from now on, inside the caller's transaction."""
    session.rows("SELECT interlock.doubt(%s, %s)", (product, reason))


def doubt_data(doubt: Doubt | None) -> dict[str, object] | None:
    """A doubt for `--json`; the seconds until it has passed."""
    return None if doubt is None else {"reason": doubt.reason, "seconds": round(doubt.left, 1)}
