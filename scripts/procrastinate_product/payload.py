"""Wheels to the files of a server package: what a worker needs at run time, and nothing else."""

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from procrastinate_product.errors import SourceError

# What pip and packaging tools leave for themselves, and what only a developer needs.
_NOT_INSTALLED = {"RECORD", "WHEEL", "INSTALLER", "REQUESTED", "direct_url.json", "top_level.txt"}
_NOT_INSTALLED |= {"entry_points.txt", "zip-safe"}
_NOT_NEEDED = {"__pycache__", "tests", "test", "sboms"}
# Documentation belongs below /usr/share/doc (Debian Policy 12.3).
_PROSE = (".md", ".rst")
_COMPILED = (".so", ".pyd", ".dylib", ".pyc", ".dll")
_LICENCE = re.compile(r"(?i)(copying|licen[cs]e|notice|authors)\b.*")
_DIST_INFO = ".dist-info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One unpacked wheel: its name and version, the files to import, and its licence texts."""

    name: str
    version: str
    files: Mapping[str, bytes]
    licences: Mapping[str, bytes]


def open_wheel(path: Path) -> Library:
    """Read a wheel of pure Python; raises SourceError for any other."""
    files, licences, metadata = {}, {}, b""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("/"):
                    continue
                if name.endswith(f"{_DIST_INFO}/METADATA"):
                    metadata = archive.read(name)
                if _is_licence(name):
                    licences[PurePosixPath(name).name] = archive.read(name)
                elif is_needed(path.name, name):
                    files[name] = without_shebang(name, archive.read(name))
    except (OSError, zipfile.BadZipFile) as error:
        raise SourceError(f"{path.name} is not a wheel that can be read: {error}") from error
    headers = HeaderParser().parsestr(metadata.decode("utf-8"))
    return Library(name=headers["Name"], version=headers["Version"], files=files, licences=licences)


def _is_licence(name: str) -> bool:
    path = PurePosixPath(name)
    return _DIST_INFO in name and _LICENCE.fullmatch(path.name) is not None


def is_needed(wheel: str, name: str) -> bool:
    """Whether a worker needs a file; raises SourceError for one that no package could hold."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.parts[0].endswith(".data"):
        raise SourceError(f"{wheel} holds {name}, which has no place in a directory of modules")
    if path.suffix in _COMPILED and path.suffix != ".pyc":
        raise SourceError(f"{wheel} holds {name}, which is not pure Python")
    if path.suffix == ".pyc" or _NOT_NEEDED.intersection(path.parts[:-1]):
        return False
    if path.parts[0].endswith(_DIST_INFO):
        return path.name not in _NOT_INSTALLED
    return path.suffix not in _PROSE


def without_shebang(name: str, content: bytes) -> bytes:
    """A module is imported, not run: an interpreter line in one is a script that is no program."""
    if name.endswith(".py") and content.startswith(b"#!"):
        return b"#" + content[content.find(b"\n") if b"\n" in content else len(content) :]
    return content


def library_files(libraries: Iterable[Library]) -> Iterator[tuple[str, bytes]]:
    """Every file below the directory of modules; raises SourceError when two wheels share one."""
    owners: dict[str, str] = {}
    for library in libraries:
        for name, content in sorted(library.files.items()):
            if name in owners:
                raise SourceError(f"{owners[name]} and {library.name} both hold {name}")
            owners[name] = library.name
            yield name, content


def licence_files(libraries: Iterable[Library]) -> Iterator[tuple[str, bytes]]:
    """The licence texts, each named after its library: `psycopg-LICENSE.txt`."""
    for library in libraries:
        for name, content in sorted(library.licences.items()):
            yield f"{library.name}-{name}", content


def copyright_line(licence: str) -> str:
    """The holders that procrastinate's licence names, on one line; raises SourceError."""
    holders = re.findall(r"(?m)^Copyright \(c\) (.+?)\s*$", licence)
    if not holders:
        raise SourceError("procrastinate's licence names no copyright holder")
    return "; ".join(holder.replace("-,", "-present,", 1) for holder in holders)
