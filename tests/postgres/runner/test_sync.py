"""The shard agent before real shards and a real dpkg, whose database is the test's own."""

import fcntl
import json
import os
import pwd
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.postgres.runner.conftest import MakeServer
from tests.postgres.runner.packages import PRODUCT, Package, Server
from tests.postgres.runner.proxy import proxied
from toolchain.runner.core.errors import Exit
from toolchain.runner.core.law import Handshake
from toolchain.runner.core.version import Versions
from toolchain.runner.packages import package_tools
from toolchain.runner.packages.package_tools import Dpkg, Installed, is_locked
from toolchain.runner.server import shard_status, sync_command
from toolchain.runner.server.handshakes import Told, read_all_as

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster, Database

DOWN = "host=127.0.0.1 port=1 dbname=nothing connect_timeout=2"
Install = Callable[[str], None]


@pytest.fixture
def dpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dpkg:
    """A dpkg with an empty database below the test's folder, in place of the machine's."""
    root = tmp_path / "root"
    (root / "var/lib/dpkg/updates").mkdir(parents=True)
    (root / "var/lib/dpkg/info").mkdir()
    (root / "var/lib/dpkg/status").write_text("")
    (root / "var/log").mkdir(parents=True)
    tool = Dpkg(options=(f"--root={root}",), cache=tmp_path / "pkgcache.bin")
    monkeypatch.setattr(sync_command, "installed_tool", lambda _: tool)
    monkeypatch.setattr(shard_status, "package_tool", lambda _: tool)
    return tool


@pytest.fixture
def install(dpkg: Dpkg, tmp_path: Path) -> Install:
    """Install an empty package as this host's server."""

    def install(version: str) -> None:
        control = tmp_path / "server/DEBIAN/control"
        control.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        control.write_text(
            f"Package: {PRODUCT}-server\nVersion: {version}-1\nArchitecture: all\n"
            "Maintainer: Nobody <nobody@example.org>\nDescription: a server\n"
        )
        file = str(tmp_path / "server.deb")
        package_tools.run("dpkg-deb", "--build", str(control.parent.parent), file)
        package_tools.run("dpkg", *dpkg.options, "--install", file)

    return install


def shard_packages(dpkg: Dpkg) -> dict[str, str]:
    return {one.name: one.version for one in dpkg.installed(f"{PRODUCT}-shard-*") if one.whole}


@pytest.fixture
def server(package: Package, make_server: MakeServer, install: Install) -> Server:
    """Server 1.1.0 before a shard at its schema."""
    package.done("apply")
    install("1.1.0")
    return make_server("1.1.0", oldest_schema=2)


def test_a_package_follows_its_shard(
    package: Package, server: Server, dpkg: Dpkg, database: "Database"
) -> None:
    assert server.run("sync").out == (
        "north: fleetdesk-shard-north 2+1.0.0-1 is installed: schema 2, servers >= 1.0.0\n"
    )
    (made,) = dpkg.installed("fleetdesk-shard-north")
    assert server.run("sync").out.startswith("north: fleetdesk-shard-north 2+1.0.0-1 is there")
    quiet = server.run("sync", "--background")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    seen = server.run("status", "--json").shard["package"]
    assert (seen["version"], seen["live"], seen["problem"]) == (made.version, True, None)
    package.done("apply", "--phase", "contract")
    assert server.run("status", "--json").shard["package"]["live"] is False
    assert "the shard says schema 2, servers >= 1.1.0" in server.run("status").out
    assert server.run("sync").code == 0
    assert shard_packages(dpkg) == {"fleetdesk-shard-north": "2+1.1.0-1"}
    # A database that was restored from a backup.
    database.execute("UPDATE interlock.handshake SET oldest_server = '1.0.0'")
    assert server.run("sync").code == 0
    assert shard_packages(dpkg) == {"fleetdesk-shard-north": "2+1.0.0-1"}


def test_a_server_that_does_not_fit_is_spared_and_told(
    server: Server, dpkg: Dpkg, database: "Database"
) -> None:
    server.run("sync")
    database.execute("UPDATE interlock.handshake SET schema = 1")
    told = server.run("sync", "--json")
    assert (told.code, told.shard["outcome"]) == (1, "refused")
    assert "fleetdesk-server 1.1.0 does not fit shard north" in told.err
    assert shard_packages(dpkg) == {"fleetdesk-shard-north": "1+1.0.0+spares1.1.0.1-1"}
    seen = server.run("status", "--json")
    assert (seen.code, seen.shard["package"]["live"]) == (1, True)
    assert "does not fit" in seen.shard["package"]["problem"]


def test_a_shard_that_does_not_answer_keeps_its_package(server: Server, dpkg: Dpkg) -> None:
    server.run("sync")
    server.shards["north"] = DOWN
    server.write()
    told = server.run("sync")
    assert (told.code, told.out) == (Exit.SHARD, "")
    assert told.sentence.startswith("north: cannot connect")
    assert shard_packages(dpkg) == {"fleetdesk-shard-north": "2+1.0.0-1"}
    seen = server.run("status")
    assert seen.code == Exit.SHARD
    assert "says schema 2, servers >= 1.0.0, read" in seen.out
    assert "at the last try" in seen.out
    assert "cannot connect" in seen.out


def test_a_shard_that_freezes_keeps_nobody_waiting(
    server: Server,
    dpkg: Dpkg,
    monkeypatch: pytest.MonkeyPatch,
    database: "Database",
    cluster: "Cluster",
) -> None:
    monkeypatch.setattr(sync_command, "LONGEST_READING", 0.5)
    with proxied(cluster.port) as proxy:
        proxy.swallows = b"read_handshake"
        dsn = database.tcp_dsn.replace(f"port={cluster.port}", f"port={proxy.port}")
        server.shards["frozen"] = dsn
        server.write()
        told = server.run("sync")
    assert told.code == Exit.SHARD
    assert told.sentence.startswith("frozen: the connection was lost")
    assert shard_packages(dpkg) == {"fleetdesk-shard-north": "2+1.0.0-1"}


def test_shards_come_and_go(server: Server, dpkg: Dpkg) -> None:
    dsn = server.shards["north"]
    server.shards["south-2"] = dsn
    server.write()
    server.run("sync")
    both = {"fleetdesk-shard-north": "2+1.0.0-1", "fleetdesk-shard-south-2": "2+1.0.0-1"}
    assert shard_packages(dpkg) == both
    del server.shards["north"]
    server.write()
    assert "fleetdesk-shard-north 2+1.0.0-1 is removed" in server.run("sync").out
    del both["fleetdesk-shard-north"]
    assert shard_packages(dpkg) == both
    server.shards.clear()
    server.write()
    told = server.run("sync")
    assert (told.code, "names no shard, so nothing is changed" in told.err) == (0, True)
    assert shard_packages(dpkg) == both, "an emptied file takes no gate down"


def test_all_are_removed_on_request_and_the_timer_rests(server: Server, dpkg: Dpkg) -> None:
    server.run("sync")
    assert server.run("sync", "--remove").code == 0
    assert shard_packages(dpkg) == {}
    server.run("sync", "--background")
    assert shard_packages(dpkg) == {}
    assert "the agent rests for" in server.run("status").out
    file = server.folder / "packages/state.json"
    before = json.loads(file.read_text())
    file.write_text(json.dumps({**before, "paused_until": before["paused_until"] + 86400}))
    assert "the agent rests" not in server.run("status").out, "the clock was set back"
    server.run("sync", "--background")
    assert list(shard_packages(dpkg)) == ["fleetdesk-shard-north"]


def test_a_server_in_the_middle_of_an_upgrade_is_waited_for(
    server: Server, install: Install, dpkg: Dpkg
) -> None:
    install("1.2.0")
    told = server.run("sync")
    assert told.code == Exit.BUSY
    assert "fleetdesk-server is being installed, or that broke off; the next sync" in told.sentence
    assert shard_packages(dpkg) == {}


def test_two_at_once(server: Server, dpkg: Dpkg) -> None:
    server.run("sync", "--remove")
    with (server.folder / "packages/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = server.run("sync", "--background")
        assert (told.code, told.out) == (Exit.BUSY, "")
        assert "another sync is at work" in told.sentence
        later = threading.Timer(0.5, fcntl.flock, (lock, fcntl.LOCK_UN))
        later.start()
        assert server.run("sync").code == 0
        later.join()


def test_a_lock_of_the_package_manager_is_told(server: Server, dpkg: Dpkg, tmp_path: Path) -> None:
    lock = tmp_path / "root/var/lib/dpkg/lock-frontend"
    hold = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); "
    hold += "print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        ("python3", "-c", hold, str(lock)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert is_locked(lock)
        told = server.run("sync")
        holder.communicate()
    assert not is_locked(lock)
    assert told.code == Exit.BUSY
    assert (
        told.sentence
        == "north: apt or dpkg is at work for somebody else; the next sync tries again"
    )
    assert shard_packages(dpkg) == {}
    assert server.run("sync").code == 0


def test_what_broke_off_is_mended(server: Server, dpkg: Dpkg, tmp_path: Path) -> None:
    server.run("sync")
    folder = server.folder / "packages"
    (folder / "work-left").mkdir()
    (folder / ".left").write_text("")
    (folder / "state.json").write_text("{")
    status = tmp_path / "root/var/lib/dpkg/status"
    text = status.read_text()
    before, name, stanza = text.partition("Package: fleetdesk-shard-north\n")
    stanza = stanza.replace("install ok installed", "install reinstreq half-installed", 1)
    status.write_text(before + name + stanza)
    assert shard_packages(dpkg) == {}
    assert server.run("sync").code == 0
    assert shard_packages(dpkg) == {"fleetdesk-shard-north": "2+1.0.0-1"}
    assert sorted(path.name for path in folder.iterdir()) == ["lock", "state.json"]


def test_apt_does_not_go_on_with_an_old_copy(server: Server, dpkg: Dpkg) -> None:
    dpkg.cache.write_bytes(b"")
    assert server.run("sync").code == 0
    assert not dpkg.cache.exists()
    dpkg.cache.write_bytes(b"")
    assert server.run("sync").code == 0
    assert dpkg.cache.exists(), "nothing has changed"


def test_a_removal_that_dpkg_refused_is_forgotten(server: Server, dpkg: Dpkg) -> None:
    server.run("sync")
    name = "fleetdesk-shard-north"
    with pytest.raises(package_tools.PackageFailure, match="protected"):
        package_tools.run("dpkg", *dpkg.options, "--remove", name)
    assert [one.wanted for one in dpkg.installed(name)] == [False]
    assert server.run("sync").code == 0
    assert [one.wanted for one in dpkg.installed(name)] == [True]


def test_a_package_of_somebody_elses_is_left_alone(
    server: Server, dpkg: Dpkg, tmp_path: Path
) -> None:
    control = tmp_path / "stranger/DEBIAN/control"
    control.parent.mkdir(mode=0o755, parents=True)
    control.write_text(
        "Package: fleetdesk-shard-north\nVersion: 2+1.0.0-1\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: by chance of that name\n"
    )
    file = str(tmp_path / "stranger.deb")
    package_tools.run("dpkg-deb", "--build", str(control.parent.parent), file)
    package_tools.run("dpkg", *dpkg.options, "--install", file)
    told = server.run("sync")
    assert told.code == Exit.SHARD
    assert "there is a fleetdesk-shard-north 2+1.0.0-1 that is no package of a shard" in told.err
    assert server.run("sync", "--remove").out == ""
    assert list(shard_packages(dpkg)) == ["fleetdesk-shard-north"]
    assert server.run("status", "--json").shard["package"]["version"] is None


def test_two_versions_that_a_killed_rpm_left(
    server: Server, dpkg: Dpkg, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are those of the server that runs; of a shard's packages one is left."""
    server.run("sync")
    asked = Dpkg.installed
    names = [f"{PRODUCT}-server", f"{PRODUCT}-shard-north"]

    def twice(tool: Dpkg, *patterns: str) -> tuple[Installed, ...]:
        found = asked(tool, *patterns)
        return (*found, *(replace(one, version="1.0.0-1") for one in found if one.name in names))

    monkeypatch.setattr(Dpkg, "installed", twice)
    assert "2+1.0.0-1 is installed" in server.run("sync").out


def test_without_root_it_says_so(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    told = server.run("sync")
    assert told.code == Exit.USAGE
    assert told.sentence.endswith("sync installs packages, which only root may; run it as root")


def test_shards_are_read_as_the_user_of_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = pwd.getpwnam("nobody")
    monkeypatch.setenv("PGHOST", "elsewhere")

    def read() -> dict[str, Told]:
        assert os.getgid() == nobody.pw_gid
        assert "PGHOST" not in os.environ
        return {"north": Told(Handshake(os.geteuid(), Versions("1.0.0", "2.0.0")))}

    told = read_all_as("nobody", read)
    assert told["north"].handshake == Handshake(nobody.pw_uid, Versions("1.0.0", "2.0.0"))
    assert os.geteuid() == 0


def test_the_state_is_for_everybodys_eyes_and_holds_no_dsn(server: Server) -> None:
    server.run("sync")
    file = server.folder / "packages/state.json"
    assert oct(file.stat().st_mode & 0o777) == "0o644"
    assert set(json.loads(file.read_text())["shards"]["north"]) == {
        "schema",
        "servers",
        "read",
        "tried",
        "problem",
    }
