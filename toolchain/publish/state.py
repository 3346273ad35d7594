"""The publisher's own state: one SQLite file in the repository, nothing secret in it.

One transaction holds all that a publication changes, and the list of renames that make it visible.
Once it is committed, the publication is decided: whoever comes next carries the list out.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from toolchain.errors import OutputError
from toolchain.model.carried import PackageFile
from toolchain.model.release import Format
from toolchain.publish.record import Record, packed, unpacked

FILE = "publish.sqlite"
_FORMAT = 1
_TABLES = """\
CREATE TABLE package (
    id INTEGER PRIMARY KEY,
    format TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, architecture TEXT NOT NULL,
    release TEXT, built TEXT NOT NULL, file TEXT NOT NULL, stanza TEXT NOT NULL,
    fragments BLOB NOT NULL, signer TEXT, added INTEGER NOT NULL, gone INTEGER,
    UNIQUE (format, name, version, architecture)
);
CREATE TABLE beside (package INTEGER NOT NULL, path TEXT NOT NULL, PRIMARY KEY (package, path));
CREATE TABLE member (
    channel TEXT NOT NULL, package INTEGER NOT NULL, added INTEGER NOT NULL, gone INTEGER,
    PRIMARY KEY (channel, package)
);
CREATE TABLE withdrawn (
    channel TEXT NOT NULL, release TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (channel, release)
);
CREATE TABLE generation (
    channel TEXT PRIMARY KEY, serial INTEGER NOT NULL, valid_until INTEGER NOT NULL
);
CREATE TABLE index_file (channel TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (channel, path));
CREATE TABLE retired (path TEXT PRIMARY KEY, due INTEGER NOT NULL);
CREATE TABLE piece (digest TEXT PRIMARY KEY, content BLOB NOT NULL, serial INTEGER NOT NULL);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE journal (step INTEGER PRIMARY KEY, staged TEXT NOT NULL, place TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One publication of a channel's indexes; both numbers are seconds since 1970."""

    serial: int
    valid_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Why a release is in a channel no more, and since when (seconds since 1970)."""

    release: str
    reason: str
    at: int


class State:
    """All that was published; every method may raise OutputError."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def setting(self, name: str) -> str | None:
        """A value that is remembered between runs."""
        row = self._one("SELECT value FROM setting WHERE name = ?", name)
        return None if row is None else str(row[0])

    def settings(self, prefix: str) -> dict[str, str]:
        """The values whose names begin alike."""
        rows = self._all("SELECT name, value FROM setting ORDER BY name")
        return {str(name): str(value) for name, value in rows if str(name).startswith(prefix)}

    def set(self, name: str, value: str) -> None:
        """Remember a value."""
        self._do("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, value)

    def forget(self, name: str) -> None:
        """Forget a value."""
        self._do("DELETE FROM setting WHERE name = ?", name)

    def find(self, file: PackageFile) -> Record | None:
        """The package of that format, name, version and architecture that was ever published."""
        rows = self._records(
            "format = ? AND name = ? AND version = ? AND architecture = ?",
            *(file.format.value, file.name, file.version, file.architecture),
        )
        return next(iter(rows), None)

    def add(
        self, record: Record, now: int, *, fragments: bytes = b"", signer: str | None = None
    ) -> Record:
        """Remember a package that is published now; its `id` is given here.

        `fragments` is what an rpm adds to a yum index, `signer` its key's fingerprint.
        """
        file = record.file
        cursor = self._do(
            "INSERT INTO package (format, name, version, architecture, release, built, file,"
            " stanza, fragments, signer, added) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(file.format.value, file.name, file.version, file.architecture, record.release),
            *(record.built, packed(file), record.stanza, fragments, signer, now),
        )
        return replace(record, id=cursor.lastrowid or 0)

    def fragments(self, record: Record) -> bytes:
        """What a package adds to a yum index."""
        row = self._one("SELECT fragments FROM package WHERE id = ?", record.id)
        return b"" if row is None else bytes(row[0])

    def signed_by(self, fingerprint: str) -> frozenset[int]:
        """The `id` of each rpm that a key has signed."""
        rows = self._all("SELECT id FROM package WHERE signer = ?", fingerprint)
        return frozenset(int(number) for (number,) in rows)

    def add_beside(self, record: Record, path: str) -> None:
        """Remember a file that stands beside a package and goes with it."""
        self._do("INSERT OR REPLACE INTO beside VALUES (?, ?)", record.id, path)

    def beside(self, record: Record) -> tuple[str, ...]:
        """The files that stand beside a package, relative to the repository."""
        rows = self._all("SELECT path FROM beside WHERE package = ? ORDER BY path", record.id)
        return tuple(str(path) for (path,) in rows)

    def mark_gone(self, record: Record, now: int) -> None:
        """Remember that a package is out of the pool for good; its identity stays taken."""
        self._do("UPDATE package SET gone = ? WHERE id = ?", now, record.id)

    def everything(self) -> tuple[Record, ...]:
        """Every package that was ever published, in the order of publication."""
        return tuple(self._records("1"))

    def named(self, name: str) -> tuple[Record, ...]:
        """Every package of a name that was ever published."""
        return tuple(self._records("name = ?", name))

    def formats(self) -> frozenset[Format]:
        """The formats of all that was ever published."""
        return frozenset(Format(row[0]) for row in self._all("SELECT DISTINCT format FROM package"))

    def members(self, channel: str) -> tuple[Record, ...]:
        """The packages that a channel offers, in the order of publication."""
        within = "id IN (SELECT package FROM member WHERE channel = ? AND gone IS NULL)"
        return tuple(self._records(within, channel))

    def offered_ever(self, channel: str) -> tuple[Record, ...]:
        """The packages that a channel offers or once offered, in the order of publication."""
        return tuple(self._records("id IN (SELECT package FROM member WHERE channel = ?)", channel))

    def channels_of(self, record: Record) -> frozenset[str]:
        """The channels that offer a package."""
        rows = self._all("SELECT channel FROM member WHERE package = ? AND gone IS NULL", record.id)
        return frozenset(str(channel) for (channel,) in rows)

    def added(self, channel: str, record: Record) -> int:
        """Since when a channel offers a package, in seconds since 1970."""
        row = self._one(
            "SELECT added FROM member WHERE channel = ? AND package = ?", channel, record.id
        )
        return 0 if row is None else int(row[0])

    def join(self, channel: str, record: Record, now: int) -> None:
        """Let a channel offer a package."""
        self._do(
            "INSERT INTO member VALUES (?, ?, ?, NULL) ON CONFLICT DO UPDATE"
            " SET added = excluded.added, gone = NULL WHERE gone IS NOT NULL",
            *(channel, record.id, now),
        )

    def leave(self, channel: str, record: Record, now: int) -> None:
        """Let a channel offer a package no more; hosts may have it still."""
        self._do(
            "UPDATE member SET gone = ? WHERE channel = ? AND package = ?", now, channel, record.id
        )

    def withdraw(self, channel: str, withdrawal: Withdrawal) -> None:
        """Remember why a release left a channel."""
        self._do(
            "INSERT OR REPLACE INTO withdrawn VALUES (?, ?, ?, ?)",
            *(channel, withdrawal.release, withdrawal.reason, withdrawal.at),
        )

    def restore(self, channel: str, release: str) -> None:
        """Forget a withdrawal."""
        self._do("DELETE FROM withdrawn WHERE channel = ? AND release = ?", channel, release)

    def withdrawals(self, channel: str) -> dict[str, Withdrawal]:
        """What was withdrawn from a channel, by release."""
        rows = self._all("SELECT release, reason, at FROM withdrawn WHERE channel = ?", channel)
        return {
            str(release): Withdrawal(release=str(release), reason=str(reason), at=int(at))
            for release, reason, at in rows
        }

    def generations(self) -> dict[str, Generation]:
        """The newest publication of each channel."""
        rows = self._all("SELECT channel, serial, valid_until FROM generation ORDER BY channel")
        return {
            str(channel): Generation(serial=int(serial), valid_until=int(valid_until))
            for channel, serial, valid_until in rows
        }

    def publish(self, channel: str, generation: Generation, paths: Iterable[str], due: int) -> None:
        """Remember a channel's new publication; files that only the last one named retire."""
        old = self._all("SELECT path FROM index_file WHERE channel = ?", channel)
        new = set(paths)
        for (path,) in old:
            if path not in new:
                self.retire(str(path), due)
        self._do("DELETE FROM index_file WHERE channel = ?", channel)
        for path in sorted(new):
            self._do("INSERT INTO index_file VALUES (?, ?)", channel, path)
            self._do("DELETE FROM retired WHERE path = ?", path)
        self._do(
            "INSERT OR REPLACE INTO generation VALUES (?, ?, ?)",
            *(channel, generation.serial, generation.valid_until),
        )

    def retire(self, path: str, due: int) -> None:
        """Have a file removed by the first run after `due`, in seconds since 1970."""
        self._do("INSERT OR REPLACE INTO retired VALUES (?, ?)", path, due)

    def unretire(self, path: str) -> None:
        """Keep a file after all."""
        self._do("DELETE FROM retired WHERE path = ?", path)

    def retired(self, now: int) -> tuple[str, ...]:
        """The files whose time has come."""
        rows = self._all("SELECT path FROM retired WHERE due <= ? ORDER BY path", now)
        return tuple(str(path) for (path,) in rows)

    def compressed(self, digest: str) -> bytes | None:
        """A piece of an index that was compressed before, by the digest of its text."""
        row = self._one("SELECT content FROM piece WHERE digest = ?", digest)
        return None if row is None else bytes(row[0])

    def keep_compressed(self, digest: str, content: bytes, serial: int) -> None:
        """Keep a compressed piece for later publications; `serial` is the one that uses it."""
        self._do("INSERT OR REPLACE INTO piece VALUES (?, ?, ?)", digest, content, serial)

    def forget_compressed(self) -> None:
        """Let go of the pieces that no channel's newest publication has used."""
        self._do("DELETE FROM piece WHERE serial < (SELECT min(serial) FROM generation)")

    def write_journal(self, moves: Sequence[tuple[str, str]]) -> None:
        """Decide which staged files go to which places, in this order."""
        for step, (staged, place) in enumerate(moves):
            self._do("INSERT INTO journal VALUES (?, ?, ?)", step, staged, place)

    def journal(self) -> tuple[tuple[str, str], ...]:
        """The renames that are decided and perhaps not done yet."""
        rows = self._all("SELECT staged, place FROM journal ORDER BY step")
        return tuple((str(staged), str(place)) for staged, place in rows)

    def clear_journal(self) -> None:
        """Say that all renames are done."""
        self._do("DELETE FROM journal")

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[None]:
        """All or nothing; nothing where `keep` is false, and whatever is asked in between knows."""
        self._do("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._do("COMMIT" if keep else "ROLLBACK")

    def _records(self, where: str, *values: object) -> Iterator[Record]:
        rows = self._all(
            f"SELECT id, file, built, release, stanza, gone FROM package WHERE {where}"  # noqa: S608
            " ORDER BY id",
            *values,
        )
        for number, file, built, release, stanza, gone in rows:
            yield Record(
                id=number,
                file=unpacked(file),
                built=built,
                release=release,
                stanza=stanza,
                gone=gone,
            )

    def _do(self, statement: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise _failed(error) from error

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._do(statement, *values).fetchall()
        except sqlite3.Error as error:
            raise _failed(error) from error

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        return next(iter(self._all(statement, *values)), None)


def _failed(error: sqlite3.Error) -> OutputError:
    if "locked" in str(error):
        return OutputError("another process is publishing there", "wait until it is done")
    if "full" in str(error):
        return OutputError(
            "the repository has no space left for the publisher's state",
            "make room; what is published stays as it is",
        )
    return OutputError(
        f"the publisher's state can't be used: {error}",
        "restore the repository's .interlock from a backup; nothing was published",
    )


@contextmanager
def open_state(directory: Path | None) -> Iterator[State]:
    """The state in a directory, made when it is not there; None is one in memory. OutputError."""
    try:
        place = ":memory:" if directory is None else str(directory / FILE)
        connection = sqlite3.connect(place, isolation_level=None)
    except sqlite3.Error as error:
        raise _failed(error) from error
    try:
        _prepare(connection)
        yield State(connection)
    finally:
        connection.close()


def _prepare(connection: sqlite3.Connection) -> None:
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.executescript(
                f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT;"
            )
        elif version != _FORMAT:
            raise OutputError(
                f"the publisher's state has format {version}, and this Interlock knows {_FORMAT}",
                "use the Interlock that published here last",
            )
    except sqlite3.Error as error:
        raise _failed(error) from error
