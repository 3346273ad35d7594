"""The payload of a package, unpacked into a file of bounded size that is gone at the end."""

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.edge.process import Command, Processes
from toolchain.errors import UsageError

# What a package may unpack to, in bytes: a small file can hold any number of zeros.
_LARGEST = 4 << 30

# Where packages keep their systemd units; an old path is a link to the new one.
UNITS = ("/usr/lib/systemd/system/", "/lib/systemd/system/", "/etc/systemd/system/")


@contextmanager
def unpacked(path: Path, argv: tuple[str, ...], processes: Processes) -> Iterator[Path]:
    """What a tool writes of a package to its output; raises UsageError where it fails or floods."""
    with tempfile.TemporaryDirectory(prefix="interlock-") as directory:
        archive, link = Path(directory, "payload"), Path(directory, "package")
        # No name of a file is an option, or a pattern to rpm.
        link.symlink_to(path.absolute())
        limited = ("prlimit", f"--fsize={_LARGEST}", *argv, str(link))
        done = processes.finish(Command(argv=limited), stdout=archive)
        if done.code != 0:
            flooded = archive.stat().st_size >= _LARGEST
            said = " ".join(done.errors.strip().rpartition("\n")[2].split())
            why = "unpacks to more than 4 GiB" if flooded else f"can't be unpacked: {said}"
            raise UsageError(f"{path} {why}", "fetch it again, or import it by hand")
        yield archive


@contextmanager
def open_deb(path: Path, processes: Processes) -> Iterator[tarfile.TarFile]:
    """A deb's payload as a tar archive; raises UsageError."""
    with unpacked(path, ("dpkg-deb", "--fsys-tarfile"), processes) as archive:
        try:
            with tarfile.open(archive, errorlevel=1) as tar:
                yield tar
        except (tarfile.TarError, EOFError) as error:
            raise UsageError(f"{path} is damaged: {error}", "fetch it again") from error
