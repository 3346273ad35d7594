"""A few files out of a package's payload, which is never held in memory whole."""

import tarfile
import tempfile
from collections.abc import Collection
from mmap import ACCESS_READ, mmap
from pathlib import Path

from toolchain.edge.cpio import members
from toolchain.edge.process import Command, Processes
from toolchain.model.release import Format


class PayloadError(ValueError):
    """The payload can't be unpacked; the text says why."""


def payload_files(
    path: Path, format_: Format, wanted: Collection[str], processes: Processes, *, longest: int
) -> dict[str, bytes]:
    """The contents of regular files by absolute path, none longer than `longest` bytes.

    Raises PayloadError, and ToolError where dpkg-deb or rpm2cpio is missing.
    """
    if not wanted:
        return {}
    unpack = {
        Format.DEB: ("dpkg-deb", "--fsys-tarfile"),
        Format.RPM: ("rpm2cpio",),
    }
    with tempfile.TemporaryDirectory(prefix="interlock-") as directory:
        archive = Path(directory, "payload")
        # Absolute, so that a name with a dash in front is no option.
        command = Command(argv=(*unpack[format_], str(path.absolute())))
        done = processes.finish(command, stdout=archive)
        if done.code != 0:
            raise PayloadError(done.errors or "its payload can't be unpacked")
        try:
            if format_ is Format.DEB:
                return _of_tar(archive, wanted, longest)
            with archive.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
                return members(content, wanted, longest=longest)
        except (ValueError, OSError, tarfile.TarError) as error:
            raise PayloadError(str(error)) from error


def _of_tar(archive: Path, wanted: Collection[str], longest: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            name = f"/{member.name.removeprefix('.').lstrip('/')}"
            if name in wanted and member.isfile() and member.size <= longest:
                content = tar.extractfile(member)
                found[name] = b"" if content is None else content.read()
                if len(found) == len(wanted):
                    break
    return found
