"""A deb or an rpm before it is installed: its name and Provides, and one small file out of it."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..core.errors import ConfigurationError, one_line
from . import process

_DEB, _RPM = b"!<arch>\n", b"\xed\xab\xee\xdb"
_QUERY = "%{NAME}\n%{VERSION}-%{RELEASE}\n[%{PROVIDENAME}\n]"
_LARGEST = 1024 * 1024
_CHUNK = 1024 * 1024
# A header of cpio's "newc" format: a magic number and 13 fields of eight hexadecimal digits.
_CPIO_HEADER = 110
_CPIO_MAGIC = frozenset({b"070701", b"070702"})
_CPIO_LAST = "TRAILER!!!"
_REGULAR, _TYPE = 0o100000, 0o170000


@dataclass(frozen=True)
class PackageFile:
    """A package's file, with what its metadata say; `version` has the revision and no epoch."""

    path: Path
    name: str
    version: str
    provides: tuple[str, ...]
    is_rpm: bool

    def read(self, path: str) -> bytes | None:
        """A file of at most 1 MiB that the package would install, None where it has none.

        The payload streams by and the reading ends with the file, so that a large package costs
        its decompression and no room. Raises ConfigurationError where it cannot be read.
        """
        tool = ("rpm2cpio",) if self.is_rpm else ("dpkg-deb", "--fsys-tarfile")
        reader = _read_cpio if self.is_rpm else _read_tar
        try:
            with process.reading(*tool, str(self.path)) as payload:
                return reader(payload, path.lstrip("/"))
        except (OSError, ValueError, tarfile.TarError) as error:
            raise ConfigurationError(
                f"cannot read {self.path}: {error}", "download the package again"
            ) from error


def open_package(path: Path) -> PackageFile:
    """Read a package's metadata; raises ConfigurationError where it is no package."""
    path = path.absolute()
    try:
        with path.open("rb") as file:
            magic = file.read(8)
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    if magic == _DEB:
        return _open_deb(path)
    if magic.startswith(_RPM):
        return _open_rpm(path)
    raise ConfigurationError(f"{path} is neither a deb nor an rpm", "download it again")


def _open_deb(path: Path) -> PackageFile:
    told = _told("dpkg-deb", "--field", str(path), "Package", "Version", "Provides")
    fields = {}
    for line in told.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith(" "):
            fields[name] = value.strip()
    provides = (part.split("(")[0].split(":")[0].strip() for part in _provides(fields))
    version = fields.get("Version", "").rpartition(":")[2]
    return PackageFile(path, fields.get("Package", ""), version, tuple(provides), is_rpm=False)


def _provides(fields: dict[str, str]) -> Sequence[str]:
    return [part for part in fields.get("Provides", "").split(",") if part.strip()]


def _open_rpm(path: Path) -> PackageFile:
    # dnf has checked the signature before it asks its plugins.
    query = ("rpm", "--query", "--package", "--nosignature", "--nodigest", "--queryformat", _QUERY)
    name, version, *provides = _told(*query, str(path)).splitlines()
    return PackageFile(path, name, version, tuple(provides), is_rpm=True)


def _told(*argv: str) -> str:
    try:
        done = process.ask(*argv)
    except OSError as error:
        problem = error.strerror or error
        raise ConfigurationError(f"cannot run {argv[0]}: {problem}") from error
    if done.code != 0:
        told = one_line(done.errors)
        raise ConfigurationError(f"{argv[0]} cannot read {argv[-1]}: {told}", "download it again")
    return done.output


def _read_tar(stream: IO[bytes], path: str) -> bytes | None:
    with tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK) as archive:
        for member in archive:
            if member.name.lstrip("./") == path:
                content = archive.extractfile(member) if member.isreg() else None
                return None if content is None else _small(content.read(_LARGEST + 1))
    return None


def _read_cpio(stream: IO[bytes], path: str) -> bytes | None:
    while True:
        header = stream.read(_CPIO_HEADER)
        if len(header) != _CPIO_HEADER or header[:6] not in _CPIO_MAGIC:
            raise ValueError("its payload is no cpio archive of the usual kind")
        mode, size, length = (int(header[at : at + 8], 16) for at in (14, 54, 94))
        # Name and content are each padded to four bytes, the name together with the header.
        name = stream.read(length + -(_CPIO_HEADER + length) % 4).rstrip(b"\0").decode()
        if name == _CPIO_LAST:
            return None
        if name.lstrip("./") == path:
            regular = mode & _TYPE == _REGULAR
            return _small(stream.read(min(size, _LARGEST + 1))) if regular else None
        _skip(stream, size + -size % 4)


def _skip(stream: IO[bytes], size: int) -> None:
    while size:
        passed = len(stream.read(min(size, _CHUNK)))
        if not passed:
            raise ValueError("its payload is cut off")
        size -= passed


def _small(content: bytes) -> bytes:
    if len(content) > _LARGEST:
        raise ValueError("its release.json is larger than 1 MiB")
    return content
