"""What was published: every package that ever was, and the files that stand beside it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from toolchain.model.carried import PackageFile
from toolchain.model.release import Format
from toolchain.publish.record import Record, packed, unpacked
from toolchain.publish.tables.database import Database

TABLES = """\
CREATE TABLE package (
    id INTEGER PRIMARY KEY,
    format TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, architecture TEXT NOT NULL,
    release TEXT, built TEXT NOT NULL, file TEXT NOT NULL, stanza TEXT NOT NULL,
    fragments BLOB NOT NULL, signer TEXT, added INTEGER NOT NULL, gone INTEGER,
    UNIQUE (format, name, version, architecture)
);
CREATE TABLE beside (package INTEGER NOT NULL, path TEXT NOT NULL, PRIMARY KEY (package, path));
"""

_COLUMNS = "id, file, built, release, stanza, gone"


@dataclass(frozen=True, slots=True)
class Packages:
    """The packages of all channels; times are in seconds since 1970."""

    database: Database

    def find(self, file: PackageFile) -> Record | None:
        """The package of that format, name, version and architecture that was ever published."""
        found = self.where(
            "format = ? AND name = ? AND version = ? AND architecture = ?",
            *(file.format.value, file.name, file.version, file.architecture),
        )
        return next(iter(found), None)

    def add(
        self, record: Record, now: int, *, fragments: bytes = b"", signer: str | None = None
    ) -> Record:
        """Remember a package that is published now; its `id` is given here.

        `fragments` is what an rpm adds to a yum index, `signer` its key's fingerprint.
        """
        file = record.file
        cursor = self.database.do(
            "INSERT INTO package (format, name, version, architecture, release, built, file,"
            " stanza, fragments, signer, added) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(file.format.value, file.name, file.version, file.architecture, record.release),
            *(record.built, packed(file), record.stanza, fragments, signer, now),
        )
        return replace(record, id=cursor.lastrowid or 0)

    def fragments(self, record: Record) -> bytes:
        """What a package adds to a yum index."""
        row = self.database.row("SELECT fragments FROM package WHERE id = ?", record.id)
        return b"" if row is None else bytes(row[0])

    def signed_by(self, fingerprint: str) -> frozenset[int]:
        """The `id` of each rpm that a key has signed."""
        rows = self.database.rows("SELECT id FROM package WHERE signer = ?", fingerprint)
        return frozenset(int(number) for (number,) in rows)

    def add_beside(self, record: Record, path: str) -> None:
        """Remember a file that stands beside a package and goes with it."""
        self.database.do("INSERT OR REPLACE INTO beside VALUES (?, ?)", record.id, path)

    def beside(self, record: Record) -> tuple[str, ...]:
        """The files that stand beside a package, relative to the repository."""
        rows = self.database.rows(
            "SELECT path FROM beside WHERE package = ? ORDER BY path", record.id
        )
        return tuple(str(path) for (path,) in rows)

    def mark_gone(self, record: Record, now: int) -> None:
        """Remember that a package is out of the pool for good; its identity stays taken."""
        self.database.do("UPDATE package SET gone = ? WHERE id = ?", now, record.id)

    def everything(self) -> tuple[Record, ...]:
        """Every package that was ever published, in the order of publication."""
        return self.where("1")

    def named(self, name: str) -> tuple[Record, ...]:
        """Every package of a name that was ever published."""
        return self.where("name = ?", name)

    def formats(self) -> frozenset[Format]:
        """The formats of all that was ever published."""
        rows = self.database.rows("SELECT DISTINCT format FROM package")
        return frozenset(Format(row[0]) for row in rows)

    def where(self, condition: str, *values: object) -> tuple[Record, ...]:
        """The packages of which a condition of SQL holds, in the order of publication."""
        return tuple(self._where(condition, *values))

    def _where(self, condition: str, *values: object) -> Iterator[Record]:
        rows = self.database.rows(
            f"SELECT {_COLUMNS} FROM package WHERE {condition} ORDER BY id",  # noqa: S608
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
