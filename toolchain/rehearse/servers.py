"""Every server tried at one state: its statements in one session, its probe on a copy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.edge.postgres.probe import run_probe
from toolchain.edge.postgres.server import DatabaseServer
from toolchain.edge.postgres.statements import trial
from toolchain.matrix.measured.values import Cell, Failure, State
from toolchain.model.law import ShardHandshake, compatible
from toolchain.model.release import Release
from toolchain.model.version import Version
from toolchain.rehearse.exchange import Exchanges, Exchanging, together

Failures = Mapping[Version, tuple[Failure, ...] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What failed of each server on a shard's content, and what each pair missed that was tried."""

    failures: Failures
    exchanges: Exchanges


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The servers of a rehearsal; `root` is the product's directory, where their probes lie.

    `pairs` are readers and writers of different forms, `ignored` the columns that either side
    cannot know. `reads` collects the statements that turned out to read alone.
    """

    releases: Sequence[Release]
    root: Path
    server: DatabaseServer
    pairs: Sequence[tuple[Release, Release]] = ()
    ignored: frozenset[str] = frozenset()
    reads: set[str] = field(default_factory=set)

    def attempt(self, database: Mapping[str, str]) -> Failures:
        """What fails of each server on this database; None for one with nothing to try."""
        found: dict[Version, tuple[Failure, ...] | None] = {}
        with trial(database, self.reads) as trying:
            for release in self.releases:
                statements = release.server.statements
                found[release.version] = trying.attempt(statements) if statements else None
        for release in self.releases:
            if release.server.probe is not None:
                failure = self._probe(release, database)
                told = found[release.version] or ()
                found[release.version] = (*told, failure) if failure else told
        return found

    def exchange(
        self, database: Mapping[str, str], shard: ShardHandshake, known: Exchanges
    ) -> Exchanges:
        """What the servers that may both work on a shard miss of each other; `known` is not rerun.

        Comes after `attempt`, which tells reading statements from writing ones.
        """
        wanted = [
            (reader, writer)
            for reader, writer in together(self.pairs, shard)
            if (reader.version, writer.version) not in known
            and any(each.samples for each in reader.server.statements)
            and any(each.samples for each in writer.server.statements)
        ]
        if not wanted:
            return known
        found = dict(known)
        with trial(database, self.reads) as trying:
            exchanging = Exchanging(trying=trying, ignored=self.ignored)
            for reader, writer in wanted:
                found[reader.version, writer.version] = exchanging.misses(reader, writer)
        return found

    def seed(self, release: Release, database: Mapping[str, str]) -> Failure | None:
        """Leave a server's rows on the shard, for the steps of later releases to meet."""
        statements = release.server.statements
        if not any(statement.seeds for statement in statements):
            return None
        with trial(database) as trying:
            return trying.seed(statements)

    def cells(self, state: State, met: Met) -> tuple[Cell, ...]:
        """What the servers met at a state, beside what the law says of it."""
        missed: dict[Version, tuple[Failure, ...]] = {}
        for reader, writer in together(self.pairs, state.shard):
            more = met.exchanges.get((reader.version, writer.version), ())
            missed[reader.version] = (*missed.get(reader.version, ()), *more)
        cells = []
        for release in self.releases:
            failures = met.failures[release.version]
            if failures is not None:
                failures = (*failures, *missed.get(release.version, ()))
            cells.append(
                Cell(
                    server=release.version,
                    state=state,
                    declared=compatible(release.server_handshake, state.shard),
                    failures=failures,
                )
            )
        return tuple(cells)

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
