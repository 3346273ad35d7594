"""A chain's releases with every window settled, and why a window begins where it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from toolchain.matrix.chain import Chain, chain_of
from toolchain.matrix.derivation import Derivation, Obstacle
from toolchain.model.change import Phase
from toolchain.model.history import parents
from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.spec.chain.refusal import Kind, Refusal
from toolchain.spec.facts import Facts, PlacedStep
from toolchain.spec.problem import Place, Related


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a window begins where it begins: a clause, a way to change that, and both specs."""

    message: str
    repair: str
    related: tuple[Related, ...]


@dataclass(frozen=True)
class Promises:
    """A chain's releases with every window settled: as declared, or as derived."""

    declared: Sequence[Facts]
    derivation: Derivation
    published: frozenset[Version] = frozenset()

    @property
    def chain(self) -> Chain:
        """The facts that the windows are derived from."""
        return self.derivation.chain

    @cached_property
    def _parents(self) -> tuple[int | None, ...]:
        return parents(self.declared)

    @cached_property
    def releases(self) -> tuple[Facts, ...]:
        """The releases with the windows that their packages will say."""
        settled: list[Facts] = []
        for at, release in enumerate(self.declared):
            parent = self._parents[at]
            kept = None if release.packaged or parent is None else settled[parent]
            settled.append(self._settled(at, release, kept))
        return tuple(settled)

    def _settled(self, at: int, release: Facts, kept: Facts | None) -> Facts:
        if not release.schemas_declared:
            schemas = self.derivation.schemas(at)
            release = replace(
                release,
                schemas=Window(release.schema if schemas.oldest is None else schemas.oldest),
                schemas_place=self._needed_at(at, schemas.obstacle) or release.schemas_place,
            )
        if kept is not None:
            return replace(release, servers=kept.servers, servers_place=kept.servers_place)
        if not release.servers_declared:
            servers = self.derivation.servers(at)
            release = replace(
                release,
                servers=Window(release.version if servers.oldest is None else servers.oldest),
                servers_place=self._removed_at(at, servers.obstacle) or release.servers_place,
            )
        return release

    def cause(self, refusal: Refusal) -> Cause | None:
        """Why no wider window could hold what this one leaves out; None where one could."""
        places = {own.version: at for at, own in enumerate(self.declared)}
        at = places.get(refusal.owner.version)
        if at is None:
            return None  # a published release without a spec, whose changes nobody knows
        if refusal.kind is Kind.SCHEMAS:
            schema = self.derivation.schemas(at)
            if schema.obstacle is not None and _before(refusal.point, schema.oldest):
                return self.lack(at, schema.obstacle)
        if refusal.kind is Kind.SERVERS:
            server = self.derivation.servers(at)
            if server.obstacle is not None and _before(refusal.point, server.oldest):
                return self.loss(at, server.obstacle)
        return None

    def lack(self, at: int, obstacle: Obstacle[int]) -> Cause:
        """A shard that lacks a new form which the server of a release cannot do without."""
        release, other = self.declared[at], self.declared[obstacle.release]
        form = "both" if obstacle.change in self.chain.held[at].ready else "old"
        return Cause(
            message=f"the server of {release.version} uses only the new form of"
            f" {obstacle.change}, and shards of {other.version} (schema {obstacle.point}) do not"
            " have it ready",
            repair=f"let the server do without it (server.forms: {{{obstacle.change}: {form}}})",
            related=self.need(at, obstacle.change),
        )

    def loss(self, at: int, obstacle: Obstacle[Version]) -> Cause:
        """A server that needs an old form which the database of a release has removed."""
        release, other = self.declared[at], self.declared[obstacle.release]
        removal = self._contract(at, obstacle.change)
        by = release if removal is None else removal[0]
        user = Related(
            origin=self.user_place(obstacle.release, obstacle.change).origin,
            message=f"the server of {other.version} uses the old form of {obstacle.change}",
        )
        return Cause(
            message=f"the server of {other.version} uses the old form of {obstacle.change}, which"
            f" {by.version} contracts",
            repair="move the contract to a later release",
            related=(*self.removal(at, obstacle), user),
        )

    def need(self, at: int, change: str) -> tuple[Related, ...]:
        """Where the server says that it uses the new form, and the step that makes it ready."""
        release = self.declared[at]
        found = []
        if change in release.forms:
            found.append(
                Related(
                    origin=release.forms[change].place.origin,
                    message=f"the server of {release.version} uses it",
                )
            )
        ready = self._first(change, Phase.MIGRATE) or self._first(change, Phase.EXPAND)
        if ready is not None:
            by, step = ready
            words = f"{by.version} makes {change} ready, with schema {by.schema}"
            found.append(Related(origin=step.place.origin, message=words))
        return tuple(found)

    def removal(self, at: int, obstacle: Obstacle[Version]) -> tuple[Related, ...]:
        """The contract that removes the old form from a release's shards."""
        contract = self._contract(at, obstacle.change)
        if contract is None:
            return ()
        by, step = contract
        words = f"{by.version} contracts {obstacle.change}"
        return (Related(origin=step.place.origin, message=words),)

    def _contract(self, at: int, change: str) -> tuple[Facts, PlacedStep] | None:
        place: int | None = at
        while place is not None:
            step = self.declared[place].placed(change, Phase.CONTRACT)
            if step is not None:
                return self.declared[place], step
            place = self._parents[place]
        return None

    def _first(self, change: str, phase: Phase) -> tuple[Facts, PlacedStep] | None:
        return self._steps.get((change, phase))

    @cached_property
    def _steps(self) -> Mapping[tuple[str, Phase], tuple[Facts, PlacedStep]]:
        """Every step with the first release that carries it."""
        found: dict[tuple[str, Phase], tuple[Facts, PlacedStep]] = {}
        for release in self.declared:
            for placed in release.steps:
                found.setdefault((placed.step.change, placed.step.phase), (release, placed))
        return found

    def user_place(self, at: int, change: str) -> Place:
        """Where a release says what its server uses of a change, or else where it is named."""
        release = self.declared[at]
        if change in release.forms:
            return release.forms[change].place
        return release.version_place

    def _needed_at(self, at: int, obstacle: Obstacle[int] | None) -> Place | None:
        """The place that stands for a derived window of schemas."""
        if obstacle is None:
            return None
        form = self.declared[at].forms.get(obstacle.change)
        if form is not None:
            return form.place
        ready = self._first(obstacle.change, Phase.MIGRATE)
        ready = ready or self._first(obstacle.change, Phase.EXPAND)
        return None if ready is None else ready[1].place

    def _removed_at(self, at: int, obstacle: Obstacle[Version] | None) -> Place | None:
        """The place that stands for a derived window of servers."""
        contract = None if obstacle is None else self._contract(at, obstacle.change)
        return None if contract is None else contract[1].place


def promises_of(
    releases: Sequence[Facts],
    rollout: RolloutPolicy,
    skew: int,
    published: frozenset[Version] = frozenset(),
) -> Promises:
    """The promises of releases, which stand in version order; some may be published."""
    chain = chain_of([release.link for release in releases], rollout, skew)
    return Promises(declared=releases, derivation=Derivation(chain), published=published)


def _before(point: int | Version, oldest: int | Version | None) -> bool:
    """Whether a derived window that begins at `oldest`, or nowhere, leaves out the point."""
    if oldest is None:
        return True
    if isinstance(point, Version) and isinstance(oldest, Version):
        return point < oldest
    if isinstance(point, int) and isinstance(oldest, int):
        return point < oldest
    raise TypeError(f"{point} and {oldest} are not of one kind")
