"""Upgrades that fail half-way: the next run mends them, and a script that runs again changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from toolchain.model.version import Version

from .host import Host
from .products import Customer, Pair
from .recipes import Packaging

SYSUSERS = "/usr/bin/systemd-sysusers"
# What an upgrade's scripts call, on either side of the moment when the new files are there.
BEFORE_THE_FILES = "/usr/bin/fleetdesk-server"
AFTER_THE_FILES = "/usr/bin/systemd-tmpfiles"
FAILURE = "#!/bin/sh\necho 'no users today' >&2\nexit 1\n"
# A maintainer script is a child of dpkg or dnf, and this stands in for a program that it calls.
POWER_CUT = '#!/bin/sh\nkill -KILL "$(ps -o ppid= -p "$PPID")"\n'
OLD, NEW = (Version.parse(version) for version in ("4.1.0", "4.1.1"))


@contextmanager
def replaced(host: Host, program: str, text: str) -> Iterator[None]:
    """Have another program in a program's place."""
    aside = f"{program}.aside"
    host.run("mv", program, aside)
    try:
        host.write(program, text, mode=0o755)
        yield
    finally:
        host.run("mv", aside, program)


def state(host: Host) -> str:
    """What a server package's scripts decide about: units, accounts, owners and modes."""
    units = ("systemctl", "list-unit-files", "--no-legend", "fleetdesk*")
    owners = ("find", "/etc/fleetdesk", "/etc/fleetdesk-server", "/var/lib/fleetdesk")
    return "".join(
        (
            host.run(*units).stdout,
            host.run(*owners, "-printf", r"%p %M %u %g\n").stdout,
            host.run("getent", "passwd", "fleetdesk").stdout,
        )
    )


def test_an_upgrade_whose_script_fails_is_mended(desk: Customer) -> None:
    host = desk.host
    desk.install(Pair(server=OLD, database=OLD))
    before = state(host)
    with replaced(host, SYSUSERS, FAILURE):
        failed = desk.install(Pair(server=NEW, database=NEW))
        assert "no users today" in failed.output
        if host.packaging is Packaging.DEB:
            assert failed.returncode != 0
            assert host.installed(desk.server) is None, "it is unpacked, not configured"
            assert desk.server in desk.damage()
    done = desk.manage(*(("-f", "install") if host.packaging is Packaging.DEB else ("check",)))
    assert done.returncode == 0, done
    assert desk.pair() == Pair(server=NEW, database=NEW), done
    assert desk.damage() == ""
    assert state(host) == before


def test_a_first_installation_whose_script_fails_is_mended(desk: Customer) -> None:
    host = desk.host
    host.run("sh", "-c", "getent passwd fleetdesk >/dev/null && userdel fleetdesk || true")
    with replaced(host, SYSUSERS, FAILURE):
        failed = desk.install(Pair(server=NEW, database=NEW))
        assert "no users today" in failed.output
        assert desk.packaged.fits(desk.pair())
    if host.packaging is Packaging.DEB:
        desk.manage("-f", "install")
    else:
        desk.manage("reinstall", desk.server)
    assert desk.pair() == Pair(server=NEW, database=NEW)
    assert desk.damage() == ""
    assert host.run("stat", "--format=%U:%G %a", "/etc/fleetdesk/fleetdesk.ini").stdout == (
        "root:fleetdesk 640\n"
    )


@pytest.mark.parametrize("program", [BEFORE_THE_FILES, AFTER_THE_FILES])
def test_a_package_manager_that_is_killed_is_run_again(desk: Customer, program: str) -> None:
    host, wanted = desk.host, Pair(server=NEW, database=NEW)
    desk.install(Pair(server=OLD, database=OLD))
    before = state(host)
    with replaced(host, program, POWER_CUT):
        assert desk.install(wanted).returncode != 0
    match host.packaging:
        case Packaging.DEB if program == AFTER_THE_FILES:
            assert desk.damage() != ""
            assert "you must manually run" in desk.install(wanted).output
            host.run("dpkg", "--configure", "-a")
        case Packaging.RPM if program == AFTER_THE_FILES:
            assert "is a duplicate with" in host.dnf("check").output
            assert host.dnf("remove", "--duplicates").returncode == 0
        case _:
            # It was the hook that asked.
            assert desk.pair() == Pair(server=OLD, database=OLD)
    done = desk.install(wanted)
    assert desk.pair() == wanted, done
    assert desk.damage() == ""
    assert state(host) == before


def test_scripts_run_again_change_nothing(desk: Customer) -> None:
    host, deb = desk.host, desk.host.packaging is Packaging.DEB
    desk.install(Pair(server=NEW, database=NEW))
    web, worker = "fleetdesk-web", "fleetdesk-worker"
    host.run("systemctl", "disable", "--now", worker)
    before = state(host)
    assert f"{worker}.service" in before
    if deb:
        script = f"/var/lib/dpkg/info/{desk.server}.postinst"
        names = {"DPKG_MAINTSCRIPT_PACKAGE": desk.server, "DPKG_MAINTSCRIPT_NAME": "postinst"}
        for argument in ("", "4.1.1-1"):
            host.run(script, "configure", argument, env=names)
            assert state(host) == before
        done = desk.install(Pair(server=NEW, database=NEW), "--reinstall")
    else:
        done = desk.manage("reinstall", desk.server, desk.database)
    assert done.returncode == 0, done
    assert desk.pair() == Pair(server=NEW, database=NEW)
    assert desk.damage() == ""
    assert state(host) == before
    enabled = host.run("systemctl", "is-enabled", web, worker, check=False)
    assert enabled.stdout.split() == ["enabled", "disabled"]
    active = host.run("systemctl", "is-active", worker, check=False)
    assert active.stdout == "inactive\n"
