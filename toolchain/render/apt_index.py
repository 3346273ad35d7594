"""The text of an apt repository's index (Debian's repository format); pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from toolchain.model.carried import PackageFile

# Said of a package by who offers it, so a package may not say it of itself.
_OURS = ("Filename", "Size", "SHA256", "SHA1", "SHA512", "MD5sum")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """A file that Release names, by its path below the suite; the digest is SHA-256 in hex."""

    path: str
    sha256: str
    size: int


def stanza(file: PackageFile, place: str) -> str:
    """A package as the index offers it, an empty line at its end; raises ValueError.

    Its own paragraph stands there word for word, so it must be one paragraph and no more.
    """
    for line in file.control.split("\n"):
        if not line.strip():
            raise ValueError("its control file holds more than one paragraph")
        if re.match(rf"(?i)({'|'.join(_OURS)})\s*:", line):
            raise ValueError(f"its control file holds {line.partition(':')[0]}")
    return f"{file.control}\nFilename: {place}\nSize: {file.size}\nSHA256: {file.sha256}\n\n"


def release_text(
    fields: Mapping[str, str], *, date: int, valid_until: int, files: Sequence[IndexFile]
) -> bytes:
    """The Release file; both times are seconds since 1970.

    `Acquire-By-Hash` makes clients fetch the index that this very file names, whatever has been
    published since.
    """
    lines = [f"{name}: {_line(value)}" for name, value in fields.items()]
    lines += [f"Date: {_time(date)}", f"Valid-Until: {_time(valid_until)}"]
    lines += ["Acquire-By-Hash: yes", "SHA256:"]
    lines += [f" {one.sha256} {one.size:>10} {one.path}" for one in files]
    return ("\n".join(lines) + "\n").encode()


def _line(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError(f"{text!r} is no line of a Release file")
    return text


def _time(seconds: int) -> str:
    # RFC 2822 with "UTC", the only zone that Debian's format knows.
    return datetime.fromtimestamp(seconds, UTC).strftime("%a, %d %b %Y %H:%M:%S UTC")


def architectures(found: Iterable[str]) -> tuple[str, ...]:
    """The architectures of an index; packages for every machine alone serve the two usual ones."""
    return tuple(sorted(set(found) - {"all"})) or ("amd64", "arm64")
