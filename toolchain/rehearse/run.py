"""The steps of a rehearsal: lay out, walk each way, try the servers, compare with fresh shards."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
from toolchain.rehearse.packages import lay_out, manifest_of
from toolchain.rehearse.servers import Failures, Servers

# How many releases are behind, how many there are, and where the walk is.
Progress = Callable[[int, int, str], None]


@dataclass(slots=True, kw_only=True)
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
    _known: dict[tuple[str, ...], Failures] = field(default_factory=dict)
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

    @property
    def _servers(self) -> Servers:
        return Servers(releases=self.releases, root=self.root, server=self.server)

    def _walk(self, way: Way, main: Way, directory: Path, done: int, total: int) -> None:
        """Upgrade an empty shard release by release, then compare it with a fresh install."""
        name = name_of(way, main)
        database = self.server.create()
        trail: tuple[str, ...] = ()
        failures: Failures | None = None
        release = way[0]
        try:
            for at, release in enumerate(way):
                self.progress(done + at, total, str(release.version))
                for halt in walk(manifest_of(release, directory), database):
                    trail = (*trail, f"{release.version} {halt.action}")
                    failures = self._meet(
                        _state(release, halt, name), trail, database, halt, failures
                    )
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
        before: Failures | None,
    ) -> Failures:
        """Try the servers at a state that no way has led to yet; what failed there."""
        if trail in self._known:
            return self._known[trail]
        servers = self._servers
        failures = servers.attempt(database) if halt.changes or before is None else before
        self._known[trail] = failures
        self._states.append(state)
        self._cells.extend(servers.cells(state, failures))
        return failures

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
