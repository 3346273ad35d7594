"""The roles that imported SQL names: they belong to PostgreSQL's server, not to one shard."""

from collections.abc import Iterator, Sequence
from typing import Any

from toolchain.importer.facts import Note
from toolchain.importer.statements import Piece


class Roles:
    """Which roles the SQL makes and which it needs, with the place that names each first."""

    def __init__(self) -> None:
        self._made: dict[str, str] = {}
        self._named: dict[str, str] = {}

    def read(self, pieces: Sequence[Piece], where: str) -> None:
        """Take note of what the statements of a migration say."""
        for piece in pieces:
            place = f"{where}:{piece.line}"
            if piece.statement.kind == "CreateRoleStmt":
                self._made.setdefault(piece.statement.tree["role"], place)
            for name in _named(piece.statement.tree):
                self._named.setdefault(name, place)

    def notes(self) -> Iterator[Note]:
        """What a person must see to before a shard, or a rehearsal, can run this SQL."""
        for name, place in self._made.items():
            text = (
                f"it makes the role {name}, which all databases of a PostgreSQL server share: the"
                " second shard there fails; make roles where the server is set up"
            )
            yield Note(text=text, where=place, decide=True)
        for name, place in self._named.items():
            if name not in self._made and not name.startswith("pg_"):
                text = (
                    f"the role {name} has to be there before this runs, on each shard's server and"
                    " on that of a rehearsal (--dsn)"
                )
                yield Note(text=text, where=place, decide=True)


def _named(tree: Any) -> Iterator[str]:
    """The roles in a statement; PUBLIC and CURRENT_USER are always there."""
    waiting = [tree]  # no recursion: a statement may be nested deeper than Python's stack
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("roletype") == "ROLESPEC_CSTRING":
                yield part["rolename"]
            waiting.extend(reversed(part.values()))
        elif isinstance(part, list):
            waiting.extend(reversed(part))
