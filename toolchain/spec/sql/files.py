"""The SQL files of a product, each read and parsed once however many steps name it."""

import hashlib
from dataclasses import dataclass

from toolchain.spec.codes import Code
from toolchain.spec.located.text import MEBIBYTE, SQL_LIMIT, decode
from toolchain.spec.problem import Complaint, Problem
from toolchain.spec.sql.parser import Statement, parse
from toolchain.spec.tree import KIND_WORDS, Tree
from toolchain.spec.wording import show_path


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFile:
    """A file whose statements PostgreSQL's parser knows; `shown` is its name in sentences.

    `sha256` is that of its bytes, in hex, as a manifest carries it.
    """

    shown: str
    text: str
    sha256: str
    statements: tuple[Statement, ...]


class SqlFiles:
    """Reads SQL files, and keeps the problems inside them and the texts that these point into."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._read: dict[str, SqlFile | None] = {}
        self.problems: list[Problem] = []
        self.texts: dict[str, str] = {}

    def read(self, path: str) -> SqlFile | None:
        """The file at a path, or None when its problems are known already.

        Raises Complaint, about whatever names the path, when there is no such file to read.
        """
        if path not in self._read:
            self._read[path] = self._load(path)
        return self._read[path]

    def known(self, path: str) -> SqlFile | None:
        """A file that has been read; None where it could not be."""
        return self._read.get(path)

    def add(self, name: str, text: str) -> None:
        """Take in SQL that was generated; it parses, or its generator is wrong."""
        statements = parse(name, text)
        if isinstance(statements, Problem):
            raise TypeError(f"{statements}\n{text}")
        self._read[name] = SqlFile(
            shown=name,
            text=text,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            statements=tuple(statements),
        )

    def checksum(self, path: str) -> str | None:
        """The SHA-256 of a file that has been read; None where it could not be."""
        file = self._read.get(path)
        return None if file is None else file.sha256

    def _load(self, path: str) -> SqlFile | None:
        shown = self._tree.shown(path)
        parsed = self._parsed(shown, self._data(path, shown))
        if isinstance(parsed, Problem):
            self.problems.append(parsed)
            return None
        return parsed

    def _data(self, path: str, shown: str) -> bytes:
        entry = self._tree.look(path)
        if entry.kind in ("missing", "dangling"):
            raise Complaint(
                Code.SQL_MISSING,
                f"the SQL file {show_path(shown)} is {KIND_WORDS[entry.kind]}",
                "write the file, or mend the path",
            )
        if entry.kind == "escaping":
            raise Complaint(
                Code.SOURCE_ESCAPE,
                f"{show_path(shown)} is {KIND_WORDS[entry.kind]}",
                "copy the file into the product's directory",
            )
        if entry.kind == "unreadable":
            raise _unreadable(f"{show_path(shown)} cannot be read")
        if entry.kind != "file":
            raise Complaint(
                Code.FILE_KIND,
                f"{show_path(shown)} is {KIND_WORDS[entry.kind]}",
                "name a readable SQL file",
            )
        if entry.size > SQL_LIMIT:
            raise Complaint(
                Code.FILE_SIZE,
                f"{show_path(shown)} has {entry.size} bytes",
                f"keep an SQL file below {SQL_LIMIT // MEBIBYTE} MiB: a schema change needs less, "
                "and data belongs in the payload",
            )
        try:
            return self._tree.read(path, SQL_LIMIT)
        except OSError as error:
            raise _unreadable(f"{show_path(shown)} cannot be read: {error.strerror}") from None

    def _parsed(self, shown: str, data: bytes) -> SqlFile | Problem:
        text = decode(shown, data)
        if isinstance(text, Problem):
            return text
        self.texts[shown] = text
        statements = parse(shown, text)
        if isinstance(statements, Problem):
            return statements
        return SqlFile(
            shown=shown,
            text=text,
            sha256=hashlib.sha256(data).hexdigest(),
            statements=tuple(statements),
        )


def _unreadable(message: str) -> Complaint:
    return Complaint(Code.UNREADABLE, message, "mend the file's permissions")
