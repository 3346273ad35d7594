"""Whether the files that a release installs are there, of the right kind, and can be packed."""

from collections.abc import Iterable
from posixpath import join

from toolchain.model.release import Architecture, Source
from toolchain.model.stand_in import BEGINNING, MARK, is_stand_in
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.located.node import Node, Path, Scalar, as_scalar, as_table
from toolchain.spec.payload.packable import Wanted, not_one_file, not_packable, unreadable
from toolchain.spec.problem import Complaint
from toolchain.spec.tree import KIND_WORDS, Tree
from toolchain.spec.wording import show_path


class Sources:
    """Reads the sources of one release, and notes what is wrong with them."""

    def __init__(
        self, document: Document, tree: Tree, payload: str, architectures: Iterable[Architecture]
    ) -> None:
        self._document = document
        self._tree = tree
        self._payload = payload
        self._architectures = tuple(architectures)

    def has_payload(self) -> bool:
        """Whether the payload directory is there; without it every source would be missing."""
        entry = self._tree.look(self._payload)
        if not self._payload or entry.kind == "directory":
            return True
        escapes = entry.kind == "escaping"
        code = Code.SOURCE_ESCAPE if escapes else Code.SOURCE_MISSING
        if entry.kind == "file":
            code = Code.SOURCE_KIND
        elif entry.kind == "unreadable":
            code = Code.UNREADABLE
        self._document.complain(
            Complaint(
                code,
                f"the payload directory {show_path(self._tree.shown(self._payload))} is"
                f" {KIND_WORDS[entry.kind]}",
                "build the payload into that directory first, or mend the path",
            ),
            ("payload",),
        )
        return False

    def read(self, node: Node, path: Path, wanted: Wanted) -> tuple[Source, frozenset[str]]:
        """A source, and the paths of all files below it (`` for the source itself if a file)."""
        if isinstance(node, Scalar):
            named = {Architecture.ALL: (node.text, path)}
        else:
            named = {
                Architecture(key): (as_scalar(value).text, (*path, key))
                for key, value in as_table(node).nodes.items()
            }
        below: set[str] = set()
        for text, place in named.values():
            below |= self._check(join(self._payload, text), place, wanted)
        for architecture in self._architectures:
            if architecture not in named and Architecture.ALL not in named:
                self._document.complain(
                    Complaint(
                        Code.SOURCE_ARCHITECTURE,
                        f"the target architecture {architecture.value} has no source",
                        f"add the key {architecture.value}, or one path for all architectures",
                    ),
                    path,
                )
        paths = {
            architecture: join(self._payload, text) for architecture, (text, _) in named.items()
        }
        return Source(paths=paths, origin=node.origin), frozenset(below)

    def _check(self, source: str, path: Path, wanted: Wanted) -> set[str]:
        entry = self._tree.look(source)
        if entry.kind == "directory" and wanted.directory:
            return self._check_directory(source, path)
        complaint = not_one_file(self._tree.shown(source), entry, wanted)
        if complaint is not None:
            self._document.complain(complaint, path)
        elif wanted.program:
            self._check_program(source, path)
        return {""}

    def _check_program(self, source: str, path: Path) -> None:
        shown = self._tree.shown(source)
        try:
            beginning = self._tree.read(source, BEGINNING)
        except OSError:
            self._document.complain(unreadable(shown), path)
            return
        if is_stand_in(beginning):
            self._document.advise(
                Complaint(
                    Code.STAND_IN,
                    f"{show_path(shown)} is the stand-in that an import wrote, and no program of"
                    " this release, so 'interlock publish' refuses its package",
                    "put the release's program there; in a program of your own that began as the"
                    f" stand-in, delete the line '{MARK}'",
                ),
                path,
            )

    def _check_directory(self, source: str, path: Path) -> set[str]:
        shown = self._tree.shown(source)
        try:
            below = dict(self._tree.walk(source))
        except OSError as error:
            self._document.complain(
                Complaint(
                    Code.UNREADABLE,
                    f"{show_path(shown)} cannot be read: {error.strerror}",
                    "make the directory and all below it readable",
                ),
                path,
            )
            return set()
        if not below:
            self._document.complain(
                Complaint(
                    Code.SOURCE_EMPTY,
                    f"the directory {show_path(shown)} is empty",
                    "build the payload first, or take the entry out",
                ),
                path,
            )
        for name in below:
            complaint = not_packable(f"{shown}/{name}", name, below)
            if complaint is not None:
                self._document.complain(complaint, path)
        return {name for name, entry in below.items() if entry.kind != "directory"}
