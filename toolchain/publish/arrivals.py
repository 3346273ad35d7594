"""Packages at the door: which are new, and which have no business here."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolchain.errors import RefusedError, UsageError
from toolchain.model.carried import PackageFile
from toolchain.model.release import Format
from toolchain.plan.packaged_handshake import HandshakeError, read_handshake, release_of
from toolchain.plan.repository.layout import package_name
from toolchain.publish.record import Record
from toolchain.publish.state import State
from toolchain.render.apt_index import stanza

_HALVES = ("-server", "-database")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A package that was handed in; `known` is what was published of it before.

    `release` is the product's release that it belongs to, None for a package of another name.
    """

    file: PackageFile
    release: str | None
    known: Record | None


def product_of(files: Sequence[PackageFile], known: str | None) -> str:
    """The one product of a repository; raises UsageError, RefusedError where there are two."""
    found = sorted({name for file in files for name in _products(file)})
    if known is None and len(found) == 1:
        return found[0]
    if known is None and not found:
        raise UsageError(
            "no package here belongs to a product: none carries a release.json",
            "name server and database packages that Interlock built",
        )
    others = [name for name in found if name != known]
    if known is None or others:
        listed = " and ".join(found if known is None else [known, *others])
        raise RefusedError(
            f"a repository holds one product, and these are of {listed}",
            "give each product a repository of its own",
        )
    return known


def _products(file: PackageFile) -> Iterator[str]:
    """The product that a package belongs to by its own words."""
    if file.handshake is None:
        return
    try:
        product, server, _ = read_handshake(json.loads(file.handshake))
    except (HandshakeError, ValueError, RecursionError) as error:
        raise UsageError(f"{file.path}: {error}", "build it again from its spec") from error
    if file.name not in {f"{product}{half}" for half in _HALVES}:
        raise RefusedError(
            f"{file.path} is called {file.name} and carries the release.json of {product}",
            "build it again from its spec",
        )
    if release_of(file.version) != server.version:
        raise RefusedError(
            f"{file.path} is version {file.version} and carries the release.json of "
            f"{server.version}",
            "build it again from its spec",
        )
    yield product


def arrivals(
    state: State, files: Sequence[PackageFile], product: str, allowed: frozenset[str]
) -> tuple[Arrival, ...]:
    """Look at everything before anything is done.

    `allowed` are names of other packages that may come in. Raises RefusedError.
    """
    found: dict[tuple[Format, str, str, str], Arrival] = {}
    for file in files:
        _require_name(file, product, allowed)
        arrival = Arrival(
            file=file,
            release=_release(file, product),
            known=_frozen(file, state.packages.find(file)),
        )
        key = file.format, file.name, file.version, file.architecture
        first = found.setdefault(key, arrival)
        if first.file.sha256 != file.sha256:
            raise RefusedError(
                f"{first.file.path} and {file.path} are both {file.name} {file.version}, with the "
                f"digests {first.file.sha256} and {file.sha256}",
                "keep the one that is right",
            )
    return tuple(found.values())


def _release(file: PackageFile, product: str) -> str | None:
    if file.name not in {f"{product}{half}" for half in _HALVES}:
        return None
    version = release_of(file.version)
    if file.handshake is None or version is None:
        raise RefusedError(
            f"{file.path} carries no release.json, so nothing says what it fits",
            "build it with interlock build",
        )
    return str(version)


def _require_name(file: PackageFile, product: str, allowed: frozenset[str]) -> None:
    try:
        package_name(file)
        if file.format is Format.DEB:
            stanza(file, "x")
    except ValueError as error:
        raise RefusedError(f"{file.path}: {error}", "build it again") from error
    if file.name.startswith(f"{product}-shard-"):
        raise RefusedError(
            f"{file.path} stands for a shard: such a package is made on a customer's host, and one "
            "from a repository would say of a shard what is not so",
            f"take it out, or name it otherwise than {product}-shard-*",
        )
    if file.name == f"{product}-repository":
        raise RefusedError(
            f"{file.path} has the name of the package that sets clients up, which publish makes",
            "take it out",
        )
    if file.name in allowed or file.name in {f"{product}{half}" for half in _HALVES}:
        return
    raise RefusedError(
        f"{file.path} is {file.name}, no package of {product}",
        f"take it out, or let it in with --allow {file.name}",
    )


def _frozen(file: PackageFile, known: Record | None) -> Record | None:
    """What is published stays as it is: another digest is refused, the same one is no news.

    An rpm is known by what was built, before its signature, and by what was published.
    """
    if known is None:
        return None
    if file.sha256 not in (known.built, known.file.sha256):
        raise RefusedError(
            f"{file.name} {file.version} ({file.architecture} {file.format.value}) is published "
            f"with the digest {known.built}, and {file.path} has {file.sha256}",
            "what customers have cannot be changed: raise the release's revision or version",
        )
    if known.gone is not None:
        raise RefusedError(
            f"{file.name} {file.version} was pruned and does not come back",
            "raise the release's revision or version",
        )
    return known
