"""One package of a pair: its identity, relations and contents, the same for deb and rpm."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum

from toolchain.model.relation import Relation
from toolchain.model.release import Architecture, Format, Service, StateDirectory, User
from toolchain.plan.entry import Entry


class Role(Enum):
    """Which half of the pair a package is, or what leads a customer's host to both."""

    SERVER = "server"
    DATABASE = "database"
    REPOSITORY = "repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangelogEntry:
    """The changelog lines of one release."""

    version: str
    date: date
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """All that a format needs to write the package; relations of dependencies differ by format.

    `dnf_plugin` is the path of a file in the package that dnf 4 loads as a plugin.
    """

    product: str
    role: Role
    name: str
    version: str
    revision: int
    architecture: Architecture
    summary: str
    description: str
    maintainer: str
    homepage: str
    licence: str
    copyright: str
    protect: bool
    date: date
    relations: tuple[Relation, ...]
    depends: dict[Format, tuple[Relation, ...]]
    entries: tuple[Entry, ...]
    changelog: tuple[ChangelogEntry, ...]
    services: tuple[Service, ...] = ()
    dropped: tuple[str, ...] = ()
    commands: tuple[tuple[Service, str], ...] = ()
    users: tuple[User, ...] = ()
    state: tuple[StateDirectory, ...] = ()
    handshake: str = ""
    dnf_plugin: str = ""

    @property
    def epoch(self) -> int:
        """Midnight UTC of the release's date, in seconds: the only time in the package."""
        return int(datetime.combine(self.date, time(), UTC).timestamp())

    @property
    def full_version(self) -> str:
        """Version and revision, as both formats write them."""
        return f"{self.version}-{self.revision}"

    def all_relations(self, format_: Format) -> tuple[Relation, ...]:
        """The law's relations and the dependencies of one format."""
        return (*self.relations, *self.depends[format_])
