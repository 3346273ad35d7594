"""A product in numbers: releases are places, what a shard can say is a number, the law a table."""

from dataclasses import replace

from toolchain.model.law import ServerHandshake, ShardHandshake, compatible, peers_compatible
from toolchain.model.release import Product, Release
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.plan.rollout.world.facts import Chain, chain_of
from toolchain.runner.core.law import Handshake
from toolchain.runner.core.version import Versions
from toolchain.runner.ledger.manifest import Manifest, Phase, Script, Step
from toolchain.runner.ledger.manifest import Release as ManifestRelease

# What a manifest says of SQL; a simulated shard runs none.
_NO_SQL = Script("", "", "")


class Facts:
    """What packages say, which the gates go by, and what is true, which the audit goes by.

    They are the same unless `lying`: then each window promises one release more than the truth,
    which is what the proof keeps from being published; `honest` says the truth.
    """

    def __init__(self, product: Product, *, lying: bool = False) -> None:
        self.honest: Facts = Facts(product) if lying else self
        self.true = product
        self.said = _widened(product) if lying else product
        self.lying = lying
        self.chain: Chain = chain_of(self.said)
        self.versions = tuple(release.version for release in product.releases)
        self.names = tuple(map(str, self.versions))
        self._manifests: dict[int, Manifest] = {}
        self._true_manifests: dict[int, Manifest] = {}
        self._numbers: dict[Handshake, int] = {}
        self.states: list[Handshake] = []
        self._accepts: dict[tuple[int, int], bool] = {}
        self._fits: dict[tuple[int, int], bool] = {}
        said = [release.server_handshake for release in self.said.releases]
        true = [release.server_handshake for release in product.releases]
        self.accepts_peer = [[peers_compatible(one, other) for other in said] for one in said]
        self.fits_peer = [[peers_compatible(one, other) for other in true] for one in true]
        self.servers = tuple(said)
        self._true_servers = tuple(true)

    def number(self, said: Handshake) -> int:
        """The number of what a shard says, the same for the same words."""
        found = self._numbers.get(said)
        if found is None:
            found = self._numbers[said] = len(self.states)
            self.states.append(said)
        return found

    def accepts(self, server: int, state: int) -> bool:
        """What packages and ledgers say: whether a release's server may work on such a shard."""
        return self._ask(self._accepts, self.servers, server, state)

    def fits(self, server: int, state: int) -> bool:
        """The truth: whether it really works there."""
        return self._ask(self._fits, self._true_servers, server, state)

    def _ask(
        self,
        known: dict[tuple[int, int], bool],
        servers: tuple[ServerHandshake, ...],
        server: int,
        state: int,
    ) -> bool:
        pair = (server, state)
        answer = known.get(pair)
        if answer is None:
            answer = known[pair] = compatible(servers[server], as_model(self.states[state]))
        return answer

    def manifest(self, place: int) -> Manifest:
        """What the database package of a release carries; KeyError where there is no package."""
        return _manifest(self._manifests, self.said, place)

    def true_manifest(self, place: int) -> Manifest:
        """The same, as it would have to be."""
        return _manifest(self._true_manifests, self.true, place)

    def has_database(self, place: int) -> bool:
        """Whether a release has a database package."""
        return self.said.releases[place].database.packaged


def as_model(said: Handshake) -> ShardHandshake:
    """The runner's handshake as the model's."""
    below = said.servers.below
    return ShardHandshake(
        schema=said.schema,
        servers=Window(
            Version.parse(said.servers.oldest), None if below is None else Version.parse(below)
        ),
    )


def _manifest(known: dict[int, Manifest], product: Product, place: int) -> Manifest:
    if place not in known:
        release = product.releases[place]
        if not release.database.packaged:
            raise KeyError(place)
        past = (each for each in product.history(release) if each.database.packaged)
        known[place] = Manifest(product.name, str(release.version), tuple(map(_entry, past)))
    return known[place]


def _entry(release: Release) -> ManifestRelease:
    """A release as the runner reads it from the package (`manifest_file`), without its SQL."""
    servers = release.database.servers
    steps = [
        Step(
            id=step.id,
            change=step.change,
            phase=Phase(step.phase.value),
            transaction=step.transaction,
            script=_NO_SQL,
            statements=None,
            undo=_NO_SQL if step.undo else None,
            batch=None,
            release=str(release.version),
            readies=step.readies,
        )
        for step in release.database.steps
    ]
    return ManifestRelease(
        version=str(release.version),
        schema=release.database.schema,
        servers=Versions(
            str(servers.oldest), None if servers.below is None else str(servers.below)
        ),
        steps=tuple(sorted(steps, key=lambda step: step.place)),
    )


def _widened(product: Product) -> Product:
    """The product with windows that reach one schema, and one oldest server, further back."""
    releases = []
    for release in product.releases:
        past = product.history(release)
        schemas = [each.database.schema for each in past if each.server.schemas.oldest > 0]
        earlier = [schema for schema in schemas if schema < release.server.schemas.oldest]
        older = [
            each.database.servers.oldest
            for each in past
            if each.database.servers.oldest < release.database.servers.oldest
        ]
        server, database = release.server, release.database
        if earlier:
            window = Window(max(earlier), server.schemas.below)
            server = replace(server, schemas=window)
        if older:
            accepted = Window(max(older), database.servers.below)
            database = replace(database, servers=accepted)
        releases.append(replace(release, server=server, database=database))
    return replace(product, releases=tuple(releases))
