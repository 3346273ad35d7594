"""The shard agent on real hosts: the solver knows each shard, and says its name when it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from toolchain.model.version import Version

from .commands import Result
from .host import Host
from .lab import Lab
from .products import Customer, Packaged, Pair
from .recipes import Packaging
from .repository import PLACE
from .samples import Sample, build
from .services import FLEETDESK, overwrite, shards_file
from .table.shards import walk

pytestmark = pytest.mark.xdist_group("shard-packages")

NAMES = ("north", "south")
# Schema and oldest server of a shard at 4.0.0, at 4.1.0 before and after its contract, at 4.3.0.
OLD, READY, MIDDLE, NEW = (11, "3.9.0"), (12, "3.9.0"), (12, "4.0.0"), (14, "4.1.0")
# Asks for the lock as its holder has it, says so, and keeps it until its input ends.
_HOLD = """\
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    open(sys.argv[2], "w").close()
    sys.stdin.read()
"""


def server(version: str) -> Pair:
    return Pair(server=Version.parse(version))


def is_deb(customer: Customer) -> bool:
    return customer.host.packaging is Packaging.DEB


class Shards:
    """A database for each state of a shard; a server is turned to those that it shall find."""

    def __init__(self, postgres: Host, fleetdesk: Packaged) -> None:
        self._host = postgres.name
        self._states = {
            (state.handshake.schema, str(state.handshake.servers.oldest)): state.database
            for state in walk(postgres, fleetdesk)
        }

    def text(self, **shards: tuple[int, str]) -> str:
        """A shards file in which each name is a shard of that schema and oldest server."""
        dsn = f"host={self._host} user=fleetdesk dbname="
        return "".join(
            f"[{name}]\ndsn = {dsn}{self._states[state]}\n" for name, state in shards.items()
        )


@pytest.fixture(scope="module")
def unrelated(tmp_path_factory: pytest.TempPathFactory, fleetdesk: Packaged) -> Path:
    """A repository with the product and with two releases of something else."""
    shelf = tmp_path_factory.mktemp("shelf")
    for package in fleetdesk.directory.iterdir():
        if package.suffix in (".deb", ".rpm"):
            (shelf / package.name).symlink_to(package)
    for version in ("1", "2"):
        for packaging in Packaging:
            build(Sample(name="unrelated", version=version), packaging, shelf)
    return shelf


@pytest.fixture(scope="module")
def shards(lab: Lab, unrelated: Path, fleetdesk: Packaged) -> Shards:
    host = lab.host("shards", tree="debian", postgres=True)
    host.add_repository(unrelated)
    return Shards(host, fleetdesk)


@pytest.fixture(scope="module", params=list(Packaging))
def web(
    request: pytest.FixtureRequest, lab: Lab, unrelated: Path, fleetdesk: Packaged, shards: Shards
) -> Customer:
    """A host of servers that has none of the databases, and whose services never start."""
    host = lab.host(f"web-{request.param}", tree="debian" if request.param == "deb" else "rpm")
    host.add_repository(unrelated)
    host.run("systemctl", "mask", *FLEETDESK)
    return Customer(host=host, packaged=fleetdesk)


@pytest.fixture
def desk(web: Customer, shards: Shards) -> Customer:
    """Server 4.0.0 before two shards at schema 11, with no package of them yet."""
    if web.pair() == server("4.0.0"):
        units = ("fleetdesk-server-shards.timer", "fleetdesk-server-shards.service")
        web.host.run("systemctl", "stop", *units)
        remove_shard_packages(web)
    else:
        web.wipe()
        # Past every gate, and in no time.
        tool = ("dpkg", "--install") if is_deb(web) else ("rpm", "--install")
        file = (
            "fleetdesk-server_4.0.0-1_all.deb"
            if is_deb(web)
            else "fleetdesk-server-4.0.0-1.noarch.rpm"
        )
        web.host.run(*tool, f"{PLACE}/{file}")
        web.host.run("systemctl", "stop", "fleetdesk-server-shards.timer")
        web.host.run("systemctl", "stop", "fleetdesk-server-shards.service")
    web.host.run("rm", "-rf", "/var/lib/fleetdesk-server/packages")
    turn_to(web, shards, north=OLD, south=OLD)
    return web


def remove_shard_packages(customer: Customer) -> None:
    names = customer.shard_packages()
    tool = ("dpkg", "--purge", "--force-remove-protected") if is_deb(customer) else ("rpm", "-e")
    if names:
        customer.host.run(*tool, *names)


def turn_to(customer: Customer, shards: Shards, **states: tuple[int, str]) -> None:
    """Let the server's host find its shards in other states."""
    overwrite(customer.host, shards_file(customer.server), shards.text(**states))


def sync(customer: Customer, *options: str, check: bool = True) -> Result:
    return customer.host.run(customer.server, "sync", *options, check=check)


def versions(customer: Customer) -> tuple[str | None, ...]:
    return tuple(customer.host.installed(f"fleetdesk-shard-{name}") for name in NAMES)


def status(customer: Customer, shard: str) -> dict[str, Any]:
    answer = customer.host.run(customer.server, "status", "--json", check=False)
    (found,) = (one for one in json.loads(answer.stdout)["shards"] if one["shard"] == shard)
    return dict(found)


def assert_refused_by_name(customer: Customer, answer: Result, *names: str) -> None:
    assert answer.returncode != 0, answer
    for name in names:
        assert f"fleetdesk-shard-{name}" in answer.output, answer
    assert customer.damage() == ""


def test_the_solver_refuses_and_says_which_shard(desk: Customer, shards: Shards) -> None:
    sync(desk)
    assert versions(desk) == ("11+3.9.0-1", "11+3.9.0-1")
    turn_to(desk, shards, north=OLD, south=MIDDLE)
    sync(desk)
    assert versions(desk) == ("11+3.9.0-1", "12+4.0.0-1")
    refused = desk.install(server("4.1.0"))
    assert_refused_by_name(desk, refused, "north")
    assert "fleetdesk-shard-south" not in refused.output
    bold = "--allow-downgrades" if is_deb(desk) else "--allowerasing"
    # South has dropped what 3.9 writes, and so nobody goes back.
    assert_refused_by_name(desk, desk.install(server("3.9.0"), bold), "south")
    assert desk.pair() == server("4.0.0")
    assert versions(desk) == ("11+3.9.0-1", "12+4.0.0-1")

    turn_to(desk, shards, north=MIDDLE, south=MIDDLE)
    sync(desk)
    desk.install(server("4.1.0"))
    assert desk.pair() == server("4.1.0")


def test_an_upgrade_of_everything_holds_the_server_back(desk: Customer, shards: Shards) -> None:
    sync(desk)
    older = "unrelated_1_all.deb" if is_deb(desk) else "unrelated-1-1.noarch.rpm"
    tool = ("dpkg", "--install") if is_deb(desk) else ("rpm", "--install")
    desk.host.run(*tool, f"{PLACE}/{older}")
    done = desk.manage("dist-upgrade" if is_deb(desk) else "upgrade")
    assert done.returncode == 0, done
    assert (desk.host.installed("unrelated") or "").startswith("2"), done
    assert desk.pair() == server("4.0.0")
    assert versions(desk) == ("11+3.9.0-1", "11+3.9.0-1")
    if is_deb(desk):
        assert "kept back:\n  fleetdesk-server" in done.output, done
    else:
        held = "4.3.0 are held back by fleetdesk-shard-north, fleetdesk-shard-south"
        assert held in done.output, done
        # Who asks for the best, or for the server, hears of the solver why not.
        assert_refused_by_name(desk, desk.manage("upgrade", "--best", "--allowerasing"), "north")
        assert_refused_by_name(desk, desk.manage("upgrade", "fleetdesk-server"), "north")
        turn_to(desk, shards, north=MIDDLE, south=MIDDLE)
        sync(desk)
        done = desk.manage("upgrade")
        assert desk.pair() == server("4.2.0"), done
    desk.host.run(*(("dpkg", "--purge") if is_deb(desk) else ("rpm", "-e")), "unrelated")


def test_the_packages_stay_with_the_server(desk: Customer) -> None:
    sync(desk)
    desk.manage("autoremove")
    assert versions(desk) == ("11+3.9.0-1", "11+3.9.0-1")
    assert desk.manage("remove", "fleetdesk-shard-north").returncode != 0
    if is_deb(desk):
        assert desk.purge().returncode != 0
        assert versions(desk) == ("11+3.9.0-1", "11+3.9.0-1")


def test_nothing_is_installed_again_and_a_reading_may_go_back(
    desk: Customer, shards: Shards
) -> None:
    turn_to(desk, shards, north=READY, south=OLD)
    assert "is installed" in sync(desk).stdout
    again = json.loads(sync(desk, "--json").stdout)
    assert [one["changed"] for one in again["shards"]] == [False, False]
    assert sync(desk, "--background").output == ""
    assert versions(desk)[0] == "12+3.9.0-1"
    turn_to(desk, shards, north=OLD, south=OLD)
    sync(desk)
    assert versions(desk)[0] == "11+3.9.0-1"


def test_a_shard_that_the_server_does_not_fit_is_told_and_can_be_mended(
    desk: Customer, shards: Shards
) -> None:
    sync(desk)
    turn_to(desk, shards, north=NEW, south=OLD)
    seen = status(desk, "north")
    assert (seen["package"]["schema"], seen["package"]["live"]) == (11, False)
    assert seen["outcome"] == "refused"
    drift = (
        "the shard says schema 14, servers >= 4.1.0: drifted until the next fleetdesk-server sync"
    )
    assert drift in desk.host.run(desk.server, "status", check=False).stdout
    told = sync(desk, check=False)
    assert told.returncode == 1
    assert "fleetdesk-server 4.0.0 does not fit shard north" in told.stderr
    assert versions(desk)[0] == "14+4.1.0+spares4.0.0.1-1"
    assert desk.damage() == ""
    seen = status(desk, "north")
    assert (seen["package"]["live"], seen["package"]["schema"]) == (True, 14)
    assert "does not fit" in seen["package"]["problem"]
    # Other packages are not held up, and the way out of it is open once the other shard is there.
    assert desk.manage("install", "unrelated").returncode == 0
    desk.host.run(*(("dpkg", "--purge") if is_deb(desk) else ("rpm", "-e")), "unrelated")
    turn_to(desk, shards, north=NEW, south=NEW)
    sync(desk, check=False)
    desk.install(server("4.3.0"))
    assert desk.pair() == server("4.3.0")
    sync(desk)
    assert versions(desk) == ("14+4.1.0-1", "14+4.1.0-1")
    # And a shard that was restored from a backup: what is newer still is kept out.
    back = ("--allow-downgrades",) if is_deb(desk) else ()
    desk.install(server("4.1.0"), *back)
    turn_to(desk, shards, north=OLD)
    assert sync(desk, check=False).returncode == 1
    assert versions(desk) == ("11+3.9.0+spares4.1.0.1-1", None)
    assert_refused_by_name(desk, desk.install(server("4.2.0")), "north")
    desk.install(server("4.0.0"), *back)
    assert desk.pair() == server("4.0.0")


def test_a_shard_that_does_not_answer_keeps_its_package(desk: Customer, shards: Shards) -> None:
    sync(desk)
    gone = shards.text(north=OLD) + "[south]\ndsn = host=127.0.0.1 port=1 dbname=gone user=gone\n"
    overwrite(desk.host, shards_file(desk.server), gone)
    told = sync(desk, check=False)
    assert told.returncode == 4
    assert "south: cannot connect" in told.stderr
    assert versions(desk) == ("11+3.9.0-1", "11+3.9.0-1")
    seen = status(desk, "south")
    assert seen["outcome"] == "failed"
    assert (seen["package"]["schema"], seen["package"]["live"]) == (11, None)
    assert "cannot connect" in seen["package"]["problem"]
    assert seen["package"]["read"] <= status(desk, "north")["package"]["read"]


def test_shards_taken_out_and_the_way_to_remove_the_server(desk: Customer, shards: Shards) -> None:
    sync(desk)
    turn_to(desk, shards, south=OLD)
    assert "fleetdesk-shard-north 11+3.9.0-1 is removed" in sync(desk).stdout
    assert versions(desk) == (None, "11+3.9.0-1")
    overwrite(desk.host, shards_file(desk.server), "# emptied by mistake\n")
    sync(desk)
    assert versions(desk) == (None, "11+3.9.0-1")
    sync(desk, "--remove")
    assert versions(desk) == (None, None)
    turn_to(desk, shards, south=OLD)
    sync(desk, "--background")
    assert versions(desk) == (None, None)
    desk.purge()
    assert desk.pair() == Pair()
    assert not desk.host.exists("/var/lib/fleetdesk-server")


@pytest.fixture
def locked(web: Customer) -> Iterator[Callable[[], None]]:
    """Holds the package manager's lock as another run of it would; calling lets go of it."""
    path = "/var/lib/dpkg/lock-frontend" if is_deb(web) else "/var/lib/rpm/.rpm.lock"
    unit, ready = "hold-lock.service", "/run/lock-is-held"
    web.host.run("rm", "-f", ready)
    hold = _HOLD.replace("sys.stdin.read()", "import time; time.sleep(600)")
    web.host.run("systemd-run", f"--unit={unit}", "python3", "-c", hold, path, ready)
    while not web.host.exists(ready):
        pass
    yield lambda: void(web.host.run("systemctl", "stop", unit, check=False))
    web.host.run("systemctl", "stop", unit, check=False)


def void(_: Result) -> None:
    """Forget an answer."""


def test_a_package_manager_at_work_is_not_waited_for(
    desk: Customer, locked: Callable[[], None]
) -> None:
    busy = sync(desk, check=False)
    assert busy.returncode == 75, busy
    assert "at work for somebody else; the next sync tries again" in busy.stderr
    assert versions(desk) == (None, None)
    unit = "fleetdesk-server-shards.service"
    desk.host.run("systemctl", "start", unit)
    assert desk.host.failed_units == ()
    locked()
    desk.host.run("systemctl", "start", unit)
    assert versions(desk) == ("11+3.9.0-1", "11+3.9.0-1")


def test_the_timer_makes_the_first_packages_and_any_user_of_the_services_sees_them(
    desk: Customer,
) -> None:
    desk.host.run("systemctl", "start", "fleetdesk-server-shards.timer")
    active = desk.host.run("systemctl", "is-active", "fleetdesk-server-shards.timer").stdout
    assert active == "active\n"
    desk.host.run("systemctl", "start", "fleetdesk-server-shards.service")
    as_user = ("runuser", "--user=fleetdesk", "--")
    seen = desk.host.run(*as_user, desk.server, "status", check=False)
    assert "north: fleetdesk-shard-north says schema 11, servers >= 3.9.0, read" in seen.stdout
    refused = desk.host.run(*as_user, desk.server, "sync", check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "run it as root" in refused.stderr


def test_a_sync_that_was_killed_and_one_that_broke_off_are_mended(desk: Customer) -> None:
    sync(desk)
    folder = "/var/lib/fleetdesk-server/packages"
    desk.host.run("mkdir", f"{folder}/work-left")
    if is_deb(desk):
        # What a power cut leaves: unpacked and not configured.
        status_file = "/var/lib/dpkg/status"
        edit = "/^Package: fleetdesk-shard-north$/,/^$/s/^Status: .*/Status: install ok unpacked/"
        desk.host.run("sed", "--in-place", edit, status_file)
        assert versions(desk)[0] is None
    sync(desk)
    assert versions(desk) == ("11+3.9.0-1", "11+3.9.0-1")
    assert desk.host.run("ls", folder).stdout.split() == ["lock", "state.json"]
    assert desk.damage() == ""
