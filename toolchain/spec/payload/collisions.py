"""Whether two entries of a release would install the same path."""

import re
from dataclasses import dataclass
from posixpath import dirname

from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.located.node import Path
from toolchain.spec.problem import Complaint, Related
from toolchain.spec.wording import show

# What every server package has of Interlock; NAME is the package's.
_OWN = r"""
    /etc/NAME/shards\.ini
    | /usr/bin/NAME
    | /usr/lib/NAME/(?:runner(?:/.*)?|(?:apt|ask|dnf5)-hook|dnf_plugin\.py)
    | /usr/lib/systemd/system/(?:timers\.target\.wants/)?NAME-shards\.(?:service|timer)
    | /usr/lib/(?:sysusers|tmpfiles)\.d/NAME\.conf
    | /usr/share/NAME/release\.json
    | /usr/share/bash-completion/completions/NAME
    | /usr/share/doc/NAME/(?:copyright|changelog(?:\.Debian)?\.gz)
    | /usr/share/licenses/NAME/LICENSE
    | /usr/share/lintian/overrides/NAME
    | /usr/share/man/man8/NAME\.8(?:\.gz)?
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A path on the installed system, and the entry that puts it there."""

    target: str
    path: Path


def check_collisions(document: Document, product: str, files: list[Installed]) -> None:
    """Note each path that two entries install, or Interlock itself, or that lies below a file."""
    for file in files:
        if is_own(product, file.target):
            message = f"{show(file.target)} is a file that Interlock puts into the package itself"
            document.complain(
                Complaint(Code.DUPLICATE_TARGET, message, "choose another target"), file.path
            )
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


def is_own(product: str, target: str) -> bool:
    """Whether every server package of the product has that file already, in one of its formats."""
    own = _OWN.replace("NAME", re.escape(f"{product}-server"))
    return re.fullmatch(own, target, re.VERBOSE) is not None


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
