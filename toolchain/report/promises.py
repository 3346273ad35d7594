"""Why each side accepts what it accepts: one reason for a server's window, one for a shard's.

A cell of the matrix follows from the two, so a report of n releases needs 2n reasons, not n².
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from toolchain.matrix.chain import product_chain
from toolchain.matrix.derivation import Derivation, Obstacle
from toolchain.model.change import Phase, Step
from toolchain.model.history import history
from toolchain.model.release import Product, Release
from toolchain.model.version import Version
from toolchain.model.window import Point, Window
from toolchain.render.report.content import Fact, Promise, Reason
from toolchain.report.places import Places


def server_anchor(version: Version) -> str:
    """The reason for what a release's server runs on."""
    return f"reason-server-{version}"


def database_anchor(version: Version) -> str:
    """The reason for what a shard accepts after a release's phases."""
    return f"reason-database-{version}"


@dataclass(frozen=True)
class Promises:
    """The windows of a product's releases, each with what would be true and why."""

    product: Product
    places: Places

    @cached_property
    def derivation(self) -> Derivation:
        """The widest true windows."""
        return Derivation(product_chain(self.product))

    def of(self, at: int) -> tuple[Promise, ...]:
        """The three windows of the release at a place of the chain."""
        release = self.product.releases[at]
        server, database = release.server, release.database
        return (
            Promise(
                side="server runs on schemas",
                window=str(server.schemas),
                declared=server.schemas_declared,
                truth=_truth(self.derivation.schemas(at).oldest),
                place=self.places.spell(server.schemas_origin),
                anchor=server_anchor(release.version),
            ),
            Promise(
                side="server works beside servers",
                window=str(server.peers),
                declared=True,
                truth="",
                place=self.places.spell(server.peers_origin),
                anchor=server_anchor(release.version),
            ),
            Promise(
                side="shard accepts servers",
                window=str(database.servers),
                declared=database.servers_declared,
                truth=_truth(self.derivation.servers(at).oldest),
                place=self.places.spell(database.servers_origin),
                anchor=database_anchor(release.version),
            ),
        )

    def reasons(self) -> Iterator[Reason]:
        """Both reasons of every release, the newest first."""
        for at in reversed(range(len(self.product.releases))):
            release = self.product.releases[at]
            yield Reason(
                anchor=server_anchor(release.version),
                heading=f"What the server {release.version} runs on",
                facts=(*self._server(at, release), self._peers(release)),
            )
            yield Reason(
                anchor=database_anchor(release.version),
                heading=f"What a shard at {release.version} accepts",
                facts=tuple(self._database(at, release)),
            )

    def _server(self, at: int, release: Release) -> Iterator[Fact]:
        server = release.server
        yield Fact(
            sentence=f"The server {release.version} runs on schemas {server.schemas}"
            f"{_source(declared=server.schemas_declared)}.",
            place=self.places.spell(server.schemas_origin),
        )
        bound = self.derivation.schemas(at)
        if bound.obstacle is None:
            yield Fact(sentence="No schema of the chain lacks anything that it needs.")
        else:
            obstacle = bound.obstacle
            yield Fact(
                sentence=f"It uses the new form of {obstacle.change} alone, which schema"
                f" {obstacle.point} does not have yet.",
                place=self._readied(at, obstacle),
            )
        yield from _narrower(server.schemas, bound.oldest, declared=server.schemas_declared)

    def _peers(self, release: Release) -> Fact:
        return Fact(
            sentence=f"It works beside servers {release.server.peers}.",
            place=self.places.spell(release.server.peers_origin),
        )

    def _database(self, at: int, release: Release) -> Iterator[Fact]:
        database = release.database
        yield Fact(
            sentence=f"After the phases of {release.version} a shard has schema {database.schema}"
            f" and accepts servers {database.servers}"
            f"{_source(declared=database.servers_declared)}.",
            place=self.places.spell(database.servers_origin),
        )
        if not database.packaged:
            yield Fact(
                sentence="The release has no database package: the one before it serves on.",
                place=self.places.spell(database.origin),
            )
        bound = self.derivation.servers(at)
        if bound.obstacle is None:
            yield Fact(sentence="Nothing is contracted that a server of the chain uses alone.")
        else:
            obstacle = bound.obstacle
            yield Fact(
                sentence=f"The old form of {obstacle.change} is gone, which the server"
                f" {obstacle.point} uses alone.",
                place=self._contracted(at, obstacle),
            )
        yield from _narrower(database.servers, bound.oldest, declared=database.servers_declared)

    def _readied(self, at: int, obstacle: Obstacle[int]) -> str:
        """The last step before a contract is the one that made the new form ready."""
        steps = [step for step in self._steps(at, obstacle) if step.phase is not Phase.CONTRACT]
        return self.places.spell(steps[-1].origin) if steps else ""

    def _contracted(self, at: int, obstacle: Obstacle[Version]) -> str:
        steps = [step for step in self._steps(at, obstacle) if step.phase is Phase.CONTRACT]
        return self.places.spell(steps[-1].origin) if steps else ""

    def _steps(self, at: int, obstacle: Obstacle[Point]) -> Iterator[Step]:
        links = self.derivation.chain.links
        for link in history(links, links[at]):
            yield from (step for step in link.steps if step.change == obstacle.change)


def _truth(oldest: int | Version | None) -> str:
    return "none of the chain" if oldest is None else f">= {oldest}"


def _source(*, declared: bool) -> str:
    return "" if declared else ", as follows from its changes"


def _narrower(window: Window[Point], truth: Point | None, *, declared: bool) -> Iterator[Fact]:
    if declared and truth is not None and truth < window.oldest:
        yield Fact(
            sentence=f"What follows from its changes would be >= {truth}: the promise is narrower."
        )
