"""One package of a pair: its identity, relations and contents, the same for deb and rpm."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from pathlib import PurePosixPath

from toolchain.errors import SpecError
from toolchain.model.relation import Relation, RelationKind
from toolchain.model.release import (
    Architecture,
    Format,
    PayloadFile,
    Product,
    Release,
    Service,
    Source,
    StateDirectory,
    User,
)
from toolchain.plan.directories import own_directories
from toolchain.plan.entry import Directory, Entry, EntryKind, File, Link, Listed, Payload
from toolchain.plan.handshake import release_json
from toolchain.plan.manifest import SqlReader, database_files
from toolchain.plan.relations import database_relations, server_relations

_RUNNER_NEEDS = ("python3", "python3-psycopg2")

Listing = Callable[[str], tuple[Listed, ...]]


class Role(Enum):
    """Which half of the pair a package is, or what leads a customer's host to both."""

    SERVER = "server"
    DATABASE = "database"
    REPOSITORY = "repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangelogEntry:
    """The changelog lines of one release."""

    version: str
    date: date
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """All that a format needs to write the package; relations of dependencies differ by format.

    `dnf_plugin` is the path of a file in the package that dnf 4 loads as a plugin.
    """

    product: str
    role: Role
    name: str
    version: str
    revision: int
    architecture: Architecture
    summary: str
    description: str
    maintainer: str
    homepage: str
    licence: str
    copyright: str
    protect: bool
    date: date
    relations: tuple[Relation, ...]
    depends: dict[Format, tuple[Relation, ...]]
    entries: tuple[Entry, ...]
    services: tuple[Service, ...]
    dropped: tuple[str, ...]
    commands: tuple[tuple[Service, str], ...]
    users: tuple[User, ...]
    state: tuple[StateDirectory, ...]
    changelog: tuple[ChangelogEntry, ...]
    handshake: str
    dnf_plugin: str = ""

    @property
    def epoch(self) -> int:
        """Midnight UTC of the release's date, in seconds: the only time in the package."""
        return int(datetime.combine(self.date, time(), UTC).timestamp())

    @property
    def full_version(self) -> str:
        """Version and revision, as both formats write them."""
        return f"{self.version}-{self.revision}"

    def all_relations(self, format_: Format) -> tuple[Relation, ...]:
        """The law's relations and the dependencies of one format."""
        return (*self.relations, *self.depends[format_])


def _wrong_machine(source: Source, listed: Listed, architecture: Architecture) -> SpecError:
    name = f"{source.path(architecture)}/{listed.path}".rstrip("/")
    return SpecError(
        f"{source.origin}: {name} is a binary for {listed.machine}, "
        f"and the package is for {architecture.value}",
        "give `source` one path for each architecture, and the target those architectures",
    )


def _payload(item: PayloadFile, architecture: Architecture, listing: Listing) -> list[Entry]:
    root = item.source.path(architecture)
    entries: list[Entry] = []
    for listed in listing(root):
        if listed.machine is not None and listed.machine != architecture.value:
            raise _wrong_machine(item.source, listed, architecture)
        path = str(PurePosixPath(item.target, listed.path))
        if listed.is_directory:
            entries.append(Directory(path=path))
        elif listed.link is not None:
            entries.append(Link(path=path, to=listed.link))
        else:
            mode = 0o755 if listed.executable else 0o644
            content = Payload(str(PurePosixPath(root, listed.path)))
            entries.append(File(path=path, content=content, mode=item.mode or mode))
    return entries


def _documents(package: str, release: Release, architecture: Architecture) -> list[Entry]:
    entries: list[Entry] = []
    for source in release.server.documents:
        path = source.path(architecture)
        target = f"/usr/share/doc/{package}/{PurePosixPath(path).name}"
        kind = EntryKind.DOCUMENT
        entries.append(File(path=target, content=Payload(path), kind=kind))
    for source in release.server.manuals:
        path = source.path(architecture)
        name = PurePosixPath(path).name
        target = f"/usr/share/man/man{name.rpartition('.')[2]}/{name}.gz"
        kind = EntryKind.DOCUMENT
        entries.append(File(path=target, content=Payload(path), kind=kind, gzip=True))
    return entries


def _dropped(product: Product, release: Release) -> tuple[str, ...]:
    """Services that a release which a host may come from ran, and this one does not.

    A hotfix on an older branch is such a release too, though this one was not built upon it.
    """
    kept = {service.name for service in release.server.services}
    earlier = {
        service.name
        for past in product.releases
        if past.version < release.version and past.date <= release.date
        for service in past.server.services
    }
    return tuple(sorted(earlier - kept))


def _changelog(product: Product, release: Release) -> tuple[ChangelogEntry, ...]:
    return tuple(
        ChangelogEntry(
            version=f"{past.version.packaged}-{past.revision}",
            date=past.date,
            lines=past.changelog,
        )
        for past in reversed(product.history(release))
    )


def _depends(
    declared: dict[Format, tuple[Relation, ...]], added: tuple[str, ...]
) -> dict[Format, tuple[Relation, ...]]:
    result = {}
    for format_ in Format:
        relations = declared.get(format_, ())
        names = {relation.name for relation in relations}
        result[format_] = relations + tuple(
            Relation(kind=RelationKind.DEPENDS, name=name) for name in added if name not in names
        )
    return result


def _file(path: str, content: bytes) -> Entry:
    return File(path=path, content=content)


def server_package(
    product: Product, release: Release, architecture: Architecture, listing: Listing
) -> Package:
    """The server half; raises SpecError when a binary is for another architecture."""
    name, server = product.server_package, release.server
    entries: list[Entry] = [
        entry
        for item in (*server.binaries, *server.files)
        for entry in _payload(item, architecture, listing)
    ]
    entries += [
        File(
            path=config.target,
            content=Payload(config.source.path(architecture)),
            mode=config.mode,
            kind=EntryKind.CONFIG,
            group=config.group,
        )
        for config in server.config
    ]
    entries += _documents(name, release, architecture)
    entries.append(_file(f"/usr/share/{name}/release.json", release_json(product, release)))
    added: tuple[str, ...] = (
        ("systemd",) if server.services or server.users or server.directories else ()
    )
    added += _RUNNER_NEEDS if server.services else ()
    return Package(
        product=product.name,
        role=Role.SERVER,
        name=name,
        version=release.version.packaged,
        revision=release.revision,
        architecture=architecture,
        summary=f"{product.summary} - server",
        description=product.description,
        maintainer=product.maintainer,
        homepage=product.homepage,
        licence=product.licence,
        copyright=product.copyright,
        protect=product.protect,
        date=release.date,
        relations=server_relations(product, release),
        depends=_depends(dict(server.depends), added),
        entries=tuple(entries + own_directories(entries)),
        services=server.services,
        dropped=_dropped(product, release),
        commands=tuple((item.service, item.target) for item in server.binaries if item.service),
        users=server.users,
        state=server.directories,
        changelog=_changelog(product, release),
        handshake=release_json(product, release).decode().rstrip(),
        dnf_plugin=f"/usr/lib/{name}/dnf_plugin.py" if server.services else "",
    )


def database_package(product: Product, release: Release, read: SqlReader) -> Package:
    """The database half: the phases of the chain up to this release, and their runner."""
    name = product.database_package
    entries: list[Entry] = [*database_files(product, release, read)]
    return Package(
        product=product.name,
        role=Role.DATABASE,
        name=name,
        version=release.version.packaged,
        revision=release.revision,
        architecture=Architecture.ALL,
        summary=f"{product.summary} - database",
        description=product.description,
        maintainer=product.maintainer,
        homepage=product.homepage,
        licence=product.licence,
        copyright=product.copyright,
        protect=product.protect,
        date=release.date,
        relations=database_relations(product, release),
        depends=_depends({}, _RUNNER_NEEDS),
        entries=tuple(entries + own_directories(entries)),
        services=(),
        dropped=(),
        commands=(),
        users=(),
        state=(),
        changelog=_changelog(product, release),
        handshake=release_json(product, release).decode().rstrip(),
    )
