"""Which package files the arguments name, and what they say, read on all processors."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from toolchain.edge.package_files import read_package, require_regular
from toolchain.edge.process import Processes
from toolchain.errors import UsageError
from toolchain.model.carried import PackageFile
from toolchain.verify.halves import Report
from toolchain.verify.parallel import each

_ENDINGS = (".deb", ".rpm")
# Sources are no packages that a host installs.
_SOURCES = (".src.rpm", ".nosrc.rpm")


def package_paths(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files themselves, and all packages below the directories, each once.

    A repository is a directory like any other: what counts is the packages that it offers.
    Raises UsageError where nothing is found, and on what is called a package and is no file:
    reading a pipe or a device might never end.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if path.is_dir():
            below = list(_packages_below(path))
            if not below:
                raise UsageError(f"{path} holds no deb and no rpm", "name where the packages lie")
            found |= {os.path.realpath(one): one for one in below}
        elif os.path.lexists(path):
            require_regular(path)
            found[os.path.realpath(path)] = path
        else:
            raise UsageError(f"{path} does not exist", "name packages, or where they lie")
    return tuple(found.values())


def _packages_below(directory: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(directory):
        names.sort()
        # A directory with a package's name is most likely one that was unpacked by mistake.
        for name in sorted((*names, *files)):
            if name.endswith(_ENDINGS) and not name.endswith(_SOURCES):
                require_regular(Path(folder, name))
                yield Path(folder, name)


def read_packages(
    paths: Sequence[Path], processes: Processes, report: Report
) -> tuple[PackageFile, ...]:
    """Read all of them; raises UsageError on the first that is no package or is damaged."""
    read: list[PackageFile] = []
    for package in each(lambda path: read_package(path, processes), paths, processes):
        read.append(package)
        report(len(read), len(paths), f"reading {package.file_name}")
    return tuple(read)
