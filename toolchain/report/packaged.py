"""Built packages in a report: rows for their releases, and what they say of pairs."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolchain.matrix.views import Verdicts
from toolchain.model.carried import PackageFile
from toolchain.model.law import compatible
from toolchain.model.release import Architecture, Format, Product, Release
from toolchain.model.version import Version
from toolchain.plan.halves import database_package, server_package
from toolchain.plan.manifest import SqlText
from toolchain.plan.packaged_handshake import HandshakeError, read_handshake, release_of
from toolchain.render.report.content import Fact, PackageRow, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaged:
    """Package files, whether a solver lets each pair of them stand on one host, and findings.

    `pairs` is by server and database release; `findings` are sentences about files.
    """

    files: tuple[PackageFile, ...]
    pairs: Mapping[tuple[Version, Version], Mapping[Format, bool]]
    findings: tuple[str, ...] = ()


def packages_anchor(server: Version) -> str:
    """The reason why packages of a server say something else than its spec."""
    return f"reason-packages-{server}"


def package_verdicts(product: Product, packaged: Packaged) -> Verdicts:
    """What the packages say of a server and a shard at a release.

    Formats that say different things say something else than the law, whatever that is.
    """
    found = {}
    carriers = {release.version: _carrier(product, release) for release in product.releases}
    for server in product.releases:
        for release in product.releases:
            said = packaged.pairs.get((server.version, carriers[release.version]), {}).values()
            law = compatible(server.server_handshake, release.shard_handshake)
            if said:
                found[server.version, release.version] = (
                    law if all(fits is law for fits in said) else not law
                )
    return found


def package_reasons(product: Product, packaged: Packaged) -> Iterator[Reason]:
    """For each server whose packages say something else than the specs: with which databases."""
    for server in product.releases:
        facts = []
        for release in product.releases:
            law = compatible(server.server_handshake, release.shard_handshake)
            said = packaged.pairs.get((server.version, release.version), {})
            other = sorted(format_.value for format_, fits in said.items() if fits is not law)
            if other:
                verb = "refuse each other" if law else "install together"
                facts.append(
                    Fact(
                        sentence=f"The {' and '.join(other)} packages of server {server.version}"
                        f" and database {release.version} {verb}, and the specs"
                        f" {'accept' if law else 'refuse'} the pair."
                    )
                )
        if facts:
            yield Reason(
                anchor=packages_anchor(server.version),
                heading=f"What the packages of server {server.version} say otherwise",
                facts=tuple(facts),
            )


def _carrier(product: Product, release: Release) -> Version:
    """The release whose database package a shard at this release has."""
    past = reversed(product.history(release))
    return next((one.version for one in past if one.database.packaged), release.version)


def package_rows(
    product: Product, release: Release, files: Sequence[PackageFile]
) -> tuple[PackageRow, ...]:
    """The packages of a release as they were built; as planned where there are none."""
    names = product.server_package, product.database_package
    built = [
        file for file in files if file.name in names and release_of(file.version) == release.version
    ]
    if not built:
        return tuple(_planned(product, release))
    ordered = sorted(built, key=lambda file: (names.index(file.name), file.file_name))
    return tuple(
        PackageRow(
            name=file.file_name,
            size=file.size,
            sha256=file.sha256,
            relations=tuple(map(str, file.relations)),
            says=_says(release, file),
        )
        for file in ordered
    )


def _planned(product: Product, release: Release) -> Iterator[PackageRow]:
    """Relations follow from the spec alone; payloads and SQL need not be read for them."""
    empty = SqlText(content=b"", sha256="", statements=())
    packages = [server_package(product, release, Architecture.ALL, lambda _: ())]
    if release.database.packaged:
        packages.append(database_package(product, release, lambda _: empty))
    for package in packages:
        found: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for target in product.targets:
            relations = tuple(str(one) for one in package.all_relations(target.format))
            found[relations].append(target.format.value)
        for relations, formats in found.items():
            yield PackageRow(
                name=f"{package.name} {package.version}-{package.revision}: {', '.join(formats)}",
                size=0,
                sha256="",
                relations=relations,
            )


def _says(release: Release, file: PackageFile) -> str:
    """The windows of a package's own release.json, where they are not those of the spec."""
    if file.handshake is None:
        return "It carries no release.json."
    try:
        _, server, shard = read_handshake(json.loads(file.handshake))
    except (HandshakeError, ValueError, RecursionError):
        return "Its release.json can't be read."
    if (server, shard) == (release.server_handshake, release.shard_handshake):
        return ""
    return (
        f"Its release.json says other windows than the spec: schemas {server.schemas}, servers"
        f" beside it {server.peers}, schema {shard.schema} for servers {shard.servers}."
    )
