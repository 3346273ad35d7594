"""dnf reads the yum index, through a mirrorlist and a baseurl, from a web server and from files.

Signatures are switched off: these are about the index and the way from a state to its packages.
"""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.unit.publish.rpms import ODD_FILE, ODD_SUMMARY, rpm
from toolchain.publish.fragments import PACKAGES, Fragments, read_fragments
from toolchain.publish.yum import repodata

MANY = 2000
OPTIONS = {
    "plugins": "0",
    "gpgcheck": "0",
    "install_weak_deps": "0",
    "metadata_expire": "never",
    "keepcache": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A directory laid out as publish does it, and the addresses that lead to it."""

    root: Path
    addresses: dict[str, str]

    def publish(self, serial: int, *fragments: Fragments) -> None:
        """Write one more state and make it the newest."""
        state = self.root / f"states/stable/{serial}"
        (state / "repodata").mkdir(parents=True)
        (state / PACKAGES).symlink_to("../../../packages")
        for name, content in repodata(fragments, serial=serial, valid_until=serial + 1).items():
            (state / "repodata" / name).write_bytes(content)
        (self.root / "stable").unlink(missing_ok=True)
        (self.root / "stable").symlink_to(f"states/stable/{serial}")
        for scheme, address in self.addresses.items():
            line = f"{address}/states/stable/{serial}/\n"
            (self.root / f"stable.{scheme}").write_text(line)

    def option(self, way: str) -> str:
        """What the .repo file says for a way such as `http baseurl`."""
        scheme, kind = way.split()
        place = self.addresses[scheme] + "/stable"
        return f"mirrorlist={place}.{scheme}" if kind == "mirrorlist" else f"baseurl={place}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dnf:
    """A dnf with an empty host and a cache of its own."""

    work: Path

    def __call__(self, *words: str) -> str:
        argv = ("dnf", "--assumeyes", "--quiet", f"--config={self.work}/dnf.conf", *words)
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def client(work: Path, option: str) -> Dnf:
    work.mkdir()
    places = {
        "installroot": work / "root",
        "cachedir": work / "cache",
        "persistdir": work / "persist",
        "logdir": work / "log",
        "reposdir": work / "none",
    }
    main = {**OPTIONS, **places}
    lines = "".join(f"{name}={value}\n" for name, value in main.items())
    (work / "dnf.conf").write_text(f"[main]\n{lines}[acme]\nname=Acme\n{option}\n")
    return Dnf(work=work)


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def rpms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rpms")
    rpm(directory, "acme-many", files=MANY)
    for version in ("1.0.0", "1.1.0"):
        rpm(directory, "acme-server", version)
    return directory


@pytest.fixture
def repository(rpms: Path, tmp_path: Path) -> Iterator[Repository]:
    root = tmp_path / "rpm"
    shutil.copytree(rpms, root / "packages")
    handler = partial(Handler, directory=str(root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        addresses = {"http": f"http://127.0.0.1:{server.server_port}", "file": f"file://{root}"}
        yield Repository(root=root, addresses=addresses)
        server.shutdown()
        thread.join()


def read(repository: Repository, *names: str) -> tuple[Fragments, ...]:
    return tuple(read_fragments(repository.root / f"packages/{name}.rpm") for name in names)


WAYS = ("http mirrorlist", "http baseurl", "file mirrorlist", "file baseurl")


@pytest.mark.parametrize("way", WAYS)
def test_dnf_installs_from_a_state(repository: Repository, tmp_path: Path, way: str):
    repository.publish(100, *read(repository, "acme-server-1.0.0", "acme-many-1.0.0"))
    dnf = client(tmp_path / "host", repository.option(way))
    dnf("install", "acme-server")
    assert dnf("repoquery", "--installed", "--queryformat=%{version}").split() == ["1.0.0"]


def test_dnf_reads_every_member_of_the_index(repository: Repository, tmp_path: Path):
    repository.publish(100, *read(repository, "acme-many-1.0.0", "acme-server-1.0.0"))
    dnf = client(tmp_path / "host", repository.option("file mirrorlist"))
    names = dnf("repoquery", "--queryformat=%{name} %{summary}")
    assert names.splitlines() == [f"acme-many {ODD_SUMMARY}", f"acme-server {ODD_SUMMARY}"]
    listed = dnf("repoquery", "--list", "acme-many").splitlines()
    assert ODD_FILE in listed
    assert len(listed) == MANY + 2
    owners = dnf("repoquery", "--queryformat=%{name}", "--file", ODD_FILE)
    assert owners.split() == ["acme-many", "acme-server"]
    assert "- Split <host> & more." in dnf("repoquery", "--changelogs", "acme-server")


def test_dnf_follows_the_mirrorlist_to_the_next_state(repository: Repository, tmp_path: Path):
    dnf = client(tmp_path / "host", repository.option("http mirrorlist"))
    versions = ("repoquery", "--queryformat=%{version}", "acme-server")
    repository.publish(100, *read(repository, "acme-server-1.0.0"))
    assert dnf(*versions).split() == ["1.0.0"]
    repository.publish(200, *read(repository, "acme-server-1.0.0", "acme-server-1.1.0"))
    assert dnf(*versions).split() == ["1.0.0"]
    assert dnf("--refresh", *versions).split() == ["1.0.0", "1.1.0"]


def test_an_old_cache_still_finds_its_packages(repository: Repository, tmp_path: Path):
    """dnf asks the mirrorlist again before it fetches a package: the newest state serves all."""
    dnf = client(tmp_path / "host", repository.option("http mirrorlist"))
    repository.publish(100, *read(repository, "acme-server-1.0.0"))
    dnf("makecache")
    repository.publish(200, *read(repository, "acme-server-1.1.0"))
    shutil.rmtree(repository.root / "states/stable/100")
    dnf("install", "--downloadonly", f"--destdir={tmp_path}", "acme-server")
    assert (tmp_path / "acme-server-1.0.0.rpm").exists()
