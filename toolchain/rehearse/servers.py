"""Every server tried at one state: its statements in one session, its probe on a copy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.edge.postgres.probe import run_probe
from toolchain.edge.postgres.server import DatabaseServer
from toolchain.edge.postgres.statements import trial
from toolchain.matrix.measured.values import Cell, Failure, State
from toolchain.model.law import compatible
from toolchain.model.release import Release
from toolchain.model.version import Version

Failures = Mapping[Version, tuple[Failure, ...] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The servers of a rehearsal; `root` is the product's directory, where their probes lie."""

    releases: Sequence[Release]
    root: Path
    server: DatabaseServer

    def attempt(self, database: Mapping[str, str]) -> Failures:
        """What fails of each server on this database; None for one with nothing to try."""
        found: dict[Version, tuple[Failure, ...] | None] = {}
        with trial(database) as trying:
            for release in self.releases:
                statements = release.server.statements
                found[release.version] = trying.attempt(statements) if statements else None
        for release in self.releases:
            if release.server.probe is not None:
                failure = self._probe(release, database)
                told = found[release.version] or ()
                found[release.version] = (*told, failure) if failure else told
        return found

    def seed(self, release: Release, database: Mapping[str, str]) -> Failure | None:
        """Leave a server's rows on the shard, for the steps of later releases to meet."""
        statements = release.server.statements
        if not any(statement.seeds for statement in statements):
            return None
        with trial(database) as trying:
            return trying.seed(statements)

    def cells(self, state: State, failures: Failures) -> tuple[Cell, ...]:
        """What the servers met at a state, beside what the law says of it."""
        return tuple(
            Cell(
                server=release.version,
                state=state,
                declared=compatible(release.server_handshake, state.shard),
                failures=failures[release.version],
            )
            for release in self.releases
        )

    def _probe(self, release: Release, database: Mapping[str, str]) -> Failure | None:
        """Run a probe on a copy of its own: it may write whatever a server writes."""
        if release.server.probe is None:
            return None
        copy = self.server.create(template=database["dbname"])
        try:
            return run_probe(
                release.server.probe,
                self.root,
                copy,
                {"INTERLOCK_RELEASE": str(release.version)},
            )
        finally:
            self.server.drop(copy)
