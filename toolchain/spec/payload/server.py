"""The server half of a release: what the package installs, runs and makes."""

from collections.abc import Iterator
from posixpath import basename

from toolchain.model.relation import Relation
from toolchain.model.release import (
    ConfigFile,
    Format,
    PayloadFile,
    ServerSpec,
    Source,
    StateDirectory,
    User,
)
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.duplicates import check_duplicates
from toolchain.spec.facts import Facts
from toolchain.spec.located.node import Path, Scalar, Table, as_scalar, as_table
from toolchain.spec.located.text import show
from toolchain.spec.payload.collisions import Installed, check_collisions
from toolchain.spec.payload.services import check_owner, service_of
from toolchain.spec.payload.sources import Sources, Wanted
from toolchain.spec.problem import Complaint
from toolchain.spec.product import ProductFacts
from toolchain.spec.values import targets
from toolchain.spec.values.packages import relation

_SETUID = 0o6000
# What package formats require among the documents, and Interlock writes.
_OWN_DOCUMENTS = ("copyright", "changelog.gz", "changelog.Debian.gz")


def server_of(
    document: Document, facts: Facts | None, product: ProductFacts, sources: Sources
) -> ServerSpec:
    """The server half of a release whose `server` section is sound; checks all that it names.

    Without facts, which are not sound then, its windows are open ones that nobody will see.
    """
    return _Server(document, product, sources).read(facts)


class _Server:
    """The reading of one `server` section, and the paths that it installs so far."""

    def __init__(self, document: Document, product: ProductFacts, sources: Sources) -> None:
        root = document.root or Table({}, {}, document.place(()).origin)
        self._document = document
        self._product = product
        self._sources = sources
        self._table = as_table(root).table("server")
        users = (user.text("name") for user in self._table.tables("users"))
        self._owners = frozenset({"root", *users})
        self._installed: list[Installed] = []

    def read(self, facts: Facts | None) -> ServerSpec:
        """The section as the model has it, with every problem noted on the way."""
        spec = ServerSpec(
            schemas=facts.schemas if facts else Window(0),
            peers=facts.peers if facts else Window(Version(0, 0, 0)),
            binaries=tuple(self._binaries()),
            files=tuple(self._files()),
            config=tuple(self._config()),
            users=tuple(self._users()),
            directories=tuple(self._directories()),
            documents=tuple(self._documents()),
            manuals=tuple(self._manuals()),
            depends={package: tuple(self._depends(package)) for package in Format},
            origin=self._table.origin,
            schemas_origin=facts.schemas_place.origin if facts else self._table.origin,
        )
        check_collisions(self._document, self._installed)
        return spec

    def _entries(self, key: str) -> Iterator[tuple[Table, Path]]:
        for at, table in enumerate(self._table.tables(key)):
            yield table, ("server", key, at)

    def _complain(self, code: Code, message: str, cure: str, path: Path) -> None:
        self._document.complain(Complaint(code, message, cure), path)

    def _install(self, target: str, path: Path) -> None:
        self._installed.append(Installed(target=target, path=path))

    def _source(self, table: Table, path: Path, wanted: Wanted) -> Source:
        """The source of an entry, whose files are noted below the entry's target."""
        source, below = self._sources.read(table.nodes["source"], (*path, "source"), wanted)
        target = table.text("target")
        for name in sorted(below):
            self._install(f"{target}/{name}" if name else target, (*path, "target"))
        return source

    def _binaries(self) -> Iterator[PayloadFile]:
        for table, path in self._entries("binaries"):
            target, mode = table.text("target"), _mode(table)
            service = None
            if table.has("service"):
                below, place = table.table("service"), (*path, "service")
                summary = self._product.summary
                service = service_of(self._document, below, place, target=target, summary=summary)
                check_owner(self._document, below, place, "user", self._owners)
                self._install(f"/usr/lib/systemd/system/{service.name}.service", place)
            wanted = Wanted(setuid_declared=bool((mode or 0) & _SETUID))
            source = self._source(table, path, wanted)
            yield PayloadFile(source=source, target=target, mode=mode, service=service)

    def _files(self) -> Iterator[PayloadFile]:
        for table, path in self._entries("files"):
            mode = _mode(table)
            # A mode is one file's: the files of a directory have modes of their own.
            wanted = Wanted(directory=mode is None, setuid_declared=bool((mode or 0) & _SETUID))
            source = self._source(table, path, wanted)
            yield PayloadFile(source=source, target=table.text("target"), mode=mode)

    def _config(self) -> Iterator[ConfigFile]:
        for at, node in enumerate(self._table.items("config")):
            path: Path = ("server", "config", at)
            if isinstance(node, Scalar):
                yield self._short_config(node, path)
                continue
            table = as_table(node)
            check_owner(self._document, table, path, "group", self._owners)
            mode = _mode(table)
            wanted = Wanted(setuid_declared=bool((mode or 0) & _SETUID))
            yield ConfigFile(
                source=self._source(table, path, wanted),
                target=table.text("target"),
                mode=0o644 if mode is None else mode,
                group=table.text("group", "root"),
            )

    def _short_config(self, node: Scalar, path: Path) -> ConfigFile:
        target = f"/etc/{self._product.name}/{basename(node.text)}"
        try:
            targets.config(target)
        except Complaint as complaint:
            self._complain(complaint.code, complaint.message, "write 'source' and 'target'", path)
        self._install(target, path)
        return ConfigFile(source=self._sources.read(node, path, Wanted())[0], target=target)

    def _users(self) -> Iterator[User]:
        named = []
        for table, path in self._entries("users"):
            named.append((table.text("name"), (*path, "name")))
            yield User(
                name=table.text("name"),
                description=table.text("description"),
                home=table.text("home"),
            )
        check_duplicates(self._document, named, Code.DUPLICATE_NAME)

    def _directories(self) -> Iterator[StateDirectory]:
        named = []
        for table, path in self._entries("directories"):
            named.append((table.text("path"), (*path, "path")))
            for key in ("owner", "group"):
                check_owner(self._document, table, path, key, self._owners)
            yield StateDirectory(
                path=table.text("path"),
                owner=table.text("owner"),
                group=table.text("group"),
                mode=int(table.text("mode"), 8),
            )
        check_duplicates(self._document, named, Code.DUPLICATE_NAME)

    def _documents(self) -> Iterator[Source]:
        for at, node in enumerate(self._table.scalars("documents")):
            path: Path = ("server", "documents", at)
            name = basename(node.text)
            if name in _OWN_DOCUMENTS:
                self._complain(
                    Code.DUPLICATE_TARGET,
                    f"Interlock writes the document {name} itself",
                    "take it out: 'copyright' and 'changelog' of the specs say the same",
                    path,
                )
            self._install(f"/usr/share/doc/{self._product.name}-server/{name}", path)
            yield self._sources.read(node, path, Wanted())[0]

    def _manuals(self) -> Iterator[Source]:
        for at, node in enumerate(self._table.scalars("manuals")):
            path: Path = ("server", "manuals", at)
            name = basename(node.text)
            section = name.rpartition(".")[2][0]
            self._install(f"/usr/share/man/man{section}/{name}", path)
            yield self._sources.read(node, path, Wanted())[0]

    def _depends(self, package: Format) -> Iterator[Relation]:
        named = []
        for at, node in enumerate(self._table.table("depends").items(package.value)):
            path: Path = ("server", "depends", package.value, at)
            item = relation(as_scalar(node).text)
            named.append((str(item), path))
            if item.name in self._product.own_packages:
                self._complain(
                    Code.DEPENDENCY,
                    f"{show(item.name)} is a package of this product",
                    "take it out: the windows under 'compatibility' make those relations",
                    path,
                )
            yield item
        check_duplicates(self._document, named)


def _mode(table: Table) -> int | None:
    return int(table.text("mode"), 8) if table.has("mode") else None
