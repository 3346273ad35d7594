"""What a repository's packages promise, read out of their relations: facts for the specs' check."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from toolchain.edge.package_payload import PayloadError, payload_files
from toolchain.edge.process import Processes
from toolchain.errors import UsageError
from toolchain.model.carried import Carried, Field, PackageFile
from toolchain.model.published import Published, PublishedDatabase, PublishedServer
from toolchain.model.relation import Operator
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.verify.halves import Names, Report
from toolchain.verify.intake import package_paths, read_packages
from toolchain.verify.law import HandshakeError, read_handshake, release_of

Bound = TypeVar("Bound", int, Version)
# In bytes; a manifest names every step of a product's history, and the SQL lies beside it.
_LONGEST_MANIFEST = 64 << 20
_VERIFY = "see what it is with 'interlock verify', and publish it anew"


def read_published(
    repository: Path, product: str, processes: Processes, report: Report
) -> tuple[Published, ...]:
    """A product's server and database packages below a directory.

    Raises UsageError where there is none, and on a damaged one.
    """
    names = Names.usual(product)
    files = read_packages(package_paths([repository]), processes, report)
    halves = {names.server_package, names.database_package}
    found = tuple(_published(file, names, processes) for file in files if file.name in halves)
    if not found:
        raise UsageError(
            f"{repository} holds no package of {product}", "name the one that customers use"
        )
    return found


def _published(file: PackageFile, names: Names, processes: Processes) -> Published:
    version = release_of(file.version)
    if version is None:
        raise UsageError(f"{file.path} has the version {file.version}, no release's", _VERIFY)
    is_server = file.name == names.server_package
    return Published(
        product=names.product,
        version=version,
        file=file.path,
        server=_server(file, names) if is_server else None,
        database=None if is_server else _database(file, names, version, processes),
    )


def _server(file: PackageFile, names: Names) -> PublishedServer:
    return PublishedServer(
        schemas=_window(file, names.schema_package, _schema, 0), peers=_peers(file)
    )


def _peers(file: PackageFile) -> Window[Version] | None:
    """The one window that no relation carries: it is between hosts, in the handshake alone."""
    if file.handshake is None:
        return None
    try:
        return read_handshake(json.loads(file.handshake))[1].peers
    except (HandshakeError, ValueError, RecursionError) as error:
        raise UsageError(f"{file.path}: {error}", _VERIFY) from error


def _database(
    file: PackageFile, names: Names, version: Version, processes: Processes
) -> PublishedDatabase:
    provided = [
        clause.version
        for relation in file.of(Field.PROVIDES)
        for clause in relation.clauses
        if clause.name == names.schema_package and clause.version is not None
    ]
    if len(provided) != 1:
        raise UsageError(f"{file.path} does not provide one {names.schema_package}", _VERIFY)
    return PublishedDatabase(
        schema=_schema(provided[0]),
        servers=_window(file, names.server_package, _release, Version(0, 0, 0)),
        steps=_steps(file, version, processes),
    )


def _window(
    file: PackageFile, name: str, point: Callable[[str], Bound], first: Bound
) -> Window[Bound]:
    """The window that the Conflicts leave: `< 11` and `>= 20` leave `>= 11, < 20`."""
    oldest, below = first, None
    for clause in _bounds(file, name):
        operator, text = clause
        try:
            if operator is Operator.EARLIER:
                oldest = point(text)
            elif operator is Operator.LATER_OR_EQUAL:
                below = point(text)
            else:
                raise ValueError(f"conflicts with {name} {operator.value} {text}")
        except ValueError as error:
            raise UsageError(f"{file.path}: {error}", _VERIFY) from error
    if below is not None and not oldest < below:
        raise UsageError(f"{file.path} conflicts with every {name}", _VERIFY)
    return Window(oldest, below)


def _bounds(file: PackageFile, name: str) -> Iterator[tuple[Operator, str]]:
    for relation in file.of(Field.CONFLICTS):
        yield from _bound(file, relation, name)


def _bound(file: PackageFile, relation: Carried, name: str) -> Iterator[tuple[Operator, str]]:
    for clause in relation.clauses:
        if clause.name != name:
            continue
        if clause.operator is None or clause.version is None:
            raise UsageError(f"{file.path} conflicts with every {name}", _VERIFY)
        yield clause.operator, clause.version


def _schema(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{text!r} is not a schema version")
    return int(text)


def _release(text: str) -> Version:
    return Version.parse(text.replace("~", "-"))


def _steps(file: PackageFile, version: Version, processes: Processes) -> dict[str, str] | None:
    """The release's own steps with their checksums, from the manifest that the package carries."""
    inside = f"/usr/share/{file.name}/manifest.json"
    try:
        found = payload_files(
            Path(file.path), file.format, {inside}, processes, longest=_LONGEST_MANIFEST
        )
    except PayloadError as error:
        raise UsageError(
            f"{file.path} is damaged: {error}", "build it or fetch it again"
        ) from error
    content = found.get(inside)
    if content is None:
        return None
    try:
        (own,) = (
            release
            for release in json.loads(content)["releases"]
            if release["release"] == str(version)
        )
        return {str(step["id"]): str(step["sha256"]) for step in own["steps"]}
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{file.path} has a manifest that can't be read", _VERIFY) from error
