"""Package files to cases: which product, which half, which law; pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from toolchain.errors import UsageError
from toolchain.model.carried import PackageFile
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.release import Format, Product
from toolchain.model.version import Version
from toolchain.plan.rollout.world.facts import chain_of
from toolchain.verify.finding import Finding, Kind
from toolchain.verify.foreign import (
    distinct,
    foreign_findings,
    provides_findings,
    stand_in_findings,
)
from toolchain.verify.halves import Case, DatabaseHalf, Names, ServerHalf
from toolchain.verify.law import HandshakeError, read_handshake, release_in, release_of
from toolchain.verify.states import line_of, shard_states

_ANY_MACHINE = ("all", "noarch")
_REBUILD = "build it again from its spec"


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """What is known of a package's release, and whether its own handshake says it."""

    server: ServerHandshake
    shard: ShardHandshake


@dataclass(slots=True, kw_only=True)
class Gathered:
    """Cases to ask about, and what was found on the way to them."""

    cases: list[Case] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def case_like(self, other: Case) -> Case | None:
        """The case of the same product, format and architecture, if there is one."""
        place = other.names, other.format, other.architecture
        found = (one for one in self.cases if (one.names, one.format, one.architecture) == place)
        return next(found, None)


def gather(
    files: Sequence[PackageFile], product: Product | None = None, names: Names | None = None
) -> Gathered:
    """Sort packages into cases; raises UsageError where there is no law or no pair.

    With `product`, its specs are the law. Without, each product is judged by the handshakes that
    its own packages carry.
    """
    kept, doubled = distinct(files)
    result = Gathered(findings=list(doubled))
    named = names or (Names.usual(product.name) if product is not None else None)
    found = [named] if named is not None else list(_products(kept))
    if not found:
        raise UsageError(
            "no package here says what it fits: none carries a release.json",
            "name the specs with --product, and other names with --server, --database, --schema",
        )
    for one in found:
        _gather_product(kept, one, product, result)
    return result


def _products(files: Sequence[PackageFile]) -> Iterator[Names]:
    """The products whose server or database packages carry a handshake."""
    seen: dict[str, Names] = {}
    for file in files:
        if file.handshake is None:
            continue
        for half in ("-server", "-database"):
            if file.name.endswith(half):
                names = Names.usual(file.name.removesuffix(half))
                seen.setdefault(names.product, names)
    yield from (seen[name] for name in sorted(seen))


def _gather_product(
    files: Sequence[PackageFile], names: Names, product: Product | None, result: Gathered
) -> None:
    halves = {names.server_package, names.database_package}
    ours = [file for file in files if file.name in halves]
    shards = [file for file in files if names.is_shard(file.name)]
    others = [file for file in files if file.name not in halves and not names.is_shard(file.name)]
    if not ours:
        raise UsageError(
            f"no package here is called {' or '.join(sorted(halves))}",
            "name the product of these packages, or their names with --server and --database",
        )
    for file in (*ours, *shards):
        result.findings += provides_findings(names, file)
        result.findings += stand_in_findings(file)
    for file in others:
        result.findings += foreign_findings(names, file)
    known: dict[str, Says] = {}
    for file in ours:
        try:
            known[file.path] = _says(file, names, product)
        except HandshakeError as error:
            result.findings.append(
                Finding(
                    kind=Kind.HANDSHAKE, files=(file.path,), what=str(error), cure=_no_law(product)
                )
            )
    result.findings += _contradictions(ours, known)
    if product is not None and product.protect:
        result.findings += (_unprotected(file) for file in ours if not file.protected)
    states = _states(ours, known, names, product)
    for format_ in Format:
        mine = [file for file in ours if file.format is format_ and file.path in known]
        strangers = tuple(file for file in others if file.format is format_)
        for architecture in _machines(mine):
            fitting = [one for one in mine if one.architecture in (architecture, *_ANY_MACHINE)]
            case = _case(names, format_, architecture, fitting, known, states, strangers)
            _require_pair(case, product)
            result.cases.append(case)


def _no_law(product: Product | None) -> str:
    if product is not None:
        return f"{_REBUILD}, or take it out"
    return f"{_REBUILD}, or name the specs with --product"


def _says(file: PackageFile, names: Names, product: Product | None) -> Says:
    """The law for one package; raises HandshakeError with a sentence."""
    own: Says | None = None
    if file.handshake is not None:
        name, own = _read(file.handshake)
        if name != names.product:
            raise HandshakeError(f"its release.json is of the product {name}")
        if release_of(file.version) != own.server.version:
            raise HandshakeError(
                f"its version is {file.version} and its release.json is of {own.server.version}"
            )
    if product is not None:
        release = release_in(product, file.version)
        if release is None:
            raise HandshakeError(f"{product.name} has no release for its version {file.version}")
        spec = Says(server=release.server_handshake, shard=release.shard_handshake)
        if own is not None and own != spec:
            raise HandshakeError("its release.json says other windows than its spec")
        return spec
    if own is None:
        raise HandshakeError("carries no release.json, so nothing says what it fits")
    return own


# All packages of a release carry the same bytes, and those of a repository are asked twice: with
# what is new and without.
@lru_cache(maxsize=4096)
def _read(handshake: bytes) -> tuple[str, Says]:
    """A release.json's product, and what it says; raises HandshakeError."""
    try:
        document = json.loads(handshake)
    except (ValueError, RecursionError) as error:
        raise HandshakeError("its release.json is not JSON") from error
    name, server, shard = read_handshake(document)
    return name, Says(server=server, shard=shard)


def _contradictions(ours: Sequence[PackageFile], known: dict[str, Says]) -> Iterator[Finding]:
    """Packages of one release whose handshakes are not the same."""
    first: dict[Version, PackageFile] = {}
    for file in ours:
        says = known.get(file.path)
        if says is None:
            continue
        other = first.setdefault(says.server.version, file)
        if known[other.path] != says:
            yield Finding(
                kind=Kind.HANDSHAKE,
                files=(file.path, other.path),
                what=f"both are of release {says.server.version}, with different windows",
                cure="build both again from one spec",
            )


def _unprotected(file: PackageFile) -> Finding:
    how = "'Protected: yes'" if file.format is Format.DEB else "a file in /etc/dnf/protected.d"
    return Finding(
        kind=Kind.PROTECTION,
        files=(file.path,),
        what=f"is not protected: it lacks {how}, and a solver may remove it to please another",
        cure=_REBUILD,
    )


def _states(
    ours: Sequence[PackageFile], known: dict[str, Says], names: Names, product: Product | None
) -> tuple[ShardHandshake, ...]:
    if product is not None:
        return shard_states(chain_of(product))
    databases = {
        known[file.path].server.version: (known[file.path].server, known[file.path].shard)
        for file in ours
        if file.name == names.database_package and file.path in known
    }
    return shard_states(line_of(databases))


def _machines(files: Sequence[PackageFile]) -> tuple[str, ...]:
    every = {file.architecture for file in files}
    return tuple(sorted(every - set(_ANY_MACHINE))) or tuple(sorted(every))


def _case(
    names: Names,
    format_: Format,
    architecture: str,
    files: Sequence[PackageFile],
    known: dict[str, Says],
    states: tuple[ShardHandshake, ...],
    others: tuple[PackageFile, ...],
) -> Case:
    servers = [
        ServerHalf(file=file, says=known[file.path].server)
        for file in files
        if file.name == names.server_package
    ]
    databases = [
        DatabaseHalf(
            file=file, release=known[file.path].server.version, says=known[file.path].shard
        )
        for file in files
        if file.name == names.database_package
    ]
    return Case(
        names=names,
        format=format_,
        architecture=architecture,
        servers=tuple(sorted(servers, key=lambda half: (half.release, half.file.version))),
        databases=tuple(sorted(databases, key=lambda half: (half.release, half.file.version))),
        states=states,
        others=others,
    )


def _require_pair(case: Case, product: Product | None) -> None:
    """A half alone has nothing to be compared with, unless the specs know the other."""
    if case.servers and (case.databases or product is not None):
        return
    (there, missing) = (case.servers, "database") if case.servers else (case.databases, "server")
    raise UsageError(
        f"{there[0].file.file_name} stands alone: no {case.format.value} {missing} package of "
        f"{case.names.product} is here to be asked about",
        f"name the {missing} packages too"
        + ("" if product or missing == "server" else ", or the specs with --product"),
    )
