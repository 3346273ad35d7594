"""Whether two entries of a release would install the same path."""

from dataclasses import dataclass
from posixpath import dirname

from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.located.node import Path
from toolchain.spec.problem import Complaint, Related
from toolchain.spec.wording import show


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A path on the installed system, and the entry that puts it there."""

    target: str
    path: Path


def check_collisions(document: Document, files: list[Installed]) -> None:
    """Note each path that two entries install, and each that lies below an installed file."""
    first: dict[str, Installed] = {}
    for file in files:
        other = first.setdefault(file.target, file)
        if other is not file:
            _collide(document, file, other, f"{show(file.target)} is installed twice")
    for file in first.values():
        above = dirname(file.target)
        while above not in ("/", ""):
            if above in first:
                message = f"{show(file.target)} lies below {show(above)}, which is a file"
                _collide(document, file, first[above], message)
            above = dirname(above)


def _collide(document: Document, file: Installed, other: Installed, message: str) -> None:
    place = document.place(other.path)
    document.complain(
        Complaint(
            Code.DUPLICATE_TARGET,
            f"{message} (line {place.origin.line})",
            "change one of the targets",
        ),
        file.path,
        Related(origin=place.origin, message="the other entry"),
    )
