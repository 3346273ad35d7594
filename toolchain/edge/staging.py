"""Entries written into a tree that dpkg-deb or rpmbuild packs, with the times of the release."""

import gzip
import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolchain.plan.entry import Directory, Entry, File, Link, Payload

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """What was written: MD5 by path for dpkg's own check, and the size in KiB (Policy §5.6.20)."""

    md5sums: tuple[tuple[str, str], ...]
    installed_kib: int


def _copy(source: Path, target: Path, *, checksum: bool) -> tuple[str, int]:
    """Copy in pieces, so that memory does not grow with the payload."""
    if not checksum:
        shutil.copyfile(source, target)
        return "", target.stat().st_size
    digest, size = hashlib.md5(usedforsecurity=False), 0
    with source.open("rb") as reader, target.open("xb") as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            size += writer.write(chunk)
    return digest.hexdigest(), size


def _write(entry: File, target: Path, product: Path, *, checksum: bool) -> tuple[str, int]:
    if isinstance(entry.content, Payload):
        source = product / entry.content.path
        if not entry.gzip:
            return _copy(source, target, checksum=checksum)
        content = source.read_bytes()
    else:
        content = entry.content
    if entry.gzip:
        content = gzip.compress(content, 9, mtime=0)
    target.write_bytes(content)
    return hashlib.md5(content, usedforsecurity=False).hexdigest() if checksum else "", len(content)


def stage(
    entries: Iterable[Entry], root: Path, product: Path, *, epoch: int, checksum: bool
) -> Staged:
    """Write the entries below `root`; every mode and time is set, whatever the umask and clock.

    `epoch` is in seconds. Payload is read from the `product` directory. Raises OSError.
    """
    md5sums: list[tuple[str, str]] = []
    kib = 0
    directories: dict[Path, int] = {}
    root.mkdir(parents=True, exist_ok=True)
    for entry in sorted(entries, key=lambda item: item.path):
        target = root / entry.path.lstrip("/")
        for parent in reversed(target.parents):
            if parent not in directories and parent.is_relative_to(root):
                parent.mkdir(exist_ok=True)
                directories[parent] = 0o755
        match entry:
            case Directory(mode=mode):
                target.mkdir(exist_ok=True)
                directories[target] = mode
            case Link(to=to):
                target.symlink_to(to)
                os.utime(target, (epoch, epoch), follow_symlinks=False)
            case File(mode=mode):
                digest, size = _write(entry, target, product, checksum=checksum)
                target.chmod(mode)
                os.utime(target, (epoch, epoch))
                md5sums.append((entry.path.lstrip("/"), digest))
                kib += -(-size // 1024)
    for directory, mode in sorted(directories.items(), reverse=True):
        directory.chmod(mode)
        os.utime(directory, (epoch, epoch))
    return Staged(md5sums=tuple(md5sums), installed_kib=kib + len(directories))


def payload_size(entries: Iterable[Entry], product: Path) -> int:
    """How many bytes of payload the entries bring; what is written in memory is not counted."""
    return sum(
        (product / entry.content.path).stat().st_size
        for entry in entries
        if isinstance(entry, File) and isinstance(entry.content, Payload)
    )
