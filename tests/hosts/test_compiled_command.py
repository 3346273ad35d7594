"""A server package compiles its command on the host, uses that, and leaves none of it behind."""

from __future__ import annotations

from pathlib import PurePosixPath

from toolchain.model.version import Version

from .host import Host
from .products import Customer, Pair
from .recipes import Packaging

RUNNER = "/usr/lib/fleetdesk-server/runner"
OLD, NEW = (Version.parse(version) for version in ("4.1.0", "4.1.1"))


def found(host: Host, pattern: str) -> set[PurePosixPath]:
    names = host.run("find", RUNNER, "-name", pattern, check=False).stdout
    return set(map(PurePosixPath, names.splitlines()))


def sources_of(compiled: set[PurePosixPath]) -> set[PurePosixPath]:
    return {path.parent.parent / f"{path.name.split('.')[0]}.py" for path in compiled}


def assert_is_compiled(customer: Customer) -> None:
    """Each module is, for its whole directory, and nothing that the package brought is changed."""
    host, compiled = customer.host, found(customer.host, "*.pyc")
    assert compiled
    assert sources_of(compiled) == found(host, "*.py")
    owned = host.run("stat", "--format=%U:%G %a", *map(str, compiled)).stdout
    assert set(owned.splitlines()) == {"root:root 644"}
    loud = host.run("/usr/bin/python3", "-I", "-v", "/usr/bin/fleetdesk-server", "--help")
    used = [line for line in loud.stderr.splitlines() if "code object from" in line]
    assert not [line for line in used if f"{RUNNER}/" in line and ".pyc" not in line]
    assert [line for line in used if f"{RUNNER}/" in line]
    assert customer.damage() == ""
    if host.packaging is Packaging.DEB:
        assert host.run("dpkg", "--verify", customer.server).stdout == ""


def test_each_installation_compiles_and_none_leaves_anything(desk: Customer) -> None:
    host = desk.host
    desk.install(Pair(server=OLD))
    assert_is_compiled(desk)

    # What an earlier Python of the distribution and an earlier release of ours would have left.
    stray = f"{RUNNER}/core/__pycache__/gone.cpython-39.pyc"
    host.write(stray, "")
    desk.install(Pair(server=NEW))
    assert desk.pair() == Pair(server=NEW)
    assert not host.exists(stray)
    assert_is_compiled(desk)

    options = ("--allow-downgrades",) if host.packaging is Packaging.DEB else ()
    desk.install(Pair(server=OLD), *options)
    assert desk.pair() == Pair(server=OLD)
    assert_is_compiled(desk)

    host.write(stray, "")
    desk.wipe()
    assert not host.exists("/usr/lib/fleetdesk-server")


def test_another_product_keeps_its_own(desk: Customer, jobs: Customer) -> None:
    desk.install(Pair(server=NEW))
    jobs.install(Pair(server=jobs.packaged.versions[-1]))
    jobs.wipe()
    assert not jobs.host.exists("/usr/lib/procrastinate-server/runner")
    assert_is_compiled(desk)


def test_a_host_that_takes_no_bytecode_takes_the_package(desk: Customer) -> None:
    host, command = desk.host, "/usr/bin/python3"
    aside = f"{command}.aside"
    host.run("mv", command, aside)
    try:
        # Its own interpreter by another name: the compilation alone fails.
        text = f'#!/bin/sh\ncase $* in *compileall*) exit 1 ;; esac\nexec {aside} "$@"\n'
        host.write(command, text, mode=0o755)
        desk.install(Pair(server=NEW))
    finally:
        host.run("mv", aside, command)
    assert desk.pair() == Pair(server=NEW)
    assert desk.damage() == ""
    assert found(host, "*.pyc") == set()
    assert "exit codes:" in host.run("fleetdesk-server", "--help").stdout
