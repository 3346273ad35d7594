"""Offers built packages to a host as an unsigned local repository with a fresh index."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from .commands import Result, find_tool, run
from .recipes import Packaging
from .transfer import archive

PLACE = "/srv/repo"
_DNF_REPOSITORY = f"""\
[lab]
name=Packages under test
baseurl=file://{PLACE}
gpgcheck=0
"""


class Client(Protocol):
    """The host, as far as a repository needs one."""

    @property
    def packaging(self) -> Packaging: ...

    def run(self, *argv: str, stdin: bytes = b"") -> Result: ...

    def write(self, path: str, text: str) -> None: ...


def offer(host: Client, directory: Path) -> None:
    """Index the directory's packages, put them in place of those before, refresh the client."""
    packages = sorted(directory.glob(f"*.{host.packaging}"))
    states = (path.stat() for path in packages)
    versions = tuple((state.st_ino, state.st_size, state.st_mtime_ns) for state in states)
    host.run("rm", "-rf", PLACE)
    host.run("mkdir", "-p", PLACE)
    unpack = ("tar", "--extract", "--no-same-owner", "--preserve-permissions")
    host.run(*unpack, f"--directory={PLACE}", stdin=_indexed(tuple(packages), versions))
    match host.packaging:
        case Packaging.DEB:
            host.write("/etc/apt/sources.list.d/lab.list", f"deb [trusted=yes] file:{PLACE} ./\n")
            # apt compares times in whole seconds, and would keep an index of the same second.
            host.run("rm", "-rf", "/var/lib/apt/lists")
            host.run("apt-get", "update")
        case Packaging.RPM:
            host.write("/etc/yum.repos.d/lab.repo", _DNF_REPOSITORY)
            host.run("dnf", "clean", "all")
            host.run("dnf", "makecache")


@lru_cache(maxsize=4)
def _indexed(packages: tuple[Path, ...], versions: tuple[object, ...]) -> bytes:
    """Pack the repository; `versions` tells files of one name apart that were made anew."""
    with tempfile.TemporaryDirectory() as name:
        stage = Path(name)
        for package in packages:
            shutil.copy(package, stage)
        if any(package.suffix == ".rpm" for package in packages):
            run(find_tool("createrepo_c") or "createrepo_c", "--quiet", str(stage))
        else:
            (stage / "Packages").write_text(_packages_index(stage))
        # apt reads as a user of its own, whatever umask the tests run with.
        for path in stage.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return archive(stage)


def _packages_index(directory: Path) -> str:
    """Write the Packages file of a flat repository (Debian's repository format, 1.3)."""
    stanzas = []
    for package in sorted(directory.glob("*.deb")):
        data = package.read_bytes()
        control = run("dpkg-deb", "--field", str(package)).stdout.rstrip("\n")
        stanzas.append(
            f"{control}\nFilename: ./{package.name}\nSize: {len(data)}\n"
            f"SHA256: {hashlib.sha256(data).hexdigest()}\n"
        )
    return "\n".join(stanzas)
