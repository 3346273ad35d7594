"""What the database package carries: the releases since the baseline, and their steps in order."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import Enum

from ..core.errors import UsageError
from ..core.version import Versions


class Phase(Enum):
    """Expand adds the new form, migrate moves data, contract removes the old form."""

    EXPAND = "expand"
    MIGRATE = "migrate"
    CONTRACT = "contract"

    @property
    def rank(self) -> int:
        """The phase's place within a release."""
        return list(Phase).index(self)


@dataclass(frozen=True)
class Script:
    """An SQL file whose checksum was found right; `path` is relative to the manifest."""

    path: str
    sha256: str
    text: str


@dataclass(frozen=True)
class Batch:
    """How a migrate step walks a table; `$1` and `$2` are a batch's first and last key.

    `begin` runs once before the first batch, `finish` once after the last.
    """

    table: str
    key: str
    statements: tuple[str, ...]
    begin: tuple[str, ...] = ()
    finish: tuple[str, ...] = ()

    @property
    def walk(self) -> str:
        """What the cursor of this step means: `public.host(id)`."""
        return f"{self.table}({self.key})"


@dataclass(frozen=True)
class Step:
    """One phase of one change. Without `transaction` it is one statement that refuses a block.

    Without `readies` the new form does not wait for it: a migrate step that only moves what
    servers see as moved already.
    """

    id: str
    change: str
    phase: Phase
    transaction: bool
    script: Script
    statements: tuple[str, ...] | None
    undo: Script | None
    batch: Batch | None
    release: str
    readies: bool = True

    @property
    def place(self) -> tuple[int, bool]:
        """The step's place within a release: what the schema waits for comes first."""
        return (self.phase.rank, not self.readies)

    @property
    def sql(self) -> tuple[str, ...]:
        """The texts to send, one after another; those of a batch once for each."""
        if self.batch is not None:
            return self.batch.begin + self.batch.statements + self.batch.finish
        return self.statements or (self.script.text,)

    def __str__(self) -> str:
        return f"{self.id} ({self.release})"


@dataclass(frozen=True)
class Release:
    """One release: the schema that its steps make ready, the servers accepted after contract."""

    version: str
    schema: int
    servers: Versions
    steps: tuple[Step, ...]

    def of(self, phase: Phase) -> tuple[Step, ...]:
        """The steps of one phase, in order."""
        return tuple(step for step in self.steps if step.phase is phase)

    @property
    def preparing(self) -> tuple[Step, ...]:
        """The steps that make the release's schema ready: expand, then what it waits for."""
        return self.of(Phase.EXPAND) + tuple(
            step for step in self.of(Phase.MIGRATE) if step.readies
        )

    @property
    def trailing(self) -> tuple[Step, ...]:
        """The migrate steps that run behind the ready schema, before the contract."""
        return tuple(step for step in self.of(Phase.MIGRATE) if not step.readies)

    @property
    def readied_by(self) -> Phase:
        """The phase in which the release's schema becomes ready."""
        migrates = any(step.phase is Phase.MIGRATE for step in self.preparing)
        return Phase.MIGRATE if migrates else Phase.EXPAND


@dataclass(frozen=True)
class Manifest:
    """The package's releases, the baseline first."""

    product: str
    release: str
    releases: tuple[Release, ...]

    @property
    def baseline(self) -> Release:
        """The first release that this package knows how to reach."""
        return self.releases[0]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step in the order in which a shard meets it."""
        return tuple(step for release in self.releases for step in release.steps)

    def index(self, version: str) -> int:
        """The release's place in the order; raises UsageError with the nearest known one."""
        known = [release.version for release in self.releases]
        if version in known:
            return known.index(version)
        near = [each for each in known if each.startswith(f"{version}.")]
        near = near or difflib.get_close_matches(version, known, n=1, cutoff=0.0)
        raise UsageError(
            f"this package carries no release {version}",
            f"it carries {known[0]} to {known[-1]}" + (f"; nearest: {near[0]}" if near else ""),
        )
