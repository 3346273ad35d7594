"""One run of the publisher: alone, on a repository whose last publication is whole."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolchain.edge.undisturbed import undisturbed
from toolchain.errors import OutputError
from toolchain.plan.repository.layout import STATE
from toolchain.publish.lock import locked
from toolchain.publish.staging import (
    Checkpoint,
    Staging,
    carry_out,
    remove_leftovers,
    staging,
)
from toolchain.publish.state import State, open_state, unpublished
from toolchain.publish.sweep import sweep
from toolchain.publish.tables.database import FILE


def nothing(_name: str) -> None:
    """A checkpoint where nobody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a run works with; `staging` is None where nothing is to be changed."""

    repository: Path
    state: State
    staging: Staging | None
    now: int
    checkpoint: Checkpoint

    def decide(self) -> None:
        """Make the publication certain; called at the end of its transaction."""
        assert self.staging is not None  # noqa: S101  (a dry run decides nothing)
        self.staging.synchronise()
        self.state.tasks.write_journal(self.staging.moves)
        self.checkpoint("commit")
        self.staging.decided = True

    def show(self) -> None:
        """Have clients see what was decided."""
        self.checkpoint("committed")
        _finish(self.repository, self.state, self.checkpoint)
        remove_leftovers(self.repository)
        sweep(self.repository, self.state, self.now)


@contextmanager
def session(
    repository: Path,
    *,
    dry_run: bool = False,
    begins: bool = True,
    now: int | None = None,
    checkpoint: Checkpoint = nothing,
) -> Iterator[Session]:
    """Open a repository, made where it is not there yet and this run `begins` one.

    Raises OutputError; UsageError where there is none and this run would make none.
    What a killed publisher had decided is carried out first, what it had not is removed.
    """
    now = int(time.time()) if now is None else now
    directory = repository / STATE
    try:
        if dry_run:
            there = directory if (directory / FILE).exists() else None
            with open_state(there) as state:
                yield Session(
                    repository=repository,
                    state=state,
                    staging=None,
                    now=now,
                    checkpoint=nothing,
                )
            return
        _make(repository, directory, begins=begins)
        with locked(directory), open_state(directory) as state:
            _finish(repository, state, checkpoint)
            remove_leftovers(repository)
            sweep(repository, state, now)
            with staging(repository) as staged:
                yield Session(
                    repository=repository,
                    state=state,
                    staging=staged,
                    now=now,
                    checkpoint=checkpoint,
                )
    except OSError as error:
        place = error.filename2 or error.filename or repository
        raise OutputError(
            f"{place}: {error.strerror}",
            "make room there, or make it writable, and run again; customers see a whole index",
        ) from error


def _make(repository: Path, directory: Path, *, begins: bool) -> None:
    if not (directory / FILE).exists():
        _require_nothing_published(repository)
        if not begins:
            raise unpublished()
    if not repository.is_dir():
        repository.mkdir(parents=True)
        repository.chmod(0o755)
    if not directory.is_dir():
        directory.mkdir(mode=0o700)
        return
    owner = directory.stat().st_uid
    if owner != os.geteuid():
        # What root wrote there, its owner's next run could not replace.
        raise OutputError(f"{directory} belongs to user {owner}", "publish as that user")
    if not os.access(directory, os.W_OK):
        raise OutputError(f"{directory} is not writable", "publish as the user who made it")


def _require_nothing_published(repository: Path) -> None:
    """Without the state nobody knows which versions are taken, and frozen packages could change."""
    for place in ("deb/pool", "rpm/packages"):
        if (repository / place).exists():
            raise OutputError(
                f"{repository} holds packages, and the publisher's state is gone from {STATE}",
                "restore it from a backup, or publish to a new directory",
            )


def _finish(repository: Path, state: State, checkpoint: Checkpoint) -> None:
    moves = state.tasks.journal()
    if moves:
        with undisturbed():
            carry_out(repository, moves, checkpoint)
            state.tasks.clear_journal()
