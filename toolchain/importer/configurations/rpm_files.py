"""The lines of an rpm spec's %files: what is installed, with the attributes that rpm gives it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import normpath

from toolchain.importer.facts import Installed, Kind

_ATTRIBUTES = re.compile(
    r"%(config|dir|doc|license|attr|ghost|defattr|exclude|verify)(?:\(([^)]*)\))?\s*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """Mode, owner and group; the mode is None where the build's own counts."""

    mode: int | None = None
    owner: str = "root"
    group: str = "root"

    def changed(self, said: str | None) -> "Attributes":
        """The same with what %attr or %defattr says; a hyphen leaves what there is."""
        words = [word.strip() for word in (said or "").split(",")]
        octal = bool(words[0]) and set(words[0]) <= set("01234567")
        owner, group = (*words[1:3], "-", "-")[:2]
        return Attributes(
            mode=int(words[0], 8) if octal else self.mode,
            owner=self.owner if owner in ("-", "") else owner,
            group=self.group if group in ("-", "") else group,
        )


class FileList:
    """One %files section; `unknown` are the paths that only a build can tell, which it gathers."""

    def __init__(self, package: str) -> None:
        self._documents = f"/usr/share/doc/{package}/"
        self._default = Attributes()
        self.unknown: list[str] = []

    def read(self, raw: str) -> Iterator[Installed]:
        """The paths of one line."""
        line, kind, attributes = raw.strip(), Kind.FILE, self._default
        while (match := _ATTRIBUTES.match(line)) is not None:
            line = line[match.end() :]
            match match[1]:
                case "config":
                    kind = Kind.CONFIG
                case "dir":
                    kind = Kind.DIRECTORY
                case "ghost" | "exclude":
                    return
                case "defattr":
                    self._default = Attributes().changed(match[2])
                    return
                case "attr":
                    attributes = self._default.changed(match[2])
        for path in line.split():
            # Documents and licences without a path are copied from the source by rpm itself.
            if path.startswith("#"):
                return
            if not path.startswith(("/", "%")) or path.startswith(self._documents):
                continue
            if set("%*?[{") & set(path):
                self.unknown.append(path)
                continue
            yield Installed(
                path=normpath(path),
                kind=kind,
                mode=attributes.mode,
                owner=attributes.owner,
                group=attributes.group,
                source=normpath(path).strip("/"),
            )
