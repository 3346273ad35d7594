"""A migration of any tool: its SQL, and what its name or its tool says of release and phase."""

from dataclasses import dataclass
from datetime import date

from toolchain.importer.facts import Note
from toolchain.model.change import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One migration, in the order in which its tool runs them.

    `key` is the name by which a map file speaks of it, `path` its file below the folder. `numbers`
    is its version where it has one, `tag` the release that the tool itself names, `phase` what its
    name claims. `hand` says why a person must write its SQL; then `sql` is empty.
    """

    key: str
    path: str
    where: str
    title: str
    sql: str
    undo: str | None = None
    numbers: tuple[int, ...] = ()
    tag: str = ""
    phase: Phase | None = None
    last: bool = False
    hand: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """All migrations of a folder, with the days of its tags, and what was not taken."""

    tool: str
    migrations: tuple[Migration, ...]
    days: tuple[tuple[str, date], ...] = ()
    notes: tuple[Note, ...] = ()
