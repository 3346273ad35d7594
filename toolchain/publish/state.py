"""The publisher's own state: one SQLite file in the repository, nothing secret in it.

One transaction holds all that a publication changes, and the list of renames that make it visible.
Once it is committed, the publication is decided: whoever comes next carries the list out.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import UsageError
from toolchain.publish.tables import channels, generations, packages, settings, tasks
from toolchain.publish.tables.channels import Channels
from toolchain.publish.tables.database import Database, open_database
from toolchain.publish.tables.generations import Generations
from toolchain.publish.tables.packages import Packages
from toolchain.publish.tables.settings import Settings
from toolchain.publish.tables.tasks import Tasks

_ROOMS = (packages, channels, generations, tasks, settings)


@dataclass(frozen=True, slots=True)
class State:
    """All that the publisher remembers; every method of its parts may raise OutputError."""

    database: Database

    @property
    def packages(self) -> Packages:
        """What was published."""
        return Packages(self.database)

    @property
    def channels(self) -> Channels:
        """Where it is offered."""
        return Channels(self.database)

    @property
    def generations(self) -> Generations:
        """What indexes say."""
        return Generations(self.database)

    @property
    def tasks(self) -> Tasks:
        """What is to be done."""
        return Tasks(self.database)

    @property
    def settings(self) -> Settings:
        """What every run has to know."""
        return Settings(self.database)

    def transaction(self, *, keep: bool = True) -> AbstractContextManager[None]:
        """All or nothing; nothing where `keep` is false, and whatever is asked in between knows."""
        return self.database.transaction(keep=keep)


@contextmanager
def open_state(directory: Path | None) -> Iterator[State]:
    """The state in a directory, made when it is not there; None is one in memory. OutputError."""
    with open_database(directory) as database:
        database.prepare("".join(room.TABLES for room in _ROOMS))
        yield State(database)


def unpublished() -> UsageError:
    """Why a deed that needs a publication can't be done where there is none."""
    return UsageError(
        "nothing is published there yet",
        "begin with 'interlock publish add', or name another --repository",
    )
