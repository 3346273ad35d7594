"""Specs against what is published: a package that customers have cannot say anything else.

A release whose package is published keeps its windows, its schema and its steps. A new release has
to fit the published ones as they are, so what does not fit is the new release's problem.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from toolchain.model.origin import Origin
from toolchain.model.published import Published
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.spec.codes import Code
from toolchain.spec.facts import Facts
from toolchain.spec.problem import Complaint, Place, Problem, Related

Checksums = Mapping[str, str]


@dataclass(frozen=True)
class Shelf:
    """All that is published of a product, in the order of versions and files."""

    packages: Sequence[Published] = ()

    @classmethod
    def of(cls, packages: Iterable[Published]) -> "Shelf":
        """The packages in whatever order they come."""
        return cls(sorted(packages, key=lambda package: (package.version, package.file)))

    @property
    def versions(self) -> frozenset[Version]:
        """The releases of which a package is published."""
        return frozenset(package.version for package in self.packages)

    def differences(
        self, releases: Sequence[Facts], checksums: Mapping[Version, Checksums]
    ) -> Iterator[Problem]:
        """What specs say now and their published packages do not.

        `checksums` holds the SHA-256 of each release's steps by id, as its SQL files are now.
        """
        known = {release.version: release for release in releases}
        found: dict[tuple[Origin, str], Problem] = {}
        for package in self.packages:
            release = known.get(package.version)
            if release is None:
                continue
            steps = _steps(package, release, checksums.get(release.version, {}))
            for problem in (*_half(package, release), *steps):
                # A deb and an rpm of one release say one thing.
                key = problem.origin, problem.message
                first = found.setdefault(key, problem)
                if first is not problem:
                    related = (*first.related, *problem.related)
                    found[key] = replace(first, related=related)
        yield from found.values()

    def contradictions(self) -> Iterator[Problem]:
        """Packages of one release that say different things: no spec can agree with both."""
        first: dict[tuple[Version, bool], Published] = {}
        for package in self.packages:
            known = first.setdefault((package.version, package.server is not None), package)
            if not _agree(known, package):
                yield Complaint(
                    Code.PUBLISHED_DIFFERS,
                    f"two packages of {package.version} are published that do not say the same",
                    "withdraw the wrong one",
                ).at(
                    Place(Origin(file=package.file)),
                    Related(origin=Origin(file=known.file), message="the other package"),
                )

    def applied(self, releases: Sequence[Facts]) -> tuple[Facts, ...]:
        """The releases with the windows that their published packages say, whatever specs say."""
        if not self.packages:
            return tuple(releases)
        found = {release.version: release for release in releases}
        for package in self.packages:
            release = found.get(package.version)
            if release is None:
                continue
            if package.server is not None:
                peers = package.server.peers or release.peers
                release = replace(release, schemas=package.server.schemas, peers=peers)
            if package.database is not None:
                release = replace(release, servers=package.database.servers)
            found[package.version] = release
        return tuple(found[release.version] for release in releases)

    def without_specs(self, releases: Sequence[Facts]) -> tuple[Facts, ...]:
        """Published releases whose specs are gone, as far as their packages tell."""
        known = {release.version for release in releases}
        gone = sorted(self.versions - known)
        found = (self._facts(version, releases) for version in gone)
        return tuple(facts for facts in found if facts is not None)

    def _facts(self, version: Version, releases: Sequence[Facts]) -> Facts | None:
        own = [package for package in self.packages if package.version == version]
        server = next(((each, each.server) for each in own if each.server), None)
        database = next(((each, each.database) for each in own if each.database), None)
        if server is None or database is None:
            return None  # half a pair never meets anything that this half could speak of
        server_place, database_place = (
            Place(Origin(file=package.file)) for package in (server[0], database[0])
        )
        later = [release.date for release in releases if release.version > version]
        return Facts(
            file=server[0].file,
            version=version,
            version_place=server_place,
            # The day is not told; before every later version is what matters.
            date=min(later, default=date.max),
            date_place=server_place,
            withdrawn=None,
            schema=database[1].schema,
            schema_place=database_place,
            packaged=True,
            steps=(),
            forms={},
            schemas=server[1].schemas,
            schemas_declared=True,
            schemas_place=server_place,
            peers=server[1].peers or Window(Version(0, 0, 0)),
            peers_place=server_place,
            servers=database[1].servers,
            servers_declared=True,
            servers_place=database_place,
        )


NOTHING_PUBLISHED = Shelf()


def blame_the_newer(
    problem: Problem, owner: Facts, other: Facts, published: frozenset[Version]
) -> Problem:
    """A problem of a published window, told at the release that can still be changed."""
    if owner.version not in published or other.version in published:
        return problem
    return replace(
        problem,
        code=Code.PUBLISHED_WINDOW,
        origin=other.version_place.origin,
        path=other.version_place.path,
        message=f"{other.version} needs another window of {owner.version}, which is published:"
        f" {problem.message}",
        cure=f"keep {other.version} within it, or release a version between the two that fits both",
        related=(Related(origin=problem.origin, message=f"the window of {owner.version}"),),
    )


def _agree(one: Published, other: Published) -> bool:
    """Whether two packages of one half say the same; what either does not tell is no difference."""
    if one.server is not None and other.server is not None:
        peers = {one.server.peers, other.server.peers} - {None}
        return one.server.schemas == other.server.schemas and len(peers) < 2
    if one.database is not None and other.database is not None:
        mine, theirs = one.database, other.database
        steps = mine.steps is None or theirs.steps is None or mine.steps == theirs.steps
        return (mine.schema, mine.servers) == (theirs.schema, theirs.servers) and steps
    return True


def _half(package: Published, release: Facts) -> Iterator[Problem]:
    server, database = package.server, package.database
    if server is not None:
        if server.schemas != release.schemas:
            key, declared = "compatibility.server.schema", release.schemas_declared
            place = release.schemas_place
            yield _differs(package, key, server.schemas, release.schemas, place, declared=declared)
        if server.peers is not None and server.peers != release.peers:
            key = "compatibility.server.peers"
            yield _differs(package, key, server.peers, release.peers, release.peers_place)
    if database is not None:
        if not release.packaged:
            yield Complaint(
                Code.PUBLISHED_DIFFERS,
                f"{package.version} is published with a database package, and the spec leaves it"
                " out",
                "take 'package: false' out",
            ).at(release.schema_place, _package(package))
            return
        if database.schema != release.schema:
            key = "schema.version"
            yield _differs(package, key, database.schema, release.schema, release.schema_place)
        if database.servers != release.servers:
            key, declared = "compatibility.database.servers", release.servers_declared
            place = release.servers_place
            yield _differs(
                package, key, database.servers, release.servers, place, declared=declared
            )


def _differs(
    package: Published, key: str, said: object, now: object, place: Place, *, declared: bool = True
) -> Problem:
    spec = f"the spec says '{now}'" if declared else f"'{now}' follows from the specs"
    return Complaint(
        Code.PUBLISHED_DIFFERS,
        f"{package.version} is published with {key} '{said}', and {spec}",
        f"write '{said}' as {key}: what customers have cannot be changed, a new release can differ",
    ).at(place, _package(package))


def _package(package: Published) -> Related:
    return Related(origin=Origin(file=package.file), message="the published package")


def _steps(package: Published, release: Facts, now: Checksums) -> Iterator[Problem]:
    if package.database is None or package.database.steps is None:
        return
    said = package.database.steps
    related = _package(package)
    for placed in release.steps:
        ident = placed.step.id
        if ident not in said:
            yield Complaint(
                Code.PUBLISHED_STEP,
                f"{package.version} is published without the step {ident}",
                "move it to a new release: shards at this one never run it",
            ).at(placed.place, related)
        elif ident in now and said[ident] != now[ident]:
            yield Complaint(
                Code.PUBLISHED_STEP,
                f"the step {ident} is published with other SQL (checksum {said[ident][:12]},"
                f" here {now[ident][:12]})",
                "restore its SQL, or what it declares, and write the difference as a new change",
            ).at(placed.place, related)
    own = {placed.step.id for placed in release.steps}
    for ident in sorted(set(said) - own):
        yield Complaint(
            Code.PUBLISHED_STEP,
            f"{package.version} is published with the step {ident}, which the spec lacks",
            "restore the step: shards at this release have run it",
        ).at(release.schema_place, related)
