"""What one rpm adds to a yum index, read once from the file and kept as bytes."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.errors import UsageError

# Where packages lie, seen from a state of the index: a link to the directory that all states share.
# A way up (`../`) would be folded by dnf in the address, which knows nothing of links: it is not
# found through a baseurl, and tools that mirror a repository refuse it.
PACKAGES = "packages"
# What createrepo_c's own command keeps of a changelog, in entries.
_CHANGELOG = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One package in one file of the index: a gzip member, and the bytes that it unfolds to."""

    member: bytes
    size: int

    @classmethod
    def of(cls, text: str) -> "Chunk":
        """Pack XML; the same text gives the same bytes."""
        content = text.encode()
        return cls(member=gzip.compress(content, mtime=0), size=len(content))

    @property
    def content(self) -> bytes:
        """The XML."""
        return gzip.decompress(self.member)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragments:
    """An rpm's part of primary, filelists and other; `href` is its place below the index."""

    href: str
    primary: Chunk
    filelists: Chunk
    other: Chunk

    def stored(self) -> bytes:
        """All of it in one piece, for `parse`: a line of JSON and three gzip members."""
        chunks = (self.primary, self.filelists, self.other)
        head = {"href": self.href, "chunks": [[len(one.member), one.size] for one in chunks]}
        line = json.dumps(head, sort_keys=True).encode()
        return b"\n".join((line, b"".join(one.member for one in chunks)))

    @classmethod
    def parse(cls, stored: bytes) -> "Fragments":
        """What `stored` made; raises ValueError on anything else."""
        line, _, rest = stored.partition(b"\n")
        try:
            head = json.loads(line)
            href, sizes = (
                str(head["href"]),
                [(int(packed), int(size)) for packed, size in head["chunks"]],
            )
            if len(sizes) != 3 or sum(packed for packed, _ in sizes) != len(rest):
                raise ValueError("its length is another one")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no stored part of a yum index: {error}") from error
        chunks = []
        for packed, size in sizes:
            chunks.append(Chunk(member=rest[:packed], size=size))
            rest = rest[packed:]
        return cls(href=href, primary=chunks[0], filelists=chunks[1], other=chunks[2])


def read_fragments(path: Path) -> Fragments:
    """Read an rpm, with its checksum as it is now: sign it first; raises UsageError.

    The time that a package claims for its file is that of its build, so that a copy of the file
    is described by the same bytes.
    """
    import createrepo_c  # noqa: PLC0415  (a compiled library that most commands don't need)

    href = f"{PACKAGES}/{path.name}"
    try:
        package: Any = createrepo_c.package_from_rpm(
            str(path), location_href=href, changelog_limit=_CHANGELOG
        )
    except (createrepo_c.CreaterepoCError, OSError) as error:
        raise UsageError(
            f"{path} cannot be read as an rpm", f"see what is wrong with it: {error}"
        ) from error
    package.time_file = package.time_build
    return Fragments(
        href=href,
        primary=Chunk.of(createrepo_c.xml_dump_primary(package)),
        filelists=Chunk.of(createrepo_c.xml_dump_filelists(package)),
        other=Chunk.of(createrepo_c.xml_dump_other(package)),
    )
