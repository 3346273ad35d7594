"""Writes an rpm package, byte by byte, because a customer's host has no rpmbuild.

The layout is format 4 as rpm's manual describes it: lead, signature header, header, and a gzipped
cpio archive. It carries digests and no signature; rpm 4.14 and later check them.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .relation import Relation
from .rpm_header import Entry, binary, header, numbers, short_numbers, text, texts, translated

_SIGNATURES, _IMMUTABLE = 62, 63
_SENSES = {"": 0, "<": 2, "<=": 10, "=": 8, ">=": 12, ">": 4}
_RPMLIB = 1 << 24
_REGULAR_FILE = 0o100644
_SHA256 = 8
# What a reader must know to read this very file; every rpm since 4.6 does.
_FEATURES = (
    ("rpmlib(CompressedFileNames)", "3.0.4-1"),
    ("rpmlib(FileDigests)", "4.6.0-1"),
    ("rpmlib(PayloadFilesHavePrefix)", "4.0-1"),
)


@dataclass(frozen=True)
class RpmPackage:
    """A noarch package of plain files by path; `built` is in seconds since 1970."""

    name: str
    version: str
    release: str
    summary: str
    licence: str
    built: int
    requires: tuple[Relation, ...]
    provides: tuple[Relation, ...]
    conflicts: tuple[Relation, ...]
    files: Mapping[str, bytes]

    @property
    def full_name(self) -> str:
        """Name, version and release, as rpm names the package."""
        return f"{self.name}-{self.version}-{self.release}"


def rpm_bytes(package: RpmPackage) -> bytes:
    """The whole package; equal values give equal bytes."""
    archive = _archive(package)
    payload = gzip.compress(archive, 9, mtime=0)
    main = header(_IMMUTABLE, (*_about(package, payload), *_files(package), *_relations(package)))
    body = main + payload
    signature = header(
        _SIGNATURES,
        (
            text(269, hashlib.sha1(main, usedforsecurity=False).hexdigest()),
            text(273, hashlib.sha256(main).hexdigest()),
            numbers(1000, len(body)),
            binary(1004, hashlib.md5(body, usedforsecurity=False).digest()),
            numbers(1007, len(archive)),
        ),
    )
    return _lead(package) + signature + b"\0" * (-len(signature) % 8) + body


def _lead(package: RpmPackage) -> bytes:
    """96 bytes that only file(1) reads still: a binary package for Linux with signature header."""
    name = package.full_name.encode()[:65]
    return struct.pack(">4sBBHH66sHH16x", b"\xed\xab\xee\xdb", 3, 0, 0, 1, name, 1, 5)


def _about(package: RpmPackage, payload: bytes) -> tuple[Entry, ...]:
    return (
        texts(100, ("C",)),
        text(1000, package.name),
        text(1001, package.version),
        text(1002, package.release),
        translated(1004, package.summary),
        translated(1005, package.summary),
        numbers(1006, package.built),
        text(1007, "localhost"),
        numbers(1009, sum(map(len, package.files.values()))),
        text(1014, package.licence),
        translated(1016, "Unspecified"),
        text(1021, "linux"),
        text(1022, "noarch"),
        # A package without one is taken for a source package.
        text(1044, f"{package.full_name}.src.rpm"),
        text(1064, "4.14.0"),
        text(1124, "cpio"),
        text(1125, "gzip"),
        text(1126, "9"),
        text(5062, "utf-8"),
        texts(5092, (hashlib.sha256(payload).hexdigest(),)),
        numbers(5093, _SHA256),
    )


def _files(package: RpmPackage) -> tuple[Entry, ...]:
    paths = sorted(package.files)
    contents = [package.files[path] for path in paths]
    folders = sorted({_folder(path) for path in paths})
    each = range(1, len(paths) + 1)
    return (
        numbers(1028, *map(len, contents)),
        short_numbers(1030, *(_REGULAR_FILE for _ in each)),
        short_numbers(1033, *(0 for _ in each)),
        numbers(1034, *(package.built for _ in each)),
        texts(1035, [hashlib.sha256(content).hexdigest() for content in contents]),
        texts(1036, ["" for _ in each]),
        numbers(1037, *(0 for _ in each)),
        texts(1039, ["root" for _ in each]),
        texts(1040, ["root" for _ in each]),
        # Everything that `rpm -V` can compare.
        numbers(1045, *(0xFFFFFFFF for _ in each)),
        numbers(1095, *(1 for _ in each)),
        numbers(1096, *each),
        texts(1097, ["" for _ in each]),
        numbers(1116, *(folders.index(_folder(path)) for path in paths)),
        texts(1117, [path.rpartition("/")[2] for path in paths]),
        texts(1118, folders),
        numbers(5011, _SHA256),
    )


def _folder(path: str) -> str:
    return path.rpartition("/")[0] + "/"


def _relations(package: RpmPackage) -> tuple[Entry, ...]:
    itself = Relation(package.name, "=", f"{package.version}-{package.release}")
    features = tuple(Relation(name, "<=", since) for name, since in _FEATURES)
    rpmlib = [0 for _ in package.requires] + [_RPMLIB for _ in features]
    return (
        *_relation(1047, 1112, 1113, (itself, *package.provides)),
        *_relation(1049, 1048, 1050, (*package.requires, *features), rpmlib),
        *(_relation(1054, 1053, 1055, package.conflicts) if package.conflicts else ()),
    )


def _relation(
    name: int, flags: int, version: int, relations: Sequence[Relation], more: Sequence[int] = ()
) -> tuple[Entry, ...]:
    added = more or [0] * len(relations)
    return (
        texts(name, [relation.name for relation in relations]),
        numbers(flags, *(_SENSES[one.operator] | bit for one, bit in zip(relations, added))),
        texts(version, [relation.version for relation in relations]),
    )


def _archive(package: RpmPackage) -> bytes:
    """The files as cpio's "newc" has them, padded to four bytes, names led by a dot."""
    archive = b""
    for number, path in enumerate(sorted(package.files), start=1):
        archive += _member(f".{path}", package.files[path], number, _REGULAR_FILE, package.built)
    return archive + _member("TRAILER!!!", b"", 0, 0, 0)


def _member(name: str, content: bytes, number: int, mode: int, modified: int) -> bytes:
    encoded = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, modified, len(content), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08x" % value for value in fields) + encoded
    head += b"\0" * (-len(head) % 4)
    return head + content + b"\0" * (-len(content) % 4)
