"""Whether the files that a release installs are there, of the right kind, and can be packed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from posixpath import join

from toolchain.model.release import Architecture, Source
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.located.node import Node, Path, Scalar, as_scalar, as_table
from toolchain.spec.located.text import control_in, show
from toolchain.spec.payload.links import outcome
from toolchain.spec.problem import Complaint
from toolchain.spec.tree import KIND_WORDS, Entry, Tree

_SPECIAL_BITS = 0o6000  # setuid and setgid


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What may stand at a source."""

    directory: bool = False
    setuid_declared: bool = False


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
        self._document.complain(
            Complaint(
                code,
                f"the payload directory {show(self._tree.shown(self._payload))} is"
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
        complaint = _refused(self._tree.shown(source), entry, wanted)
        if complaint is not None:
            self._document.complain(complaint, path)
        return {""}

    def _check_directory(self, source: str, path: Path) -> set[str]:
        shown = self._tree.shown(source)
        try:
            below = dict(self._tree.walk(source))
        except OSError as error:
            self._document.complain(
                Complaint(
                    Code.UNREADABLE,
                    f"{show(shown)} cannot be read: {error.strerror}",
                    "make the directory and all below it readable",
                ),
                path,
            )
            return set()
        if not below:
            self._document.complain(
                Complaint(
                    Code.SOURCE_EMPTY,
                    f"the directory {show(shown)} is empty",
                    "build the payload first, or take the entry out",
                ),
                path,
            )
        for name in below:
            complaint = _unpackable(f"{shown}/{name}", name, below)
            if complaint is not None:
                self._document.complain(complaint, path)
        return {name for name, entry in below.items() if entry.kind != "directory"}


def _refused(shown: str, entry: Entry, wanted: Wanted) -> Complaint | None:
    """What keeps a path from being the one file that is wanted."""
    what = show(shown)
    match entry.kind:
        case "file" if entry.mode & _SPECIAL_BITS and not wanted.setuid_declared:
            return _setuid(what, entry)
        case "file":
            return None
        case "directory":
            return Complaint(
                Code.SOURCE_KIND,
                f"{what} is a directory, and one file belongs here",
                "name a file; directories belong under 'files'",
            )
        case "missing" | "dangling":
            return Complaint(
                Code.SOURCE_MISSING,
                f"{what} is {KIND_WORDS[entry.kind]}",
                "build the payload first, or mend the path",
            )
        case "escaping":
            return Complaint(
                Code.SOURCE_ESCAPE,
                f"{what} is {KIND_WORDS[entry.kind]}",
                "copy the file into the product's directory",
            )
        case "unreadable":
            return Complaint(
                Code.UNREADABLE, f"{what} cannot be read", "mend the file's permissions"
            )
        case "special" | "link":
            return Complaint(
                Code.SOURCE_SPECIAL,
                f"{what} is {KIND_WORDS[entry.kind]}",
                "name a regular file; packages hold no devices, sockets or pipes",
            )


def _setuid(what: str, entry: Entry) -> Complaint:
    return Complaint(
        Code.SETUID,
        f"{what} has the mode {entry.mode:04o}, and the spec does not say so",
        f'take the bit away, or list the file itself with mode: "{entry.mode:04o}"',
    )


def _unpackable(shown: str, name: str, entries: Mapping[str, Entry]) -> Complaint | None:
    """What keeps something below a source directory from being packed as it is."""
    what, entry = show(shown, limit=200), entries[name]
    if control_in(name) is not None or "\n" in name or "\t" in name:
        return Complaint(
            Code.SOURCE_NAME,
            f"the name {what} holds a control character or is not UTF-8",
            "rename the file: package formats keep paths in lists of lines",
        )
    if entry.kind == "special":
        return Complaint(
            Code.SOURCE_SPECIAL,
            f"{what} is {KIND_WORDS['special']}",
            "take it out; the program can make it when it starts",
        )
    if entry.kind == "file" and entry.mode & _SPECIAL_BITS:
        return _setuid(what, entry)
    if entry.kind != "link":
        return None
    match outcome(name, entries):
        case "inside":
            return None
        case "outside":
            return Complaint(
                Code.SOURCE_ESCAPE,
                f"the link {what} leads to {show(entry.leads_to)}, out of its source",
                "make it relative and within the source, or replace it by the file",
            )
        case "nowhere":
            return Complaint(
                Code.SOURCE_MISSING,
                f"the link {what} leads to {show(entry.leads_to)}, which does not exist",
                "add what it leads to, or delete the link",
            )
