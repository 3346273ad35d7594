"""A product's spec files: which there are, and each as a document with its first problems."""

from collections.abc import Sequence
from difflib import get_close_matches

from toolchain.model.origin import Origin
from toolchain.model.version import Version
from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.located.read_yaml import read_yaml
from toolchain.spec.located.text import MEBIBYTE, SPEC_LIMIT, decode
from toolchain.spec.problem import Complaint, Place, Problem
from toolchain.spec.product import FILE_NAME
from toolchain.spec.tree import KIND_WORDS, Tree
from toolchain.spec.values.versions import spelled
from toolchain.spec.wording import show, show_path

_SUFFIXES = (".yaml", ".yml")


class SpecFiles:
    """The spec files of a directory, with their texts and the problems of the directory itself."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.problems: list[Problem] = []
        self.texts: dict[str, str] = {}

        self._names = self._specs()

    def product(self) -> Document:
        """product.yaml; its tree is None when it could not be read."""
        if FILE_NAME in self._names:
            return self.document(FILE_NAME)
        return Document(FILE_NAME, self._tree.shown(FILE_NAME), None, [])

    def release_names(self) -> list[str]:
        """The names of the release specs; notes files that look like one and are none."""
        releases = []
        for name in self._names:
            complaint = _misnamed(name)
            if complaint is not None:
                self._complain(complaint, name)
            elif name != FILE_NAME:
                releases.append(name)
        # Where one is there by another name, that has been told, and this would follow from it.
        if not releases and FILE_NAME in self._names and not any(map(_misnamed, self._names)):
            self._complain(
                Complaint(
                    Code.NO_RELEASE,
                    "the product has no release",
                    "write one beside product.yaml, named after its version: 1.0.0.yaml",
                ),
                FILE_NAME,
            )
        return releases

    def document(self, name: str) -> Document:
        """One spec as a document; its tree is None when it could not be read."""
        shown = self._tree.shown(name)
        text = self._text(name, shown)
        if isinstance(text, Problem):
            return Document(name, shown, None, [text])
        self.texts[shown] = text
        root, problems = read_yaml(shown, text)
        return Document(name, shown, root, problems)

    def _specs(self) -> list[str]:
        """The names of all files that are specs by their suffix, hidden ones left out."""
        try:
            names = self._tree.names()
        except OSError as error:
            self._complain(
                Complaint(
                    Code.UNREADABLE,
                    f"the directory cannot be read: {error.strerror}",
                    "name a product's directory, or make one with 'interlock init'",
                ),
                "",
            )
            return []
        specs = [name for name in names if name.endswith(_SUFFIXES) and not name.startswith(".")]
        if FILE_NAME not in specs:
            self._complain(_no_product(specs, self._products_below(names)), "")
        return specs

    def _products_below(self, names: Sequence[str]) -> list[str]:
        """Directories right here that hold a product, as the user would type them."""
        inside = (name for name in names if self._tree.look(f"{name}/{FILE_NAME}").kind == "file")
        return [self._tree.shown(name) for name in inside]

    def _complain(self, complaint: Complaint, name: str) -> None:
        self.problems.append(complaint.at(Place(Origin(file=self._tree.shown(name)))))

    def _text(self, name: str, shown: str) -> str | Problem:
        entry = self._tree.look(name)
        place = Place(Origin(file=shown))
        if entry.kind == "unreadable":
            return _unreadable("the file cannot be read").at(place)
        if entry.kind != "file":
            return Complaint(
                Code.FILE_KIND,
                f"{show_path(shown)} is {KIND_WORDS[entry.kind]}",
                "a spec is a readable file inside the product's directory",
            ).at(place)
        if entry.size > SPEC_LIMIT:
            return Complaint(
                Code.FILE_SIZE,
                f"the file has {entry.size} bytes",
                f"keep a spec below {SPEC_LIMIT // MEBIBYTE} MiB",
            ).at(place)
        try:
            return decode(shown, self._tree.read(name, SPEC_LIMIT))
        except OSError as error:
            return _unreadable(f"the file cannot be read: {error.strerror}").at(place)


def _unreadable(message: str) -> Complaint:
    return Complaint(Code.UNREADABLE, message, "mend the file's permissions")


def _no_product(specs: Sequence[str], below: Sequence[str]) -> Complaint:
    near = get_close_matches(FILE_NAME, specs, n=1)
    cure = f"rename {near[0]}" if near else "write one, or make a product with 'interlock init'"
    if below and not near:
        cure = f"name one that has: {', '.join(map(show_path, below[:3]))}"
    return Complaint(Code.NO_PRODUCT, f"the directory has no {FILE_NAME}", cure)


def _misnamed(name: str) -> Complaint | None:
    """What is wrong with the name of a file that looks like a spec."""
    stem, _, suffix = name.rpartition(".")
    if suffix == "yml":
        return Complaint(
            Code.FILE_NAME,
            f"specs end with .yaml, and {show(name)} does not",
            f"rename it {stem}.yaml",
        )
    try:
        Version.parse(stem if name != FILE_NAME else "0.0.0")
    except ValueError:
        meant = spelled(stem)
        cure = f"rename it {meant}.yaml" if meant else "name it VERSION.yaml, or move it away"
        return Complaint(
            Code.FILE_NAME, f"{show(name)} is neither product.yaml nor named after a release", cure
        )
    return None
