"""What the indexes say: each channel's newest publication, its files, and pieces to use again."""

from collections.abc import Collection
from dataclasses import dataclass

from toolchain.publish.tables.database import Database

TABLES = """\
CREATE TABLE generation (
    channel TEXT PRIMARY KEY, serial INTEGER NOT NULL, valid_until INTEGER NOT NULL
);
CREATE TABLE index_file (channel TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (channel, path));
CREATE TABLE piece (digest TEXT PRIMARY KEY, content BLOB NOT NULL, serial INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One publication of a channel's indexes; both numbers are seconds since 1970."""

    serial: int
    valid_until: int


@dataclass(frozen=True, slots=True)
class Generations:
    """The publications of all channels."""

    database: Database

    def newest(self) -> dict[str, Generation]:
        """The newest publication of each channel."""
        rows = self.database.rows(
            "SELECT channel, serial, valid_until FROM generation ORDER BY channel"
        )
        return {
            str(channel): Generation(serial=int(serial), valid_until=int(valid_until))
            for channel, serial, valid_until in rows
        }

    def follow(
        self, channel: str, generation: Generation, paths: Collection[str]
    ) -> tuple[str, ...]:
        """Remember a channel's new publication; the files that only its last one named."""
        old = self.database.rows("SELECT path FROM index_file WHERE channel = ?", channel)
        self.database.do("DELETE FROM index_file WHERE channel = ?", channel)
        for path in sorted(set(paths)):
            self.database.do("INSERT INTO index_file VALUES (?, ?)", channel, path)
        self.database.do(
            "INSERT OR REPLACE INTO generation VALUES (?, ?, ?)",
            *(channel, generation.serial, generation.valid_until),
        )
        return tuple(str(path) for (path,) in old if path not in paths)

    def compressed(self, digest: str) -> bytes | None:
        """A piece of an index that was compressed before, by the digest of its text."""
        row = self.database.row("SELECT content FROM piece WHERE digest = ?", digest)
        return None if row is None else bytes(row[0])

    def keep_compressed(self, digest: str, content: bytes, serial: int) -> None:
        """Keep a compressed piece for later publications; `serial` is the one that uses it."""
        self.database.do("INSERT OR REPLACE INTO piece VALUES (?, ?, ?)", digest, content, serial)

    def forget_compressed(self) -> None:
        """Let go of the pieces that no channel's newest publication has used."""
        self.database.do("DELETE FROM piece WHERE serial < (SELECT min(serial) FROM generation)")
