"""What channels offer, offered once, and had withdrawn from them."""

from dataclasses import dataclass

from toolchain.publish.record import Record
from toolchain.publish.tables.database import Database
from toolchain.publish.tables.packages import Packages

TABLES = """\
CREATE TABLE member (
    channel TEXT NOT NULL, package INTEGER NOT NULL, added INTEGER NOT NULL, gone INTEGER,
    PRIMARY KEY (channel, package)
);
CREATE TABLE withdrawn (
    channel TEXT NOT NULL, release TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (channel, release)
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Why a release is in a channel no more, and since when (seconds since 1970)."""

    release: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Channels:
    """Which channel has which package; times are in seconds since 1970."""

    database: Database

    def members(self, channel: str) -> tuple[Record, ...]:
        """The packages that a channel offers, in the order of publication."""
        return Packages(self.database).where(
            "id IN (SELECT package FROM member WHERE channel = ? AND gone IS NULL)", channel
        )

    def offered_ever(self, channel: str) -> tuple[Record, ...]:
        """The packages that a channel offers or once offered, in the order of publication."""
        return Packages(self.database).where(
            "id IN (SELECT package FROM member WHERE channel = ?)", channel
        )

    def offering(self, record: Record) -> frozenset[str]:
        """The channels that offer a package."""
        rows = self.database.rows(
            "SELECT channel FROM member WHERE package = ? AND gone IS NULL", record.id
        )
        return frozenset(str(channel) for (channel,) in rows)

    def added(self, channel: str, record: Record) -> int:
        """Since when a channel offers a package."""
        row = self.database.row(
            "SELECT added FROM member WHERE channel = ? AND package = ?", channel, record.id
        )
        return 0 if row is None else int(row[0])

    def join(self, channel: str, record: Record, now: int) -> None:
        """Let a channel offer a package."""
        self.database.do(
            "INSERT INTO member VALUES (?, ?, ?, NULL) ON CONFLICT DO UPDATE"
            " SET added = excluded.added, gone = NULL WHERE gone IS NOT NULL",
            *(channel, record.id, now),
        )

    def leave(self, channel: str, record: Record, now: int) -> None:
        """Let a channel offer a package no more; hosts may have it still."""
        self.database.do(
            "UPDATE member SET gone = ? WHERE channel = ? AND package = ?", now, channel, record.id
        )

    def withdraw(self, channel: str, withdrawal: Withdrawal) -> None:
        """Remember why a release left a channel."""
        self.database.do(
            "INSERT OR REPLACE INTO withdrawn VALUES (?, ?, ?, ?)",
            *(channel, withdrawal.release, withdrawal.reason, withdrawal.at),
        )

    def restore(self, channel: str, release: str) -> None:
        """Forget a withdrawal."""
        self.database.do(
            "DELETE FROM withdrawn WHERE channel = ? AND release = ?", channel, release
        )

    def withdrawals(self, channel: str) -> dict[str, Withdrawal]:
        """What was withdrawn from a channel, by release."""
        rows = self.database.rows(
            "SELECT release, reason, at FROM withdrawn WHERE channel = ?", channel
        )
        return {
            str(release): Withdrawal(release=str(release), reason=str(reason), at=int(at))
            for release, reason, at in rows
        }
