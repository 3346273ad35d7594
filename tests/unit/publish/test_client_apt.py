"""apt with the keyring of the client package, while the keys of a repository change, for real."""

import hashlib
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.signing import Keys
from tests.unit.publish.client_setups import client_setup
from toolchain.edge.gpg import open_signer
from toolchain.edge.process import Processes
from toolchain.publish.client import build_client_packages
from toolchain.render.apt_index import IndexFile, release_text

PROCESSES = Processes()
NOW = int(time.time())
_CONTROL = """\
Package: acme-server
Version: {version}-1
Architecture: all
Maintainer: Acme Developers <dev@example.com>
Filename: pool/acme-server_{version}-1_all.deb
Size: 1
SHA256: {digest}
Description: Acme

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """An apt repository of one package that is never fetched."""

    root: Path
    signing: Keys

    @property
    def url(self) -> str:
        return f"file://{self.root}"

    def publish(self, version: str, *keys: str, date: int = NOW, days: int = 14) -> None:
        suite = self.root / "deb/dists/stable"
        packages = _CONTROL.format(version=version, digest="0" * 64).encode()
        digest = hashlib.sha256(packages).hexdigest()
        # By its hash alone: apt links to files, so one that changes would change behind its back.
        place = suite / "main/binary-amd64/by-hash/SHA256" / digest
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(packages)
        index = IndexFile(path="main/binary-amd64/Packages", sha256=digest, size=len(packages))
        fields = {"Origin": "acme", "Suite": "stable", "Architectures": "amd64"}
        text = release_text(
            {**fields, "Components": "main"},
            date=date,
            valid_until=date + days * 86400,
            files=[index],
        )
        with open_signer(keys, processes=PROCESSES, environment=self.signing.environment) as signer:
            (suite / "InRelease").write_bytes(signer.clear(text))
        # apt asks for what is newer than what it has, in whole seconds.
        os.utime(suite / "InRelease", (date, date))


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A root of its own for apt of this machine, with the client package's files."""

    root: Path

    def set_up(self, package: Path) -> None:
        """Unpack a client package, and have its keyring found below this root."""
        subprocess.run(("dpkg-deb", "--extract", package, self.root), check=True)
        sources = self.root / "etc/apt/sources.list.d/acme.sources"
        sources.write_text(sources.read_text().replace(": /usr", f": {self.root}/usr"))

    def _apt(self, *words: str) -> str:
        options = {
            "Dir": f"{self.root}/",
            "Dir::State::status": self.root / "status",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "root",
            "APT::Update::Error-Mode": "any",
        }
        # Read before this machine's own configuration, which is then looked for below the root.
        configuration = self.root / "apt.conf"
        configuration.write_text("".join(f'{name} "{it}";\n' for name, it in options.items()))
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "APT_CONFIG": str(configuration)},
        )
        return done.stdout + done.stderr

    def update(self) -> str:
        """What `apt-get update` says."""
        return self._apt("apt-get", "update")

    @property
    def policy(self) -> str:
        return self._apt("apt-cache", "policy", "acme-server")

    @property
    def offered(self) -> str:
        """The version that apt would install."""
        lines = [line for line in self.policy.splitlines() if "Candidate:" in line]
        return lines[0].partition(": ")[2] if lines else ""


@pytest.fixture(scope="session")
def old(signing: Keys) -> str:
    return signing.make("old-apt", expires="1y")


@pytest.fixture(scope="session")
def new(signing: Keys) -> str:
    return signing.make("new-apt", algorithm="rsa3072", expires="2y")


@pytest.fixture
def repository(signing: Keys, tmp_path: Path) -> Repository:
    return Repository(root=tmp_path / "repository", signing=signing)


def set_up(repository: Repository, host: Host, work: Path, *keys: str) -> None:
    work.mkdir()
    with open_signer(
        keys, processes=PROCESSES, environment=repository.signing.environment
    ) as signer:
        setup = client_setup(*signer.described_keys(), url=repository.url)
    package, _ = build_client_packages(setup, work, PROCESSES)
    host.set_up(package)


@pytest.fixture
def host(repository: Repository, old: str, tmp_path: Path) -> Host:
    """A host set up for the old key."""
    root = tmp_path / "host"
    for directory in ("etc/apt/apt.conf.d", "var/lib/apt/lists/partial", "var/cache/apt"):
        (root / directory).mkdir(parents=True)
    (root / "status").touch()
    host = Host(root=root)
    set_up(repository, host, tmp_path / "client", old)
    return host


def test_a_key_is_changed_without_a_gap(
    repository: Repository, host: Host, old: str, new: str, tmp_path: Path
):
    repository.publish("1.0.0", old)
    said = host.update()
    assert host.offered == "1.0.0-1", said
    assert "600" in host.policy  # what the pin gives it

    # Both keys sign: a host that knows the old one alone goes on.
    repository.publish("1.1.0", new, old, date=NOW + 1)
    said = host.update()
    assert host.offered == "1.1.0-1", said
    assert "E: " not in said

    # The new key alone: refused until the client package brings it.
    repository.publish("1.2.0", new, date=NOW + 2)
    said = host.update()
    assert "NO_PUBKEY" in said
    assert host.offered == "1.1.0-1"
    set_up(repository, host, tmp_path / "next", new)
    host.update()
    assert host.offered == "1.2.0-1"

    # And the old key opens nothing any more.
    repository.publish("1.3.0", old, date=NOW + 3)
    assert "NO_PUBKEY" in host.update()
    assert host.offered == "1.2.0-1"


def test_an_index_that_is_expired_older_or_of_the_future_is_refused(
    repository: Repository, host: Host, old: str
):
    repository.publish("1.0.0", old, date=NOW - 20 * 86400)
    assert "is expired" in host.update()
    assert host.offered in {"", "(none)"}
    repository.publish("1.1.0", old, date=NOW)
    host.update()
    assert host.offered == "1.1.0-1"
    repository.publish("1.0.0", old, date=NOW - 86400)
    os.utime(repository.root / "deb/dists/stable/InRelease")
    host.update()
    assert host.offered == "1.1.0-1"
    # Of a publisher whose clock is wrong; it is not remembered either.
    repository.publish("1.2.0", old, date=NOW + 86400)
    assert "is not valid yet" in host.update()
    repository.publish("1.2.0", old, date=NOW + 1)
    host.update()
    assert host.offered == "1.2.0-1"
