"""The steps of a rehearsal: lay out, walk each way, try the servers, compare with fresh shards."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from toolchain.edge.postgres.schema import read_schema
from toolchain.edge.postgres.server import DatabaseServer
from toolchain.edge.postgres.walk import Halt, StepError, require_runner, run_through, walk
from toolchain.matrix.measured.schemas import compare_schemas
from toolchain.matrix.measured.sentences import answer_sentence
from toolchain.matrix.measured.values import (
    Broken,
    Cell,
    Measured,
    SchemaComparison,
    State,
)
from toolchain.matrix.measured.ways import Way, name_of, ways
from toolchain.model.release import Product, Release
from toolchain.model.version import Version
from toolchain.plan.manifest import SqlReader
from toolchain.rehearse.exchange import differing_pairs, one_sided
from toolchain.rehearse.packages import lay_out, manifest_of
from toolchain.rehearse.servers import Met, Servers

# How many releases are behind, how many there are, and where the walk is.
Progress = Callable[[int, int, str], None]


@dataclass(kw_only=True)
class Rehearsal:
    """One rehearsal of a product that lies at `root`; the servers of `releases` are tried."""

    product: Product
    root: Path
    sql: SqlReader
    server: DatabaseServer
    releases: Sequence[Release]
    progress: Progress
    _states: list[State] = field(default_factory=list)
    _cells: list[Cell] = field(default_factory=list)
    _comparisons: list[SchemaComparison] = field(default_factory=list)
    _broken: list[Broken] = field(default_factory=list)
    _known: dict[tuple[str, ...], Met] = field(default_factory=dict)
    _fresh: dict[Version, Mapping[str, str]] = field(default_factory=dict)

    def run(self) -> Measured:
        """Measure everything; raises ToolError where the database server does not do its part."""
        require_runner()
        walked = ways(self.product)
        done, total = 0, sum(map(len, walked))
        every = {release.version: release for way in walked for release in way}
        with tempfile.TemporaryDirectory(prefix="interlock-rehearsal-") as scratch:
            directory = Path(scratch)
            lay_out(self.product, self.sql, tuple(every.values()), directory)
            for way in walked:
                self._walk(way, walked[0], directory, done, total)
                done += len(way)
        self.progress(total, total, "")
        return Measured(
            postgresql=self.server.version,
            source=self.server.source,
            states=tuple(self._states),
            cells=tuple(self._cells),
            comparisons=tuple(self._comparisons),
            broken=tuple(self._broken),
        )

    @cached_property
    def _servers(self) -> Servers:
        return Servers(
            releases=self.releases,
            root=self.root,
            server=self.server,
            pairs=differing_pairs(self.product, self.releases),
            ignored=one_sided(self.product),
        )

    def _walk(self, way: Way, main: Way, directory: Path, done: int, total: int) -> None:
        """Upgrade an empty shard release by release, then compare it with a fresh install."""
        name = name_of(way, main)
        database = self.server.create()
        trail: tuple[str, ...] = ()
        met: Met | None = None
        release = way[0]
        try:
            for at, release in enumerate(way):
                self.progress(done + at, total, str(release.version))
                for halt in walk(manifest_of(release, directory), database):
                    trail = (*trail, f"{release.version} {halt.action}")
                    met = self._meet(_state(release, halt, name), trail, database, halt, met)
                failure = self._servers.seed(release, database)
                if failure is not None:
                    raise StepError(answer_sentence(failure))
            fresh = self._fresh_schema(release, directory)
        except StepError as error:
            self._broken.append(Broken(release=release.version, way=name, sentence=str(error)))
        else:
            self._comparisons.append(
                SchemaComparison(
                    release=release.version,
                    way=tuple(each.version for each in way),
                    differences=compare_schemas(read_schema(database), fresh),
                )
            )
        self.server.drop(database)

    def _meet(
        self,
        state: State,
        trail: tuple[str, ...],
        database: Mapping[str, str],
        halt: Halt,
        before: Met | None,
    ) -> Met:
        """Try the servers at a state that no way has led to yet; what failed there.

        Where only the handshake moved, what they have met is known; but other pairs may meet.
        """
        if trail in self._known:
            return self._known[trail]
        servers = self._servers
        if halt.changes or before is None:
            before = Met(failures=servers.attempt(database), exchanges={})
        exchanges = servers.exchange(database, state.shard, before.exchanges)
        met = Met(failures=before.failures, exchanges=exchanges)
        self._known[trail] = met
        self._states.append(state)
        self._cells.extend(servers.cells(state, met))
        return met

    def _fresh_schema(self, release: Release, directory: Path) -> Mapping[str, str]:
        """The schema that a release's database package makes of an empty database, in one run."""
        if release.version not in self._fresh:
            database = self.server.create()
            run_through(manifest_of(release, directory), database)
            self._fresh[release.version] = read_schema(database)
            self.server.drop(database)
        return self._fresh[release.version]


def _state(release: Release, halt: Halt, way: str) -> State:
    return State(
        release=release.version, action=halt.action, shard=halt.shard, ends=halt.ends, way=way
    )
