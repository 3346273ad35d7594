"""The files of a yum index from what its rpms add to it; pure.

repomd.xml carries what dnf does not ask for and a check of our own does: a serial that only rises,
as its revision, and the moment up to which it is to be believed, as a content tag.
"""

import gzip
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from toolchain.publish.fragments import Chunk, Fragments

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACES = "http://linux.duke.edu/metadata"
_RPM = f'xmlns:rpm="{_NAMESPACES}/rpm"'
# RFC 1952: several members behind each other are one file. A large chunk stays the member that it
# is and is never packed again; small ones share one, since gzip looks back 32 KiB and packages are
# much alike: apart they would take eight times the room.
_LARGE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One of the three files: its type in repomd.xml and the element that holds all packages."""

    type: str
    element: str
    namespaces: str

    @property
    def tail(self) -> str:
        return f"</{self.element}>"

    def head(self, count: int) -> str:
        return f'{_DECLARATION}<{self.element} {self.namespaces} packages="{count}">\n'


_PRIMARY = _Kind(
    type="primary", element="metadata", namespaces=f'xmlns="{_NAMESPACES}/common" {_RPM}'
)
_FILELISTS = _Kind(
    type="filelists", element="filelists", namespaces=f'xmlns="{_NAMESPACES}/filelists"'
)
_OTHER = _Kind(type="other", element="otherdata", namespaces=f'xmlns="{_NAMESPACES}/other"')


def repodata(
    fragments: Iterable[Fragments], *, serial: int, valid_until: int
) -> Mapping[str, bytes]:
    """The content of `repodata/` by file name, repomd.xml included and not yet signed.

    `serial` and `valid_until` are seconds since 1970. The order of the fragments doesn't matter.
    """
    packages = sorted(fragments, key=lambda one: one.href)
    files = (
        _File.of(_PRIMARY, [one.primary for one in packages]),
        _File.of(_FILELISTS, [one.filelists for one in packages]),
        _File.of(_OTHER, [one.other for one in packages]),
    )
    found = {file.name: file.content for file in files}
    found["repomd.xml"] = _repomd(files, serial, valid_until)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file of the index, packed, and what repomd.xml says of it unpacked."""

    kind: _Kind
    content: bytes
    checksum: str
    open_checksum: str
    open_size: int

    @property
    def name(self) -> str:
        """The name holds the checksum, so that no cache can mix two states of the index."""
        return f"{self.checksum}-{self.kind.type}.xml.gz"

    @classmethod
    def of(cls, kind: _Kind, chunks: Sequence[Chunk]) -> "_File":
        digest, size, pieces = hashlib.sha256(), 0, []
        parts = (Chunk.of(kind.head(len(chunks))), *chunks, Chunk.of(kind.tail))
        for large, group in groupby(parts, key=lambda part: part.size >= _LARGE):
            small = []
            for part in group:
                content = part.content
                digest.update(content)
                size += len(content)
                if large:
                    pieces.append(part.member)
                else:
                    small.append(content)
            if small:
                pieces.append(gzip.compress(b"".join(small), mtime=0))
        content = b"".join(pieces)
        return cls(
            kind=kind,
            content=content,
            checksum=hashlib.sha256(content).hexdigest(),
            open_checksum=digest.hexdigest(),
            open_size=size,
        )

    def record(self, timestamp: int) -> str:
        """What repomd.xml says of it."""
        return f"""\
  <data type="{self.kind.type}">
    <checksum type="sha256">{self.checksum}</checksum>
    <open-checksum type="sha256">{self.open_checksum}</open-checksum>
    <location href="repodata/{self.name}"/>
    <timestamp>{timestamp}</timestamp>
    <size>{len(self.content)}</size>
    <open-size>{self.open_size}</open-size>
  </data>
"""


def _repomd(files: Sequence[_File], serial: int, valid_until: int) -> bytes:
    records = "".join(file.record(serial) for file in files)
    return f"""\
{_DECLARATION}<repomd xmlns="{_NAMESPACES}/repo" {_RPM}>
  <revision>{serial}</revision>
  <tags>
    <content>valid-until={valid_until}</content>
  </tags>
{records}</repomd>
""".encode()
