"""A published repository on the lab's network, and the clients that are set up for it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.signing import Keys

from .commands import Result, run
from .forgery import Copy
from .host import Host
from .products import ROOT
from .recipes import Packaging


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A repository that `interlock publish` keeps, and `shown`, a symlink to what is served."""

    place: Path
    shown: Path
    shelf: Path
    url: str
    keys: Keys
    own: str
    other: str

    @property
    def repository(self) -> Path:
        """The published repository."""
        return self.place / "repository"

    def publish(self, deed: str, *words: str | Path, keys: tuple[str, ...] = ()) -> Result:
        """Run the command on the repository, signing with the keys (without any: its own)."""
        signing = (word for key in keys or (self.own,) for word in ("--key", key))
        address = ("--url", self.url) if deed == "add" else ()
        options = ("--repository", str(self.repository), *address, *signing)
        command = (sys.executable, "-m", "toolchain", "publish", deed, *map(str, words), *options)
        environment = {"PYTHONPATH": str(ROOT), "GNUPGHOME": str(self.keys.home)}
        return run(*command, env=environment, timeout=600)

    def release(self, version: str) -> tuple[Path, ...]:
        """The packages of a release, in both formats."""
        return tuple(sorted(self.shelf.glob(f"*[-_]{version}-1*")))

    def client_package(self, packaging: Packaging) -> Path:
        """The newest published client set-up package."""
        found = (*self.repository.glob(f"deb/pool/main/*/*-repository_*.{packaging}"),)
        if packaging is Packaging.RPM:
            found = (*self.repository.glob("rpm/packages/*-repository-*.rpm"),)
        return max(found, key=lambda path: path.stat().st_mtime_ns)

    def show(self, root: Path) -> None:
        """Let the web server serve another directory, from one request to the next."""
        new = self.shown.with_name("next")
        new.symlink_to(root)
        new.rename(self.shown)

    def copy(self, name: str) -> Copy:
        """Copy the repository, to be changed."""
        root = self.place / name
        shutil.copytree(self.repository, root, symlinks=True)
        return Copy(root=root, keys=self.keys, own=self.own, other=self.other)

    @contextmanager
    def fork(self) -> Iterator[Site]:
        """Serve a copy of the repository for a while, in which more can be published."""
        with tempfile.TemporaryDirectory() as name:
            # For every user, as the web server's own directory is.
            Path(name).chmod(0o755)
            copy = replace(self, place=Path(name))
            shutil.copytree(self.repository, copy.repository, symlinks=True)
            copy.show(copy.repository)
            try:
                yield copy
            finally:
                self.show(self.repository)

    @contextmanager
    def attacked(self, change: Callable[[Copy], None]) -> Iterator[None]:
        """Serve a changed copy for a while."""
        copy = self.copy("attacked")
        try:
            change(copy)
            self.show(copy.root)
            yield
        finally:
            self.show(self.repository)
            shutil.rmtree(copy.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A host's package manager; every answer may be a refusal."""

    host: Host

    @property
    def _deb(self) -> bool:
        return self.host.packaging is Packaging.DEB

    def __str__(self) -> str:
        return "apt" if self._deb else "dnf"

    def forget(self) -> None:
        """Be as a host that has never seen the repository's index."""
        if self._deb:
            self.host.run("rm", "-rf", "/var/lib/apt/lists", "/var/cache/apt/archives")
            self.host.run("mkdir", "-p", "/var/cache/apt/archives/partial")
        else:
            seen = "/var/lib/fleetdesk-repository/seen.json"
            self.host.run("rm", "-rf", "/var/cache/dnf", seen)

    def update(self) -> Result:
        """Ask for the newest index."""
        return self.manage("update") if self._deb else self.manage("makecache", "--refresh")

    def install(self, *words: str) -> Result:
        """Install packages; a version is put behind a name with `at`."""
        return self.manage("install", *words)

    def manage(self, *words: str) -> Result:
        """Run the package manager."""
        return self.host.apt(*words) if self._deb else self.host.dnf(*words)

    def at(self, package: str, version: str) -> str:
        """How a version of a package is asked for."""
        return f"{package}{'=' if self._deb else '-'}{version}-1"

    def offered(self, package: str) -> str:
        """The versions that the client would install, without asking the network again."""
        if self._deb:
            return self.host.run("apt-cache", "madison", package, check=False).output
        words = ("--cacheonly", "--quiet", "list", "--showduplicates", package)
        return self.host.dnf(*words).output

    def installed(self, package: str) -> str | None:
        """The version of an installed package."""
        version = self.host.installed(package)
        return version and version.removesuffix("-1")

    def trust(self, keys: Keys, fingerprint: str) -> None:
        """Put another key in place of those that the set-up package brought."""
        if self._deb:
            path = "/usr/share/keyrings/fleetdesk-archive-keyring.gpg"
            keyring = keys.public(fingerprint)
        else:
            path = "/etc/pki/rpm-gpg/RPM-GPG-KEY-fleetdesk"
            keyring = keys.gpg("--armor", "--export", fingerprint)
        self.host.run("install", "-m", "644", "/dev/stdin", path, stdin=keyring)

    def remove(self, *packages: str) -> None:
        """Remove packages by the tools below, which ask nobody."""
        names = [name for name in packages if self.host.installed(name)]
        command = (
            ("dpkg", "--purge", "--force-all") if self._deb else ("rpm", "--erase", "--nodeps")
        )
        if names:
            self.host.run(*command, *names)
