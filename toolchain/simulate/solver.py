"""The solver of one host: whether a server package may stand beside the packages that are there.

It reads the relations that packages really carry. A conflict binds every provider of a name, and a
version of ours is ordered as dpkg and rpm order it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from toolchain.model.relation import Operator, RelationKind
from toolchain.plan.packaged_handshake import release_of
from toolchain.plan.relations import database_relations, server_relations
from toolchain.runner.core.law import Server
from toolchain.runner.core.version import Schemas, Versions, version_key
from toolchain.runner.packages.shard_package import InstalledServer, shard_package
from toolchain.simulate.facts import Facts

_Order = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed package, or one that would be: what it is called, provides and refuses."""

    provides: tuple[tuple[str, str], ...]
    conflicts: tuple[tuple[str, str, str], ...]

    def refuses(self, other: "Package") -> bool:
        """Whether one of its conflicts names something that the other one is or provides."""
        return any(
            name == provided and _holds(_order(version), operator, _order(bound))
            for name, operator, bound in self.conflicts
            for provided, version in other.provides
        )


def clash(one: Package, other: Package) -> bool:
    """Whether two packages can't be on one host."""
    return one.refuses(other) or other.refuses(one)


class Solver:
    """Answers of one host's solver, each question asked once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._product = facts.said
        self._servers: dict[int, Package] = {}
        self._by_shard: dict[tuple[int, int, int], bool] = {}
        self._by_database: dict[tuple[int, int], bool] = {}

    def beside_shard(self, server: int, installed: int, state: int) -> bool:
        """Whether a server may come to a host whose agent wrote such a shard's package.

        The package was written beside the installed server, which it may spare.
        """
        key = (server, installed, state)
        if key not in self._by_shard:
            package = self._shard(installed, state)
            self._by_shard[key] = not clash(self._server(server), package)
        return self._by_shard[key]

    def beside_database(self, server: int, database: int) -> bool:
        """Whether a server and a database package may be on one host."""
        key = (server, database)
        if key not in self._by_database:
            release = self._product.releases[database]
            relations = database_relations(self._product, release)
            own = (self._product.database_package, f"{release.version.packaged}-1")
            package = _package(own, ((r.kind, r.name, r.operator, r.version) for r in relations))
            self._by_database[key] = not clash(self._server(server), package)
        return self._by_database[key]

    def _server(self, place: int) -> Package:
        if place not in self._servers:
            release = self._product.releases[place]
            relations = server_relations(self._product, release)
            own = (self._product.server_package, f"{release.version.packaged}-1")
            self._servers[place] = _package(
                own, ((r.kind, r.name, r.operator, r.version) for r in relations)
            )
        return self._servers[place]

    def _shard(self, installed: int, state: int) -> Package:
        """The package that the agent writes for a reading."""
        said = self._facts.servers[installed]
        peers_below = said.peers.below
        server = Server(
            str(said.version),
            Schemas(said.schemas.oldest, said.schemas.below),
            Versions(str(said.peers.oldest), None if peers_below is None else str(peers_below)),
        )
        there = InstalledServer(server, f"{said.version.packaged}-1")
        package = shard_package(self._product.name, "x", self._facts.states[state], there)
        refused = (*package.conflicts, *package.schema_conflicts)
        return Package(
            provides=(
                (package.name, package.version),
                *((each.name, each.version) for each in package.provides),
            ),
            conflicts=tuple((each.name, each.operator, each.version) for each in refused),
        )


def _package(
    own: tuple[str, str],
    relations: Iterable[tuple[RelationKind, str, Operator | None, str | None]],
) -> Package:
    provides, conflicts = [own], []
    for kind, name, operator, version in relations:
        if operator is None or version is None:
            continue
        if kind is RelationKind.PROVIDES:
            provides.append((name, version))
        elif kind is RelationKind.CONFLICTS:
            conflicts.append((name, operator.value, version))
    return Package(provides=tuple(provides), conflicts=tuple(conflicts))


def _order(version: str) -> _Order:
    """What sorts as the version does; no revision comes before revision 1."""
    if version.isdigit():
        return version.zfill(12), 0
    release = release_of(version)
    if release is None:
        return version, 0  # a shard package's own version, which no relation compares
    upstream, _, revision = version.rpartition("-")
    return version_key(str(release)), int(revision) if upstream else 0


def _holds(version: _Order, operator: str, bound: _Order) -> bool:
    return {
        "<": version < bound,
        "<=": version <= bound,
        "=": version == bound,
        ">=": version >= bound,
        ">": version > bound,
    }[operator]
