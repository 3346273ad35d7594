"""What is to be done: renames that are decided, and files that go when their time has come."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.publish.tables.database import Database

TABLES = """\
CREATE TABLE retired (path TEXT PRIMARY KEY, due INTEGER NOT NULL);
CREATE TABLE journal (step INTEGER PRIMARY KEY, staged TEXT NOT NULL, place TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Tasks:
    """What this run or a later one has to do; paths are relative to the repository."""

    database: Database

    def retire(self, path: str, due: int) -> None:
        """Have a file removed by the first run after `due`, in seconds since 1970."""
        self.database.do("INSERT OR REPLACE INTO retired VALUES (?, ?)", path, due)

    def unretire(self, path: str) -> None:
        """Keep a file after all."""
        self.database.do("DELETE FROM retired WHERE path = ?", path)

    def retired(self, now: int) -> tuple[str, ...]:
        """The files whose time has come."""
        rows = self.database.rows("SELECT path FROM retired WHERE due <= ? ORDER BY path", now)
        return tuple(str(path) for (path,) in rows)

    def write_journal(self, moves: Sequence[tuple[str, str]]) -> None:
        """Decide which staged files go to which places, in this order."""
        for step, (staged, place) in enumerate(moves):
            self.database.do("INSERT INTO journal VALUES (?, ?, ?)", step, staged, place)

    def journal(self) -> tuple[tuple[str, str], ...]:
        """The renames that are decided and perhaps not done yet."""
        rows = self.database.rows("SELECT staged, place FROM journal ORDER BY step")
        return tuple((str(staged), str(place)) for staged, place in rows)

    def clear_journal(self) -> None:
        """Say that all renames are done."""
        self.database.do("DELETE FROM journal")
