"""A few members of a cpio archive, the payload of an rpm.

rpm2cpio is there wherever rpm is; cpio itself and tools for rpm's archives often aren't.
"""

from collections.abc import Collection
from mmap import mmap

_HEADER = 110
_TRAILER = "TRAILER!!!"


class CpioError(ValueError):
    """The archive ends early, or is another kind of archive."""


def members(archive: bytes | mmap, wanted: Collection[str], *, longest: int) -> dict[str, bytes]:
    """The contents of regular files by absolute path, none longer than `longest` bytes.

    Reads the "new ASCII" form that rpm writes (cpio(5), newc): hexadecimal numbers of eight
    digits, names and contents padded to four bytes. Raises CpioError.
    """
    found: dict[str, bytes] = {}
    position = 0
    while len(found) < len(wanted):
        header = archive[position : position + _HEADER]
        if len(header) < _HEADER or header[:5] != b"07070":
            raise CpioError("its payload ends early or is no cpio archive")
        try:
            numbers = [int(header[at : at + 8], 16) for at in range(6, _HEADER, 8)]
        except ValueError as error:
            raise CpioError("its payload has a header that is no number") from error
        size, name_size = numbers[6], numbers[11]
        start = position + _HEADER
        name = archive[start : start + name_size].rstrip(b"\0").decode(errors="replace")
        if name == _TRAILER:
            break
        content = start + name_size + -(start + name_size) % 4
        path = "/" + name.removeprefix(".").lstrip("/")
        if path in wanted and size <= longest:
            found[path] = archive[content : content + size]
        position = content + size + -(content + size) % 4
    return found
