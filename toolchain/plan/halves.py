"""The two packages of a release: the server half and the database half."""

from collections.abc import Iterable
from dataclasses import replace

from toolchain.model.relation import Relation, RelationKind
from toolchain.model.release import Architecture, Format, Product, Release
from toolchain.plan.directories import own_directories
from toolchain.plan.entry import Entry, File
from toolchain.plan.handshake import release_json
from toolchain.plan.manifest import SqlReader, database_files
from toolchain.plan.package import ChangelogEntry, Package, Role
from toolchain.plan.payload import Listing, payload_entries
from toolchain.plan.relations import database_relations, server_relations

_RUNNER_NEEDS = ("python3", "python3-psycopg2")


def server_package(
    product: Product, release: Release, architecture: Architecture, listing: Listing
) -> Package:
    """The server half; raises SpecError when a binary is for another architecture."""
    name, server = product.server_package, release.server
    handshake = File(path=f"/usr/share/{name}/release.json", content=release_json(product, release))
    entries = payload_entries(name, release, architecture, listing)
    systemd = ("systemd",) if server.services or server.users or server.directories else ()
    added = (*systemd, *(_RUNNER_NEEDS if server.services else ()))
    return replace(
        _half(product, release, Role.SERVER, name, [*entries, handshake]),
        architecture=architecture,
        relations=server_relations(product, release),
        depends=_depends(dict(server.depends), added),
        services=server.services,
        dropped=_dropped(product, release),
        commands=tuple((item.service, item.target) for item in server.binaries if item.service),
        users=server.users,
        state=server.directories,
        dnf_plugin=f"/usr/lib/{name}/dnf_plugin.py" if server.services else "",
    )


def database_package(product: Product, release: Release, read: SqlReader) -> Package:
    """The database half: the phases of the chain up to this release, and their runner."""
    entries = database_files(product, release, read)
    return replace(
        _half(product, release, Role.DATABASE, product.database_package, entries),
        relations=database_relations(product, release),
        depends=_depends({}, _RUNNER_NEEDS),
    )


def _half(
    product: Product, release: Release, role: Role, name: str, entries: Iterable[Entry]
) -> Package:
    """What the halves of a pair have in common, without relations."""
    inside = list(entries)
    return Package(
        product=product.name,
        role=role,
        name=name,
        version=release.version.packaged,
        revision=release.revision,
        architecture=Architecture.ALL,
        summary=f"{product.summary} - {role.value}",
        description=product.description,
        maintainer=product.maintainer,
        homepage=product.homepage,
        licence=product.licence,
        copyright=product.copyright,
        protect=product.protect,
        date=release.date,
        relations=(),
        depends=dict.fromkeys(Format, ()),
        entries=(*inside, *own_directories(inside)),
        changelog=_changelog(product, release),
        handshake=release_json(product, release).decode().rstrip(),
    )


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
