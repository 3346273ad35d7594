"""A chain's releases with every window settled, and why a window begins where it does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from toolchain.matrix.chain import FormChain, form_chain
from toolchain.matrix.derivation import Derivation, Obstacle
from toolchain.model.change import Phase
from toolchain.model.history import parents, reach
from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.spec.chain.published import NOTHING_PUBLISHED, Shelf
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
    rollout: RolloutPolicy
    skew: int
    shelf: Shelf = NOTHING_PUBLISHED

    @property
    def published(self) -> frozenset[Version]:
        """The releases that can be changed no more."""
        return self.shelf.versions

    @property
    def chain(self) -> FormChain:
        """The facts that the windows are derived from."""
        return self.derivation.chain

    @cached_property
    def _parents(self) -> tuple[int | None, ...]:
        return parents(self.declared)

    @cached_property
    def releases(self) -> tuple[Facts, ...]:
        """The releases with the windows that their packages say: published ones, or the specs'."""
        return self.shelf.applied(self.said)

    @cached_property
    def said(self) -> tuple[Facts, ...]:
        """The releases with the windows that the specs declare, or that follow from them."""
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
        point = refusal.point
        if refusal.kind is Kind.SCHEMAS and isinstance(point, int):
            schema = self.derivation.schemas(at).obstacle
            if schema is not None and point <= schema.point:
                return self.lack(at, schema, Window(point, schema.point + 1))
        if refusal.kind is Kind.SERVERS and isinstance(point, Version):
            server = self.derivation.servers(at).obstacle
            if server is not None and point <= server.point:
                return self.loss(at, server)
        return None

    def oldest_schema(self, own: Facts) -> int:
        """The oldest schema that a server must run on: its own, and under any order its reach's."""
        met = self._reach(own) if self.rollout is RolloutPolicy.ANY_ORDER else ()
        return min(release.schema for release in (own, *met))

    def oldest_server(self, own: Facts) -> Version:
        """The oldest server that a shard, or a server beside it, must bear."""
        return min(release.version for release in (own, *self._reach(own)))

    def _reach(self, own: Facts) -> tuple[Facts, ...]:
        return reach(self.releases, own, self.skew)

    def lack(self, at: int, obstacle: Obstacle[int], window: Window[int]) -> Cause:
        """A shard that lacks a new form which the server of a release cannot do without.

        The repair is about every change that stands in the way of the window.
        """
        release, other = self.declared[at], self.declared[obstacle.release]
        changes = self.derivation.lacking(at, window)
        ready = self.chain.held[at].ready
        forms = ", ".join(f"{each}: {'both' if each in ready else 'old'}" for each in changes)
        return Cause(
            message=f"the server of {release.version} uses only the new form of"
            f" {obstacle.change}, and shards of {other.version} (schema {obstacle.point}) do not"
            " have it ready",
            repair=f"let the server do without it (server.forms: {{{forms}}})",
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
        ready = self._made_ready(at, change)
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
        return self._carrier(at, change, Phase.CONTRACT)

    def _made_ready(self, at: int, change: str) -> tuple[Facts, PlacedStep] | None:
        moved = self._carrier(at, change, Phase.MIGRATE)
        waited = moved is not None and moved[1].step.readies
        return moved if waited else self._carrier(at, change, Phase.EXPAND)

    def _carrier(self, at: int, change: str, phase: Phase) -> tuple[Facts, PlacedStep] | None:
        """The release of a history that carries a step, and the step."""
        place: int | None = at
        while place is not None:
            step = self.declared[place].placed(change, phase)
            if step is not None:
                return self.declared[place], step
            place = self._parents[place]
        return None

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
        ready = self._made_ready(at, obstacle.change)
        return None if ready is None else ready[1].place

    def _removed_at(self, at: int, obstacle: Obstacle[Version] | None) -> Place | None:
        """The place that stands for a derived window of servers."""
        contract = None if obstacle is None else self._contract(at, obstacle.change)
        return None if contract is None else contract[1].place


def promises_of(
    releases: Sequence[Facts],
    rollout: RolloutPolicy,
    skew: int,
    shelf: Shelf = NOTHING_PUBLISHED,
) -> Promises:
    """The promises of releases, which stand in version order; the shelf holds what is published."""
    chain = form_chain([release.link for release in releases], rollout, skew)
    derivation = Derivation(chain)
    return Promises(releases, derivation, rollout, skew, shelf)
