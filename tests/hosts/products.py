"""The products whose pairs customers try on test hosts, and a host as such a customer uses it."""

from __future__ import annotations

import fcntl
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from toolchain.build.product import open_product
from toolchain.matrix.compatibility import matrix
from toolchain.model.law import compatible
from toolchain.model.release import Product
from toolchain.model.version import Version

from .commands import Result, run
from .host import Host
from .recipes import Packaging

ROOT = Path(__file__).parents[2]
# Of the tests' own: a product that somebody fetched by hand may have other releases.
_BUILD = ROOT / "build/hosts"
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What a host has of a product; None where that half is not installed."""

    server: Version | None = None
    database: Version | None = None

    def __str__(self) -> str:
        return f"server {self.server or '-'} and database {self.database or '-'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Why a pair is illegal: `holder` conflicts with `target` earlier than `bound`."""

    holder: str
    target: str
    bound: str

    def is_named(self, output: str, packaging: Packaging) -> bool:
        """Whether a package manager's output gives this as its reason."""
        holder, target, bound = map(re.escape, (self.holder, self.target, self.bound))
        patterns: tuple[str, ...]
        match packaging:
            case Packaging.DEB:
                # apt writes "(< 12)" where the package says "(<< 12)".
                patterns = (rf"^ {holder} : Conflicts: {target} \(< {bound}\)",)
            case Packaging.RPM:
                patterns = (
                    rf"package {holder}-\S+ conflicts with {target} < {bound} provided by",
                    rf"^\t{target} < {bound} conflicts with (\(installed\) )?{holder}-",
                )
        return any(re.search(pattern, output, re.MULTILINE) for pattern in patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaged:
    """A product, and the directory with the packages of all its releases."""

    product: Product
    directory: Path

    @property
    def versions(self) -> tuple[Version, ...]:
        """The releases, from the oldest to the newest."""
        return tuple(release.version for release in self.product.releases)

    def pairs(self, *, legal: bool) -> tuple[Pair, ...]:
        """Every server with every database package that it fits, or that it does not fit."""
        every = (Pair(server=one, database=two) for one in self.versions for two in self.versions)
        return tuple(pair for pair in every if self.fits(pair) is legal)

    def cells(self, *, legal: bool) -> tuple[Pair, ...]:
        """Those of the pairs that stand for a cell of the matrix: one database for each column."""
        columns = {state.releases[-1] for state in matrix(self.product).states}
        return tuple(pair for pair in self.pairs(legal=legal) if pair.database in columns)

    def fits(self, pair: Pair) -> bool:
        """Whether the law lets the pair be on one host; half a pair always may."""
        if pair.server is None or pair.database is None:
            return True
        server, database = map(self.product.release, (pair.server, pair.database))
        return compatible(server.server_handshake, database.shard_handshake)

    def conflict(self, pair: Pair) -> Conflict:
        """Why an illegal pair is one."""
        assert pair.server is not None
        assert pair.database is not None
        product = self.product
        oldest = product.release(pair.server).server.schemas.oldest
        if product.release(pair.database).database.schema < oldest:
            return Conflict(
                holder=product.server_package, target=product.schema_package, bound=str(oldest)
            )
        bound = product.release(pair.database).database.servers.oldest.packaged
        return Conflict(holder=product.database_package, target=product.server_package, bound=bound)


def fleetdesk() -> Packaged:
    """The sample product, built from its specs."""
    return _build(ROOT / "release-specs/fleetdesk")


def procrastinate() -> Packaged:
    """A real job server, fetched from PyPI; what was fetched is kept for the next run."""
    specs = _BUILD / "specs/procrastinate"
    with _alone("fetch"):
        environment = {name: os.environ[name] for name in _PROXIES if name in os.environ}
        fetch = str(ROOT / "scripts/fetch-procrastinate")
        run(sys.executable, fetch, str(specs), timeout=600, env=environment)
    return _build(specs)


def _build(specs: Path) -> Packaged:
    """Build every release, once for all workers of a test run."""
    output, mark = _BUILD / "packages" / specs.name, _BUILD / f".{specs.name}.run"
    test_run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
    with _alone(specs.name):
        if not test_run or not mark.exists() or mark.read_text() != test_run:
            words = ("-m", "toolchain", "build", str(specs), "--output", str(output))
            run(sys.executable, *words, timeout=600, env={"PYTHONPATH": str(ROOT)})
            mark.write_text(test_run)
    return Packaged(product=open_product(specs, {}).product, directory=output)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Keep other test processes from making the same product at the same time."""
    _BUILD.mkdir(parents=True, exist_ok=True)
    with (_BUILD / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A host whose package manager knows a repository with every release of a product."""

    host: Host
    packaged: Packaged

    @property
    def server(self) -> str:
        """The name of the server package."""
        return self.packaged.product.server_package

    @property
    def database(self) -> str:
        """The name of the database package."""
        return self.packaged.product.database_package

    def manage(self, *arguments: str) -> Result:
        """Run the package manager with "yes" as the answer to all it asks."""
        deb = self.host.packaging is Packaging.DEB
        return self.host.apt(*arguments) if deb else self.host.dnf(*arguments)

    def install(self, pair: Pair, *options: str) -> Result:
        """Ask for just these versions, in one run; nothing is asked where one is None."""
        return self.manage("install", *options, *self.words(pair))

    def install_each(self, pairs: Sequence[Pair]) -> tuple[Result, ...]:
        """Ask for one pair after another, whatever became of the one before."""
        match self.host.packaging:
            case Packaging.DEB:
                return tuple(map(self.install, pairs))
            case Packaging.RPM:
                # One dnf for all, because it starts ten times longer than it refuses. The exit
                # status says nothing then; a list of the repositories ends each answer.
                steps = "install {}\nrun\ntransaction reset\nrepo list\n"
                script = "".join(steps.format(" ".join(self.words(pair))) for pair in pairs)
                shell = ("sh", "-c", "exec dnf -y shell 2>&1")
                whole = self.host.run(*shell, stdin=f"{script}exit\n", timeout=600)
                answers = whole.stdout.split("repo id ")[:-1]
                return tuple(replace(whole, stdout=answer) for answer in answers)

    @contextmanager
    def held(self, package: str) -> Iterator[None]:
        """Let the package manager neither upgrade nor downgrade a package."""
        match self.host.packaging:
            case Packaging.DEB:
                begin: tuple[str, ...] = ("apt-mark", "hold", package)
                end: tuple[str, ...] = ("apt-mark", "unhold", package)
            case Packaging.RPM:
                repository = "/etc/yum.repos.d/lab.repo"
                begin = ("sed", "--in-place", f"$aexcludepkgs={package}", repository)
                end = ("sed", "--in-place", "/^excludepkgs=/d", repository)
        self.host.run(*begin)
        try:
            yield
        finally:
            self.host.run(*end)

    def words(self, pair: Pair) -> tuple[str, ...]:
        """The packages of a pair as the command line names them."""
        joint = "=" if self.host.packaging is Packaging.DEB else "-"
        halves = ((self.server, pair.server), (self.database, pair.database))
        return tuple(
            f"{name}{joint}{self._full(version)}" for name, version in halves if version is not None
        )

    def pair(self) -> Pair:
        """What is installed."""
        known = {self._full(version): version for version in self.packaged.versions}
        server, database = map(self.host.installed, (self.server, self.database))
        return Pair(
            server=None if server is None else known[server],
            database=None if database is None else known[database],
        )

    def damage(self) -> str:
        """What the package manager finds half-done or changed; empty when all is well."""
        match self.host.packaging:
            case Packaging.DEB:
                return self.host.run("dpkg", "--audit").stdout
            case Packaging.RPM:
                names = (name for name in (self.server, self.database) if self.host.installed(name))
                # Configuration is the operator's to change.
                command = ("rpm", "--verify", "--noconfig")
                verify = (self.host.run(*command, name, check=False) for name in names)
                return "".join(result.output for result in verify)

    def purge(self) -> Result:
        """Remove both packages, protected as they are, with their configuration."""
        names = (self.server, self.database)
        match self.host.packaging:
            case Packaging.DEB:
                return self.host.apt("purge", "--allow-remove-essential", *names)
            case Packaging.RPM:
                return self.host.dnf("remove", "--setopt=protected_packages=", *names)

    def wipe(self) -> None:
        """The same by the tools below the package managers, which ask nobody and take no time."""
        agent = f"{self.server}-shards"
        self.host.run("systemctl", "stop", f"{agent}.timer", f"{agent}.service", check=False)
        names = [name for name in (self.server, self.database) if self._is_known(name)]
        names += self.shard_packages()
        match self.host.packaging:
            case Packaging.DEB:
                command: tuple[str, ...] = ("dpkg", "--purge", "--force-remove-protected")
            case Packaging.RPM:
                command = ("rpm", "--erase")
        if names:
            self.host.run(*command, *names)

    def shard_packages(self) -> list[str]:
        """The names of the local packages that the shard agent made."""
        pattern = f"{self.packaged.product.name}-shard-*"
        match self.host.packaging:
            case Packaging.DEB:
                query: tuple[str, ...] = ("dpkg-query", "--show", "--showformat=${Package}\n")
            case Packaging.RPM:
                query = ("rpm", "--query", "--all", "--queryformat=%{NAME}\n")
        return self.host.run(*query, pattern, check=False).stdout.split()

    def _is_known(self, name: str) -> bool:
        """Whether anything of the package is left, were it its configuration only."""
        match self.host.packaging:
            case Packaging.DEB:
                query: tuple[str, ...] = ("dpkg-query", "--show", name)
            case Packaging.RPM:
                query = ("rpm", "--query", name)
        return self.host.run(*query, check=False).returncode == 0

    def _full(self, version: Version) -> str:
        release = self.packaged.product.release(version)
        return f"{version.packaged}-{release.revision}"
