"""The files of a cpio archive, the payload of an rpm.

rpm2cpio is there wherever rpm is; cpio itself and tools for rpm's archives often aren't.
"""

import stat
from collections.abc import Iterator
from typing import IO, Protocol

_HEADER = 110
_TRAILER = "TRAILER!!!"


class Readable(Protocol):
    """What can be read in pieces."""

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; none at the end."""
        ...


class CpioError(ValueError):
    """The archive ends early, or is another kind of archive."""


def regular_files(archive: IO[bytes]) -> Iterator[tuple[str, Readable]]:
    """Every regular file by absolute path, as a stream that is good until the next one is asked.

    Reads the "new ASCII" form that rpm writes (cpio(5), newc): hexadecimal numbers of eight
    digits, names and contents padded to four bytes. Of a file with several names the content
    stands with the last one. Raises CpioError.
    """
    while True:
        header = archive.read(_HEADER)
        if len(header) < _HEADER or header[:5] != b"07070":
            raise CpioError("its payload ends early or is no cpio archive")
        try:
            numbers = [int(header[at : at + 8], 16) for at in range(6, _HEADER, 8)]
        except ValueError as error:
            raise CpioError("its payload has a header that is no number") from error
        mode, size, name_size = numbers[1], numbers[6], numbers[11]
        raw = archive.read(name_size + -(_HEADER + name_size) % 4)
        name = raw[:name_size].rstrip(b"\0").decode(errors="replace")
        if name == _TRAILER:
            return
        following = archive.tell() + size + -size % 4
        if stat.S_ISREG(mode):
            yield "/" + name.removeprefix(".").lstrip("/"), _Bounded(archive, size)
        archive.seek(following)


class _Bounded:
    """So many bytes of a stream, from where it stands."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, all that is left where it is negative."""
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._stream.read(wanted)
        self._left -= len(data)
        return data
