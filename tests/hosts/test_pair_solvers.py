"""Whatever a package manager does to please, it never ends in a pair that does not fit."""

from __future__ import annotations

import pytest

from toolchain.model.version import Version

from .commands import Result
from .products import Customer, Pair
from .recipes import Packaging


def pair(server: str = "", database: str = "") -> Pair:
    return Pair(
        server=Version.parse(server) if server else None,
        database=Version.parse(database) if database else None,
    )


def is_deb(customer: Customer) -> bool:
    return customer.host.packaging is Packaging.DEB


def upgrade_all(customer: Customer) -> Result:
    """The boldest upgrade there is: what stands in the way may be removed."""
    if is_deb(customer):
        return customer.manage("dist-upgrade")
    return customer.manage("upgrade", "--allowerasing")


def assert_pleased_or_refused(customer: Customer, wanted: Pair, before: Pair, done: Result) -> None:
    """Either nothing has changed, or what was asked for is there with a counterpart that fits."""
    after = customer.pair()
    assert customer.damage() == ""
    assert customer.packaged.fits(after), done
    if after == before:
        assert done.returncode != 0, done
        return
    assert after.server is not None, done
    assert after.database is not None, done
    assert wanted.server in (None, after.server), done
    assert wanted.database in (None, after.database), done


@pytest.mark.parametrize(
    ("server", "database"),
    [("4.1.0", "4.0.0"), ("4.3.0", "4.2.0"), ("3.9.0", "4.1.0"), ("4.0.0", "4.2.0")],
)
def test_the_solver_may_move_the_counterpart(desk: Customer, server: str, database: str) -> None:
    assert not desk.packaged.fits(pair(server, database))
    bold = "--allow-downgrades" if is_deb(desk) else "--allowerasing"
    halves = pair(server), pair(database=database)
    for before, wanted in (halves, halves[::-1]):
        desk.install(before)
        assert desk.pair() == before
        assert_pleased_or_refused(desk, wanted, before, desk.install(wanted, bold))
        desk.wipe()


@pytest.mark.parametrize("version", ["3.9.0", "4.0.0", "4.2.0"])
def test_everything_is_upgraded(desk: Customer, version: str) -> None:
    first, newest = pair(version, version), pair("4.3.0", "4.3.0")
    desk.install(first)
    with desk.held(desk.database):
        done = upgrade_all(desk)
        assert desk.pair() == first, done
    with desk.held(desk.server):
        done = upgrade_all(desk)
        ahead = Pair(server=first.server, database=newest.database)
        assert desk.pair() == (ahead if desk.packaged.fits(ahead) else first), done
    before = desk.pair()
    done = upgrade_all(desk)
    if is_deb(desk) and before.database != newest.database:
        # Neither new half fits the old other one, so apt would remove one of them for a moment.
        # That is refused too: the way leads over the releases between.
        assert desk.pair() == before, done
        assert done.returncode != 0
        assert "due to a Conflicts/Pre-Depends loop" in done.output
    else:
        assert desk.pair() == newest, done
    assert desk.damage() == ""


@pytest.mark.parametrize(
    ("server", "database", "wanted"),
    [("4.1.0", "4.0.0", pair(server="4.1.0")), ("4.0.0", "4.2.0", pair(database="4.2.0"))],
)
def test_without_a_solver(desk: Customer, server: str, database: str, wanted: Pair) -> None:
    before = pair("4.0.0", "4.0.0")
    desk.install(before)
    (word,) = desk.words(wanted)
    if is_deb(desk):
        command = ("dpkg", "--install", f"/srv/repo/{word.replace('=', '_')}_all.deb")
    else:
        command = ("rpm", "--upgrade", f"/srv/repo/{word}.noarch.rpm")
    refused = desk.host.run(*command, check=False)
    assert desk.pair() == before, refused
    assert desk.damage() == ""
    assert refused.returncode != 0
    conflict = desk.packaged.conflict(pair(server, database))
    if is_deb(desk):
        # dpkg lets one protected package replace the other, were it not for the other's prerm.
        other = desk.database if wanted.server else desk.server
        assert f"{other} 4.0.0-1 stays: {word.replace('=', ' ')} does not fit it" in refused.output
    else:
        assert conflict.is_named(refused.output, desk.host.packaging), refused
