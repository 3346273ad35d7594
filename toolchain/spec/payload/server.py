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
)
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.duplicates import check_duplicates
from toolchain.spec.facts import Facts
from toolchain.spec.located.node import Path, Scalar, Table, as_scalar, as_table
from toolchain.spec.payload.accounts import directories, users
from toolchain.spec.payload.collisions import Installed, check_collisions
from toolchain.spec.payload.packable import Wanted
from toolchain.spec.payload.section import Section
from toolchain.spec.payload.services import service_of
from toolchain.spec.payload.sources import Sources
from toolchain.spec.problem import Complaint
from toolchain.spec.product import ProductFacts
from toolchain.spec.values import targets
from toolchain.spec.values.packages import relation
from toolchain.spec.wording import show

_SETUID = 0o6000
# What package formats require among the documents, and Interlock writes.
_OWN_DOCUMENTS = ("copyright", "changelog.gz", "changelog.Debian.gz")


def server_of(
    document: Document, facts: Facts | None, product: ProductFacts, sources: Sources
) -> ServerSpec:
    """The server half of a release; checks all that its sound entries name.

    What is not sound is left out: the release has problems then and will not be built. So will one
    without facts, whose windows are open ones here.
    """
    return _Server(document, product, sources).read(facts)


class _Server:
    """The reading of one `server` section, and the paths that it installs so far."""

    def __init__(self, document: Document, product: ProductFacts, sources: Sources) -> None:
        self._section = Section(document, product)
        self._document = document
        self._product = product
        self._sources = sources
        self._installed: list[Installed] = []

    def read(self, facts: Facts | None) -> ServerSpec:
        """The section as the model has it, with every problem noted on the way."""
        origin = self._section.table.origin
        spec = ServerSpec(
            schemas=facts.schemas if facts else Window(0),
            peers=facts.peers if facts else Window(Version(0, 0, 0)),
            binaries=tuple(self._binaries()),
            files=tuple(self._files()),
            config=tuple(self._config()),
            users=tuple(users(self._section)),
            directories=tuple(directories(self._section)),
            documents=tuple(self._documents()),
            manuals=tuple(self._manuals()),
            depends={package: tuple(self._depends(package)) for package in Format},
            origin=origin,
            forms={change: placed.form for change, placed in facts.forms.items()} if facts else {},
            schemas_origin=facts.schemas_place.origin if facts else origin,
            peers_origin=facts.peers_place.origin if facts else origin,
        )
        check_collisions(self._document, self._product.name, self._installed)
        return spec

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
        for table, path in self._section.entries("binaries"):
            target, mode = table.text("target"), _mode(table)
            service = None
            if table.has("service"):
                below, place = table.table("service"), (*path, "service")
                summary = self._product.summary
                service = service_of(self._document, below, place, target=target, summary=summary)
                self._section.check_owner(below, place, "user")
                self._install(f"/usr/lib/systemd/system/{service.name}.service", place)
                registration = f"/usr/lib/systemd/system/{service.name}-registration.service"
                if all(each.target != registration for each in self._installed):
                    self._install(registration, place)  # else two services have one name
            wanted = Wanted(program=True, setuid_declared=bool((mode or 0) & _SETUID))
            source = self._source(table, path, wanted)
            yield PayloadFile(source=source, target=target, mode=mode, service=service)

    def _files(self) -> Iterator[PayloadFile]:
        for table, path in self._section.entries("files"):
            mode = _mode(table)
            # A mode is one file's: the files of a directory have modes of their own.
            wanted = Wanted(directory=mode is None, setuid_declared=bool((mode or 0) & _SETUID))
            source = self._source(table, path, wanted)
            yield PayloadFile(source=source, target=table.text("target"), mode=mode)

    def _config(self) -> Iterator[ConfigFile]:
        for node, path in self._section.nodes("config"):
            if isinstance(node, Scalar):
                yield self._short_config(node, path)
                continue
            table = as_table(node)
            self._section.check_owner(table, path, "group")
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

    def _documents(self) -> Iterator[Source]:
        for node, path in self._section.nodes("documents"):
            name = basename(as_scalar(node).text)
            if name in _OWN_DOCUMENTS:
                self._complain(
                    Code.DUPLICATE_TARGET,
                    f"Interlock writes the document {name} itself",
                    "take it out: 'copyright' and 'changelog' of the specs say the same",
                    path,
                )
            else:
                self._install(f"/usr/share/doc/{self._product.name}-server/{name}", path)
            yield self._sources.read(node, path, Wanted())[0]

    def _manuals(self) -> Iterator[Source]:
        for node, path in self._section.nodes("manuals"):
            name = basename(as_scalar(node).text)
            section = name.rpartition(".")[2][0]
            self._install(f"/usr/share/man/man{section}/{name}", path)
            yield self._sources.read(node, path, Wanted())[0]

    def _depends(self, package: Format) -> Iterator[Relation]:
        named = []
        for node, path in self._section.nodes("depends", package.value):
            text = as_scalar(node).text
            item = relation(text)
            named.append((text, path))
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
