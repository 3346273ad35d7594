"""One server's host of the table, and the ways to put it before two shards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolchain.model.version import Version

from ..host import Host
from ..products import Customer, Packaged, Pair
from ..recipes import Packaging
from ..repository import PLACE
from ..services import overwrite, shards_file
from .shards import Situation

PROGRAM = "/usr/local/lib/table.py"
BYSTANDER = "bystander"
# Debian's way to say that no package may start a service here; rpm's scriptlets start none.
_POLICY = "/usr/sbin/policy-rc.d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server's host; `postgres` is where all the shards are."""

    customer: Customer
    postgres: Host

    @property
    def host(self) -> Host:
        return self.customer.host

    @property
    def packaged(self) -> Packaged:
        return self.customer.packaged

    @property
    def packaging(self) -> Packaging:
        return self.host.packaging

    def shard_package(self, name: str) -> str:
        return f"{self.packaged.product.name}-shard-{name}"

    def prepare(self) -> None:
        """Keep services and the agent's timer still, so that nothing moves but by a command."""
        self.host.write(_POLICY, "#!/bin/sh\nexit 101\n", mode=0o755)
        self.host.run("systemctl", "mask", f"{self.customer.server}-shards.timer")
        self.host.push(Path(__file__).with_name("program.py"), PROGRAM)

    def begin(self, situation: Situation, version: Version) -> None:
        """Come from wherever the host was left, with a server that is legal now."""
        if self.customer.pair().server is None:
            self.move(version)
        self._compile_runner()
        self.forget_shards()
        self.point(situation)
        self.move(version)

    def move(self, version: Version) -> None:
        """Bring the server to a version that the shards accept, by the tools below the solver."""
        if self.customer.pair().server != version:
            self._install_file(self.file(version))
        assert self.customer.pair() == Pair(server=version)

    def meet(self, situation: Situation) -> None:
        """Put the server before the shards of a situation, and let the agent read them."""
        self.point(situation)
        self.sync()
        self.assert_shards(situation)

    def point(self, situation: Situation) -> None:
        """Write where the shards are, and read nothing."""
        name, host = self.packaged.product.name, self.postgres.name
        text = "".join(
            f"[{shard}]\ndsn = host={host} dbname={state.database} user={name}\n"
            for shard, state in situation.shards
        )
        overwrite(self.host, shards_file(self.customer.server), text)

    def sync(self) -> None:
        """Let the agent read the shards now."""
        self.host.run(self.customer.server, "sync")

    def assert_shards(self, situation: Situation) -> None:
        """The local packages say of the shards what the shards say of themselves."""
        for shard, state in situation.shards:
            version = self.host.installed(self.shard_package(shard))
            assert version is not None, f"there is no package of shard {shard}"
            schema = version.split("-")[0].split(".")[0].split("+")[0].split("~")[0]
            assert schema == str(state.handshake.schema), (shard, version)

    def forget_shards(self) -> None:
        """Remove the shards' packages, so that no solver knows of them."""
        self.host.run(self.customer.server, "sync", "--remove")
        names = (self.shard_package(shard) for shard in ("north", "south"))
        assert [name for name in names if self.host.installed(name)] == []

    @contextmanager
    def overridden(self) -> Iterator[None]:
        """Let everything past the transaction hook."""
        server = self.customer.server
        self.host.run(server, "override", "--reason", "a test of the other gates", "--for", "1h")
        try:
            yield
        finally:
            self.host.run(server, "override", "--end")

    def file(self, version: Version) -> str:
        """The package itself, as the repository has it."""
        package, full = self.customer.server, self.full(version)
        deb = self.packaging is Packaging.DEB
        return f"{PLACE}/{package}" + (f"_{full}_all.deb" if deb else f"-{full}.noarch.rpm")

    @property
    def names(self) -> tuple[str, ...]:
        """The packages whose versions are looked up after each command."""
        shards = (self.shard_package("north"), self.shard_package("south"))
        return (self.customer.server, self.customer.database, *shards, BYSTANDER)

    def _compile_runner(self) -> None:
        """Spare thousands of runs the compiling, a quarter of each; all releases have one runner."""
        place = f"/usr/lib/{self.customer.server}/runner"
        if not self.host.exists(f"{place}/__pycache__"):
            words = ("-m", "compileall", "-q", "--invalidation-mode=unchecked-hash", place)
            self.host.run("python3", *words)

    def _install_file(self, path: str) -> None:
        match self.packaging:
            case Packaging.DEB:
                self.host.run("dpkg", "--force-downgrade", "--force-confold", "--install", path)
            case Packaging.RPM:
                self.host.run("rpm", "--upgrade", "--oldpackage", path)

    def full(self, version: Version) -> str:
        """The version as the package manager writes it."""
        return f"{version.packaged}-{self.packaged.product.release(version).revision}"
