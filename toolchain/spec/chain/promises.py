"""The windows that specs declare against those that follow from changes, phases and forms.

A promise wider than the truth is an error: a customer would run what fails. It is told at the
release that came out last of the two that it is about, since the other one may be published. A
promise narrower than the truth is a hint.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from toolchain.matrix.chain import Chain, chain_of
from toolchain.matrix.derivation import Derivation, Obstacle
from toolchain.model.change import Phase
from toolchain.model.history import parents
from toolchain.model.release import RolloutPolicy
from toolchain.model.version import Version
from toolchain.model.window import Point, Window
from toolchain.spec.chain.refusal import Kind, Refusal
from toolchain.spec.codes import Code
from toolchain.spec.facts import Facts, PlacedStep
from toolchain.spec.problem import Complaint, Place, Problem, Related


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

    @property
    def chain(self) -> Chain:
        """The facts that the windows are derived from."""
        return self.derivation.chain

    @cached_property
    def releases(self) -> tuple[Facts, ...]:
        """The releases with the windows that their packages will say."""
        above = parents(self.declared)
        settled: list[Facts] = []
        for at, release in enumerate(self.declared):
            parent = above[at]
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

    def problems(self) -> Iterator[Problem]:
        """The windows that are wider than the truth, declared ones or derived before a hotfix."""
        for at, release in enumerate(self.releases):
            schema = self.derivation.schema_obstacle(at, release.schemas.below)
            if schema is not None and schema.point in release.schemas:
                yield self._lacking(at, release, schema)
            server = self.derivation.server_obstacle(at, release.servers.below)
            if release.packaged and server is not None and server.point in release.servers:
                yield self._removing(at, release, server)

    def hints(self) -> Iterator[Problem]:
        """The declared windows that leave out counterparts which fit."""
        for at, release in enumerate(self.declared):
            if release.schemas_declared:
                schemas = sorted({link.schema for link in self.chain.links})
                widest = self.derivation.schemas(at).oldest
                yield from _narrow(release.schemas, widest, schemas, release.schemas_place)
            if release.servers_declared:
                versions = [link.version for link in self.chain.links]
                earliest = self.derivation.servers(at).oldest
                yield from _narrow(release.servers, earliest, versions, release.servers_place)

    def cause(self, refusal: Refusal) -> Cause | None:
        """Why no wider window could hold what this one leaves out; None where one could."""
        at = next(
            at for at, own in enumerate(self.declared) if own.version == refusal.owner.version
        )
        if refusal.kind is Kind.SCHEMAS:
            schema = self.derivation.schemas(at)
            if schema.obstacle is not None and _before(refusal.point, schema.oldest):
                return self._lack(at, schema.obstacle)
        if refusal.kind is Kind.SERVERS:
            server = self.derivation.servers(at)
            if server.obstacle is not None and _before(refusal.point, server.oldest):
                return self._loss(at, server.obstacle)
        return None

    def _lacking(self, at: int, release: Facts, obstacle: Obstacle[int]) -> Problem:
        cause, other = self._lack(at, obstacle), self.declared[obstacle.release]
        if other.date > release.date:
            complaint = Complaint(
                Code.WINDOW_TOO_WIDE,
                f"the server of {release.version} accepts schemas '{release.schemas}' and needs"
                f" the new form of {obstacle.change}, which {other.version} lacks under schema"
                f" {obstacle.point}",
                f"carry the change in {other.version} too, or keep the schema version of the"
                " release that it is built upon",
            )
            return complaint.at(other.schema_place, *self._need(at, obstacle.change))
        return self._too_wide(
            cause, f"'{release.schemas}'", self.derivation.schemas(at).oldest, release.schemas_place
        )

    def _removing(self, at: int, release: Facts, obstacle: Obstacle[Version]) -> Problem:
        cause, other = self._loss(at, obstacle), self.declared[obstacle.release]
        if other.date > release.date:
            complaint = Complaint(
                Code.WINDOW_TOO_WIDE,
                f"the server of {other.version} uses the old form of {obstacle.change}, and the"
                f" database of {release.version}, released before it, accepts servers"
                f" '{release.servers}' after the contract",
                f"let {other.version} use the new form or both (server.forms)",
            )
            return complaint.at(
                self._user_place(obstacle.release, obstacle.change), *self._removal(at, obstacle)
            )
        return self._too_wide(
            cause, f"'{release.servers}'", self.derivation.servers(at).oldest, release.servers_place
        )

    def _too_wide(
        self, cause: Cause, window: str, truth: int | Version | None, place: Place
    ) -> Problem:
        return Complaint(
            Code.WINDOW_TOO_WIDE,
            f"the window {window} is too wide: {cause.message}",
            cause.repair if truth is None else f"write '>= {truth}', or {cause.repair}",
        ).at(place, *cause.related)

    def _lack(self, at: int, obstacle: Obstacle[int]) -> Cause:
        release, other = self.declared[at], self.declared[obstacle.release]
        form = "both" if obstacle.change in self.chain.held[at].ready else "old"
        return Cause(
            message=f"the server of {release.version} uses only the new form of"
            f" {obstacle.change}, and shards of {other.version} (schema {obstacle.point}) do not"
            " have it ready",
            repair=f"let the server do without it (server.forms: {{{obstacle.change}: {form}}})",
            related=self._need(at, obstacle.change),
        )

    def _loss(self, at: int, obstacle: Obstacle[Version]) -> Cause:
        release, other = self.declared[at], self.declared[obstacle.release]
        removal = self._contract(at, obstacle.change)
        by = release if removal is None else removal[0]
        user = Related(
            origin=self._user_place(obstacle.release, obstacle.change).origin,
            message=f"the server of {other.version} uses the old form of {obstacle.change}",
        )
        return Cause(
            message=f"the server of {other.version} uses the old form of {obstacle.change}, which"
            f" {by.version} contracts",
            repair="move the contract to a later release",
            related=(*self._removal(at, obstacle), user),
        )

    def _need(self, at: int, change: str) -> tuple[Related, ...]:
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

    def _removal(self, at: int, obstacle: Obstacle[Version]) -> tuple[Related, ...]:
        contract = self._contract(at, obstacle.change)
        if contract is None:
            return ()
        by, step = contract
        words = f"{by.version} contracts {obstacle.change}"
        return (Related(origin=step.place.origin, message=words),)

    def _contract(self, at: int, change: str) -> tuple[Facts, PlacedStep] | None:
        above = parents(self.declared)
        place: int | None = at
        while place is not None:
            step = self.declared[place].placed(change, Phase.CONTRACT)
            if step is not None:
                return self.declared[place], step
            place = above[place]
        return None

    def _first(self, change: str, phase: Phase) -> tuple[Facts, PlacedStep] | None:
        for release in self.declared:
            step = release.placed(change, phase)
            if step is not None:
                return release, step
        return None

    def _user_place(self, at: int, change: str) -> Place:
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


def promises_of(releases: Sequence[Facts], rollout: RolloutPolicy, skew: int) -> Promises:
    """The promises of releases, which stand in version order."""
    chain = chain_of([release.link for release in releases], rollout, skew)
    return Promises(declared=releases, derivation=Derivation(chain))


def _before(point: int | Version, oldest: int | Version | None) -> bool:
    """Whether a derived window that begins at `oldest`, or nowhere, leaves out the point."""
    if oldest is None:
        return True
    if isinstance(point, Version) or isinstance(oldest, Version):
        return isinstance(point, Version) and point < oldest
    return point < oldest


def _narrow(
    window: Window[Point], widest: Point | None, points: Sequence[Point], place: Place
) -> Iterator[Problem]:
    """A hint where a counterpart of the chain is left out for no reason."""
    if widest is None or not widest < window.oldest:
        return
    if any(not point < widest and point < window.oldest for point in points):
        yield Complaint(
            Code.WINDOW_COULD_BE_WIDER,
            f"the window '{window}' could begin at '>= {widest}': all that lies between fits",
            f"write '>= {widest}' to promise it, or leave the window as it is",
        ).at(place)
