"""The files of a package's payload, which is never held in memory whole."""

import tarfile
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.edge.cpio import Readable, regular_files
from toolchain.edge.process import Command, Processes
from toolchain.model.release import Format


class PayloadError(ValueError):
    """The payload can't be unpacked; the text says why."""


@contextmanager
def open_payload(
    path: Path, format_: Format, processes: Processes
) -> Iterator[Iterator[tuple[str, Readable]]]:
    """Every regular file by absolute path, as a stream that is good until the next one is asked.

    Raises PayloadError, and ToolError where dpkg-deb or rpm2cpio is missing.
    """
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
                with tarfile.open(archive) as tar:
                    yield _of_tar(tar)
            else:
                with archive.open("rb") as file:
                    yield regular_files(file)
        except (ValueError, OSError, tarfile.TarError) as error:
            raise PayloadError(str(error)) from error


def _of_tar(tar: tarfile.TarFile) -> Iterator[tuple[str, Readable]]:
    for member in tar:
        content = tar.extractfile(member) if member.isfile() else None
        if content is not None:
            yield f"/{member.name.removeprefix('.').lstrip('/')}", content


def payload_files(
    path: Path, format_: Format, wanted: Collection[str], processes: Processes, *, longest: int
) -> dict[str, bytes]:
    """The contents of regular files by absolute path, none longer than `longest` bytes.

    Raises PayloadError, and ToolError where dpkg-deb or rpm2cpio is missing.
    """
    found: dict[str, bytes] = {}
    if not wanted:
        return found
    with open_payload(path, format_, processes) as files:
        for name, file in files:
            content = whole(file, longest) if name in wanted else None
            if content is not None:
                found[name] = content
                if len(found) == len(wanted):
                    break
    return found


def whole(file: Readable, longest: int) -> bytes | None:
    """A file's content, None where it has more than `longest` bytes."""
    content = file.read(longest + 1)
    return content if len(content) <= longest else None
