"""The real apt-get against a repository that a web server shows, while it changes."""

import functools
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.unit.publish.conftest import Shop
from toolchain.edge.gpg import Signer
from toolchain.model.carried import PackageFile
from toolchain.model.version import Version
from toolchain.publish.deeds.promote import Promote
from toolchain.publish.deeds.refresh import Refresh
from toolchain.publish.deeds.withdraw import Withdraw

Files = tuple[PackageFile, ...]
_CONFIGURATION = """\
Dir "{root}";
Dir::State::status "{root}/status";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
"""


@dataclass(slots=True, kw_only=True)
class Shown:
    """A web server's address, and what it was asked for."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def shown(shop: Shop) -> Iterator[Shown]:
    found = Shown()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            found.asked.append(self.path)

    handler = functools.partial(Handler, directory=str(shop.repository))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield found
        server.shutdown()
        thread.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class Apt:
    """An apt with a root of its own."""

    root: Path

    def set_up(self, url: str, channel: str = "stable") -> None:
        for name in ("etc/apt/sources.list.d", "var/lib/apt/lists/partial", "var/cache/apt"):
            (self.root / name).mkdir(parents=True)
        (self.root / "status").touch()
        (self.root / "apt.conf").write_text(_CONFIGURATION.format(root=self.root))
        keyring = self.root / "keyring.gpg"
        text = f"deb [signed-by={keyring}] {url}/deb {channel} main\n"
        (self.root / "etc/apt/sources.list").write_text(text)

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        environment["APT_CONFIG"] = str(self.root / "apt.conf")
        return subprocess.run(
            words, capture_output=True, text=True, env=environment, check=False, cwd=self.root
        )

    def update(self) -> str:
        """Everything that `apt-get update` complains of; empty where it is content."""
        done = self.run("apt-get", "update")
        lines = (done.stdout + done.stderr).splitlines()
        said = [line for line in lines if line.startswith(("E:", "W:", "Err:"))]
        assert bool(done.returncode) == bool(said), done
        return "\n".join(said)

    @property
    def versions(self) -> list[str]:
        done = self.run("apt-cache", "madison", "demo-server")
        return sorted(line.split("|")[1].strip() for line in done.stdout.splitlines())


@pytest.fixture
def apt(tmp_path: Path, shop: Shop, shown: Shown, signer: Signer) -> Apt:
    """Trusts the key that the shop signs with from now on."""
    shop.signer = signer
    host = Apt(root=tmp_path / "host")
    host.set_up(shown.url)
    (host.root / "keyring.gpg").write_bytes(signer.public(armored=False))
    return host


def now() -> int:
    return int(subprocess.run(("date", "+%s"), capture_output=True, check=True).stdout)


def test_apt_follows_by_hash(
    shop: Shop, apt: Apt, shown: Shown, releases: tuple[Files, ...]
) -> None:
    for at, release in enumerate(releases[:3]):
        shop.add(*release, now=now() - 3600 + at)
        assert apt.update() == ""
        assert len(apt.versions) == at + 1
    indexes = [path for path in shown.asked if "/binary-" in path]
    assert indexes
    assert all("/by-hash/SHA256/" in path for path in indexes)
    done = apt.run("apt-get", "download", "demo-server=1.1.0-1")
    assert done.returncode == 0, done
    assert (apt.root / "demo-server_1.1.0-1_all.deb").exists()
    shop.do(
        Withdraw(release=Version(1, 2, 0), channels=["stable"], reason="broken"), now=now() - 1800
    )
    assert apt.update() == ""
    assert apt.versions == ["1.0.0-1", "1.1.0-1"]


def test_apt_reads_an_index_of_many_gzip_members(
    shop: Shop, apt: Apt, releases: tuple[Files, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolchain.publish.apt._PIECE", 1)
    shop.add(*(file for release in releases for file in release), now=now() - 10)
    packed = shop.repository / "deb/dists/stable/main/binary-amd64/Packages.gz"
    assert packed.read_bytes().count(b"\x1f\x8b\x08\x00\x00\x00\x00\x00") == 9
    assert apt.update() == ""
    assert len(apt.versions) == 4


def test_a_client_in_the_middle_sees_whole_indexes(
    shop: Shop, apt: Apt, releases: tuple[Files, ...]
) -> None:
    """A client updates without pause while publications follow each other."""
    start = now() - 3600
    shop.add(*releases[0], now=start)
    expected = [[f"1.{number}.0-1" for number in range(upto)] for upto in range(1, 5)]
    seen: list[list[str]] = []
    said: list[str] = []
    ended = threading.Event()

    def follow() -> None:
        while not ended.is_set():
            said.append(apt.update())
            seen.append(apt.versions)

    client = threading.Thread(target=follow)
    client.start()
    try:
        for at, release in enumerate(releases[1:], 1):
            shop.add(*release, now=start + 10 * at)
            for again in range(3):
                shop.do(Refresh(), now=start + 10 * at + again + 1)
    finally:
        ended.set()
        client.join()
    said.append(apt.update())
    seen.append(apt.versions)
    assert set(said) == {""}
    assert all(versions in expected for versions in seen)
    assert [len(versions) for versions in seen] == sorted(len(versions) for versions in seen)
    assert seen[-1] == expected[-1]


def test_an_index_out_of_validity_is_refused(
    shop: Shop, apt: Apt, releases: tuple[Files, ...]
) -> None:
    shop.add(*releases[0], now=now() - 15 * 86400)
    assert "expired" in apt.update()
    assert apt.versions == []
    shop.do(Refresh(), now=now() - 5)
    assert apt.update() == ""
    assert apt.versions == ["1.0.0-1"]


def test_a_tampered_index_or_package_is_refused(
    shop: Shop, apt: Apt, releases: tuple[Files, ...]
) -> None:
    shop.add(*releases[0], now=now() - 60)
    package = shop.repository / "deb/pool/main/demo/demo-server_1.0.0-1_all.deb"
    content = package.read_bytes()
    package.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert apt.update() == ""
    done = apt.run("apt-get", "download", "demo-server=1.0.0-1")
    assert done.returncode != 0
    assert "Hash Sum mismatch" in done.stderr
    release = shop.repository / "deb/dists/stable/InRelease"
    release.write_bytes(release.read_bytes().replace(b"Suite: stable", b"Suite: stabel"))
    assert "signature" in apt.update().lower()


def test_channels_are_separate(shop: Shop, apt: Apt, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0], now=now() - 600)
    shop.add(*releases[1], channel="candidate", now=now() - 500)
    assert apt.update() == ""
    assert apt.versions == ["1.0.0-1"]
    shop.do(
        Promote(release=Version(1, 1, 0), source="candidate", channels=["stable"]), now=now() - 400
    )
    assert apt.update() == ""
    assert apt.versions == ["1.0.0-1", "1.1.0-1"]
