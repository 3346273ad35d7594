"""dnf with what the client package brings: signatures, freshness and a change of keys, for real."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.signing import Keys
from tests.unit.publish.client_setups import client_setup
from tests.unit.publish.rpms import rpm
from toolchain.edge.gpg import open_signer
from toolchain.edge.process import Processes
from toolchain.publish.client import build_client_packages
from toolchain.publish.fragments import PACKAGES, read_fragments
from toolchain.publish.yum import repodata

PROCESSES = Processes()
NOW = int(time.time())
LATER = NOW + 86400
# An empty root has no release that dnf could find.
_AUTOMATIC = """
import sys, dnf.automatic.main, dnf.rpm
dnf.rpm.detect_releasever = lambda root: "9"
sys.exit(dnf.automatic.main.main(sys.argv[1:]))
"""
_OTHER = "[other]\nname=Other\nbaseurl=file://{}\ngpgcheck=0\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A signed yum repository laid out as publish does it."""

    root: Path
    signing: Keys

    @property
    def url(self) -> str:
        return f"file://{self.root}"

    def add(self, package: Path, key: str) -> None:
        """Sign a package with a key, and have the next state offer it."""
        path = Path(shutil.copy(package, self.root / "rpm/packages"))
        with self.signer(key) as signer:
            signer.sign_rpms([path])

    def signer(self, *keys: str):  # type: ignore[no-untyped-def]
        return open_signer(keys, processes=PROCESSES, environment=self.signing.environment)

    def publish(self, serial: int, *keys: str, valid_until: int | None = LATER) -> None:
        """Make all packages a state, signed by the first key."""
        state = self.root / f"rpm/states/stable/{serial}"
        shutil.rmtree(state, ignore_errors=True)
        (state / "repodata").mkdir(parents=True)
        (state / PACKAGES).symlink_to("../../../packages")
        fragments = [read_fragments(path) for path in (self.root / "rpm/packages").glob("*.rpm")]
        files = dict(repodata(fragments, serial=serial, valid_until=valid_until or 0))
        if valid_until is None:
            files["repomd.xml"] = files["repomd.xml"].replace(
                b"<content>valid-until=0", b"<content>"
            )
        with self.signer(*keys) as signer:
            files["repomd.xml.asc"] = signer.detached(files["repomd.xml"])
        for name, content in files.items():
            (state / "repodata" / name).write_bytes(content)
        self.announce(serial)

    def announce(self, serial: int) -> None:
        """Have clients find a state."""
        (self.root / "rpm/stable.mirrors").write_text(f"{self.url}/rpm/states/stable/{serial}/\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A root of its own that dnf of this machine works on, with the client package's files."""

    root: Path

    def set_up(self, package: Path) -> None:
        """Unpack a client package: its scripts would need a whole system."""
        archive = subprocess.run(("rpm2cpio", package), capture_output=True, check=True).stdout
        subprocess.run(
            ("cpio", "--extract", "--make-directories", "--unconditional", "--quiet"),
            cwd=self.root,
            input=archive,
            check=True,
        )
        repositories = self.root / "etc/yum.repos.d/acme.repo"
        # dnf looks for keys outside the root that it works on.
        text = repositories.read_text().replace("file:///etc/pki", f"file://{self.root}/etc/pki")
        repositories.write_text(text)
        plugins = self.root / "plugins"
        plugins.mkdir(exist_ok=True)
        link = plugins / "acme_repository.py"
        link.unlink(missing_ok=True)
        link.symlink_to(self.root / "usr/lib/acme-repository/dnf_plugin.py")

    def configure(self, below: str) -> Path:
        options = {
            "installroot": self.root,
            "pluginpath": self.root / "plugins",
            "reposdir": self.root / "etc/yum.repos.d",
            "cachedir": f"{below}/cache",
            "persistdir": f"{below}/persist",
            "logdir": f"{below}/log",
        }
        configuration = self.root / "dnf.conf"
        lines = (f"{name}={value}\n" for name, value in options.items())
        configuration.write_text("[main]\n" + "".join(lines))
        return configuration

    def dnf(self, *words: object) -> "subprocess.CompletedProcess[str]":
        # dnf puts its own directories below the root by itself.
        return self._run("dnf", "--assumeyes", f"--config={self.configure(below='')}", *words)

    def dnf_automatic(self) -> "subprocess.CompletedProcess[str]":
        """What RHEL's dnf-automatic does; Debian's dnf has the module and not the command."""
        configuration = self.configure(below=str(self.root))
        text = configuration.read_text().replace("[main]", "[base]")
        configuration.write_text(
            text + "[commands]\napply_updates=yes\n[emitters]\nemit_via=stdio\n"
        )
        return self._run("/usr/bin/python3", "-c", _AUTOMATIC, configuration, "--installupdates")

    def age_metadata(self) -> None:
        """Have what dnf fetched be older than the client package lets it stay."""
        for path in (self.root / "cache").rglob("*"):
            os.utime(path, (NOW - 7200, NOW - 7200))

    def _run(self, *argv: object) -> "subprocess.CompletedProcess[str]":
        words = tuple(map(str, argv))
        return subprocess.run(words, capture_output=True, text=True, check=False)

    @property
    def installed(self) -> set[str]:
        done = subprocess.run(
            ("rpm", "--root", self.root, "-qa", "--qf", "%{NAME}-%{VERSION}\n"),
            capture_output=True,
            text=True,
            check=True,
        )
        return {line for line in done.stdout.split() if not line.startswith("gpg-pubkey")}


@pytest.fixture(scope="module")
def rpms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rpms")
    for name, version in (("acme-server", "1.0.0"), ("acme-server", "1.1.0"), ("bystander", "1")):
        rpm(directory, name, version)
    return directory


@pytest.fixture(scope="session")
def old(signing: Keys) -> str:
    return signing.make("old-rpm", algorithm="rsa3072", expires="1y")


@pytest.fixture(scope="session")
def new(signing: Keys) -> str:
    return signing.make("new-rpm", algorithm="ed25519", expires="2y")


@pytest.fixture
def repository(rpms: Path, signing: Keys, old: str, tmp_path: Path) -> Repository:
    (tmp_path / "repository/rpm/packages").mkdir(parents=True)
    repository = Repository(root=tmp_path / "repository", signing=signing)
    repository.add(rpms / "acme-server-1.0.0.rpm", old)
    return repository


def set_up(repository: Repository, host: Host, work: Path, keys: Sequence[str]) -> None:
    work.mkdir()
    with repository.signer(*keys) as signer:
        setup = client_setup(*signer.described_keys(), url=repository.url)
    _, package = build_client_packages(setup, work, PROCESSES)
    host.set_up(package)


@pytest.fixture
def host(repository: Repository, rpms: Path, old: str, tmp_path: Path) -> Host:
    """A host set up for the old key, beside a repository of somebody else."""
    root = tmp_path / "host"
    root.mkdir()
    host = Host(root=root)
    set_up(repository, host, tmp_path / "client", [old])
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(rpms / "bystander-1.rpm", other)
    subprocess.run(("createrepo_c", "--quiet", other), check=True)
    (root / "etc/yum.repos.d/other.repo").write_text(_OTHER.format(other))
    return host


def kept_out(host: Host) -> str:
    """The sentence with which the product is kept out."""
    done = host.dnf("--refresh", "install", "acme-server")
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("acme-repository: ")]
    assert len(said) == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "acme-server-1.0.0" not in host.installed
    return said[0]


@pytest.mark.parametrize("damage", ["", "[1, {"])
def test_a_fresh_signed_index_installs(repository: Repository, host: Host, old: str, damage: str):
    repository.publish(NOW, old)
    folder = host.root / "var/lib/acme-repository"
    if damage:
        (folder / "seen.json").write_text(damage)
    done = host.dnf("install", "acme-server")
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.installed == {"acme-server-1.0.0"}
    assert "acme-repository: " not in done.stderr
    assert (folder / "seen.json").read_text() == f'{{"acme-stable": {NOW}}}'
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_index_that_is_expired_or_has_no_end_is_kept_out(
    repository: Repository, host: Host, old: str
):
    repository.publish(NOW - 100, old, valid_until=NOW - 50)
    said = kept_out(host)
    assert "the packages of the repository acme-stable are kept out" in said
    assert "its index was valid until 20" in said
    # Others are not kept out.
    done = host.dnf("install", "bystander")
    assert done.returncode == 0, done.stderr
    assert host.installed == {"bystander-1"}
    repository.publish(NOW, old, valid_until=None)
    assert "does not say until when it is valid" in kept_out(host)


def test_an_older_index_than_one_seen_is_kept_out(repository: Repository, host: Host, old: str):
    repository.publish(NOW - 100, old)
    repository.publish(NOW, old)
    assert host.dnf("makecache").returncode == 0
    repository.announce(NOW - 100)
    shutil.rmtree(host.root / "cache")
    assert f"({NOW - 100}) is older than one seen before ({NOW})" in kept_out(host)
    repository.announce(NOW)
    assert host.dnf("--refresh", "install", "acme-server").returncode == 0


def test_an_index_of_the_future_is_kept_out_and_forgotten(
    repository: Repository, host: Host, old: str
):
    """A publisher whose clock was wrong once shuts nobody out until that day."""
    future = NOW + 14 * 365 * 86400
    repository.publish(future, old, valid_until=future + 86400)
    assert "which this host's clock has not reached" in kept_out(host)
    repository.publish(NOW, old)
    done = host.dnf("--refresh", "install", "acme-server")
    assert done.returncode == 0, done.stderr
    assert host.installed == {"acme-server-1.0.0"}


def test_a_tampered_index_and_a_tampered_package_are_refused(
    repository: Repository, host: Host, old: str
):
    repository.publish(NOW, old)
    path = repository.root / f"rpm/states/stable/{NOW}/repodata/repomd.xml"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(str(LATER).encode(), str(LATER + 1).encode()))
    done = host.dnf("--refresh", "install", "acme-server")
    assert done.returncode == 1
    assert "Bad GPG signature" in done.stderr
    path.write_bytes(whole)
    package = repository.root / "rpm/packages/acme-server-1.0.0.rpm"
    content = bytearray(package.read_bytes())
    content[-1] ^= 1
    package.write_bytes(content)
    done = host.dnf("--refresh", "install", "acme-server")
    assert done.returncode == 1
    assert not host.installed


def test_an_unsigned_file_of_ours_is_refused_and_of_others_is_not(
    repository: Repository, host: Host, rpms: Path, old: str
):
    repository.publish(NOW, old)
    unsigned = rpms / "acme-server-1.1.0.rpm"
    done = host.dnf("install", unsigned)
    assert done.returncode == 1
    assert "is not signed by a key that rpm knows" in done.stderr
    assert f"fetch the keys from {repository.url}/keys/acme.asc" in done.stderr
    assert host.dnf("install", rpms / "bystander-1.rpm").returncode == 0
    assert host.dnf("install", "acme-server").returncode == 0  # imports the key
    repository.add(unsigned, old)
    done = host.dnf("install", repository.root / "rpm/packages/acme-server-1.1.0.rpm")
    assert done.returncode == 0, done.stderr
    assert host.installed == {"acme-server-1.1.0", "bystander-1"}
    assert host.dnf("--nogpgcheck", "reinstall", unsigned).returncode == 0


def test_a_key_is_changed_without_a_gap(
    repository: Repository, host: Host, rpms: Path, old: str, new: str, tmp_path: Path
):
    repository.publish(NOW, old)
    assert host.dnf("install", "acme-server").returncode == 0

    # A new key that the host was not told of is refused, for the index and for packages.
    repository.add(rpms / "acme-server-1.1.0.rpm", new)
    repository.publish(NOW + 1, new, old)
    done = host.dnf("--refresh", "upgrade", "acme-server")
    assert "Bad GPG signature" in done.stderr
    assert host.installed == {"acme-server-1.0.0"}

    # Told by a client package while the old key still signs the index, it is taken when needed.
    set_up(repository, host, tmp_path / "both", [old, new])
    repository.publish(NOW + 2, old, new)
    assert host.dnf("--refresh", "makecache").returncode == 0
    repository.publish(NOW + 3, new, old)
    done = host.dnf("--refresh", "upgrade", "acme-server")
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.installed == {"acme-server-1.1.0"}


def test_dnf_automatic_which_asks_nobody_takes_the_new_key(
    repository: Repository, host: Host, rpms: Path, old: str, new: str, tmp_path: Path
):
    repository.publish(NOW, old)
    assert host.dnf("install", "acme-server").returncode == 0
    set_up(repository, host, tmp_path / "both", [old, new])
    repository.add(rpms / "acme-server-1.1.0.rpm", new)
    repository.publish(NOW + 1, new, old)
    # Its timer comes when the metadata have expired; it heeds no "clean expire-cache".
    host.age_metadata()
    done = host.dnf_automatic()
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.installed == {"acme-server-1.1.0"}, done.stdout + done.stderr
