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


def _copy(source: Path, target: str, *, checksum: bool) -> tuple[str, int]:
    """Copy in pieces, so that memory does not grow with the payload."""
    if not checksum:
        shutil.copyfile(source, target)
        return "", os.stat(target).st_size
    digest, size = hashlib.md5(usedforsecurity=False), 0
    with source.open("rb") as reader, open(target, "xb") as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            size += writer.write(chunk)
    return digest.hexdigest(), size


def _write(entry: File, target: str, product: Path, *, checksum: bool) -> tuple[str, int]:
    if isinstance(entry.content, Payload):
        source = product / entry.content.path
        if not entry.gzip:
            return _copy(source, target, checksum=checksum)
        content = source.read_bytes()
    else:
        content = entry.content
    if entry.gzip:
        content = gzip.compress(content, 9, mtime=0)
    with open(target, "xb") as writer:
        writer.write(content)
    return hashlib.md5(content, usedforsecurity=False).hexdigest() if checksum else "", len(content)


def _make_parents(target: str, directories: dict[str, int]) -> None:
    """Make the directories above `target` that are not there yet, and note them."""
    parent = target.rpartition("/")[0]
    if parent not in directories:
        _make_parents(parent, directories)
        os.mkdir(parent)
        directories[parent] = 0o755


def stage(
    entries: Iterable[Entry], root: Path, product: Path, *, epoch: int, checksum: bool
) -> Staged:
    """Write the entries below `root`; every mode and time is set, whatever the umask and clock.

    `epoch` is in seconds. Payload is read from the `product` directory. Raises OSError.
    """
    md5sums: list[tuple[str, str]] = []
    kib = 0
    directories: dict[str, int] = {str(root): 0o755}
    root.mkdir(parents=True, exist_ok=True)
    for entry in sorted(entries, key=lambda item: item.path):
        target = f"{root}{entry.path}"
        _make_parents(target, directories)
        match entry:
            case Directory(mode=mode):
                os.makedirs(target, exist_ok=True)
                directories[target] = mode
            case Link(to=to):
                os.symlink(to, target)
                os.utime(target, (epoch, epoch), follow_symlinks=False)
            case File(mode=mode):
                digest, size = _write(entry, target, product, checksum=checksum)
                os.chmod(target, mode)
                os.utime(target, (epoch, epoch))
                md5sums.append((entry.path.lstrip("/"), digest))
                kib += -(-size // 1024)
    for directory in sorted(directories, reverse=True):
        os.chmod(directory, directories[directory])
        os.utime(directory, (epoch, epoch))
    return Staged(md5sums=tuple(md5sums), installed_kib=kib + len(directories))


def payload_size(entries: Iterable[Entry], product: Path) -> int:
    """How many bytes of payload the entries bring; what is written in memory is not counted."""
    return sum(
        (product / entry.content.path).stat().st_size
        for entry in entries
        if isinstance(entry, File) and isinstance(entry.content, Payload)
    )
