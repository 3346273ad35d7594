"""The SQLite file below all tables: statements, a transaction, every failure as a sentence."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolchain.errors import OutputError

FILE = "publish.sqlite"
_FORMAT = 1


class Database:
    """An open database; every method may raise OutputError."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def do(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Run a statement."""
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise _failed(error) from error

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds."""
        try:
            return self.do(statement, *values).fetchall()
        except sqlite3.Error as error:
            raise _failed(error) from error

    def row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """The first of what a query finds; None where there is nothing."""
        return next(iter(self.rows(statement, *values)), None)

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[None]:
        """All or nothing; nothing where `keep` is false, and whatever is asked in between knows."""
        self.do("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self.do("COMMIT" if keep else "ROLLBACK")

    def prepare(self, tables: str) -> None:
        """Make the tables of a new database; a database of another format is refused."""
        try:
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._connection.executescript(
                    f"BEGIN IMMEDIATE; {tables} PRAGMA user_version = {_FORMAT}; COMMIT;"
                )
            elif version != _FORMAT:
                raise OutputError(
                    f"the publisher's state has format {version}, and this Interlock knows "
                    f"{_FORMAT}",
                    "use the Interlock that published here last",
                )
        except sqlite3.Error as error:
            raise _failed(error) from error


@contextmanager
def open_database(directory: Path | None) -> Iterator[Database]:
    """The database of a directory, made where there is none; None is in memory. OutputError."""
    try:
        place = ":memory:" if directory is None else str(directory / FILE)
        connection = sqlite3.connect(place, isolation_level=None)
    except sqlite3.Error as error:
        raise _failed(error) from error
    try:
        yield Database(connection)
    finally:
        connection.close()


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
