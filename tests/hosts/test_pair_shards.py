"""A server must fit every provider of the schema on its host, not just one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from toolchain.model.version import Version

from .commands import Result
from .products import Conflict, Customer, Pair
from .recipes import Packaging
from .samples import Sample, build

Shard = Callable[..., Result]
NAMES = ("north", "south")


def server(version: str) -> Pair:
    return Pair(server=Version.parse(version))


@pytest.fixture
def shard(desk: Customer, tmp_path: Path) -> Iterator[Shard]:
    """Installs a shard's local package: name, schema and oldest server, as the shard has them."""
    product, host = desk.packaged.product, desk.host
    deb = host.packaging is Packaging.DEB

    def install(name: str, schema: int, oldest_server: str, *, by_agent: bool = False) -> Result:
        sample = Sample(
            name=f"{product.name}-shard-{name}",
            version=str(schema),
            provides=f"{product.schema_package} " + (f"(= {schema})" if deb else f"= {schema}"),
            conflicts=f"{product.server_package} "
            + (f"(<< {oldest_server})" if deb else f"< {oldest_server}"),
            protected=True,
        )
        package = build(sample, host.packaging, tmp_path)
        host.push(package, f"/srv/{package.name}")
        if not by_agent:
            return desk.manage("install", f"/srv/{package.name}")
        # Beside a server the hook lets neither apt nor dnf near a shard's package.
        tool = ("dpkg", "--install") if deb else ("rpm", "--upgrade")
        done = host.run(*tool, f"/srv/{package.name}", check=False)
        # apt does not see what changes in the second of its last run.
        host.run("rm", "-f", "/var/cache/apt/pkgcache.bin")
        return done

    yield install
    packages = [f"{product.name}-shard-{name}" for name in NAMES]
    remove = ("dpkg", "--purge", "--force-remove-protected") if deb else ("rpm", "--erase")
    host.run(*remove, *(package for package in packages if host.installed(package)))


def shards(desk: Customer) -> tuple[str | None, ...]:
    names = (f"{desk.packaged.product.name}-shard-{name}" for name in NAMES)
    versions = map(desk.host.installed, names)
    return tuple(version and version.removesuffix("-1") for version in versions)


def assert_refused(desk: Customer, answer: Result, conflict: Conflict) -> None:
    assert answer.returncode != 0, answer
    assert conflict.is_named(answer.output, desk.host.packaging), answer
    assert desk.damage() == ""


def test_one_shard_of_two_is_too_old_for_the_server(desk: Customer, shard: Shard) -> None:
    shard("north", 11, "3.9.0")
    shard("south", 12, "4.0.0")
    assert shards(desk) == ("11", "12")
    too_old = Conflict(holder=desk.server, target="fleetdesk-schema", bound="12")

    refused = desk.install(server("4.1.0"))
    assert desk.pair() == Pair(), refused
    assert_refused(desk, refused, too_old)

    desk.install(server("4.0.0"))
    assert desk.pair() == server("4.0.0")
    refused = desk.install(server("4.1.0"))
    assert desk.pair() == server("4.0.0"), refused
    assert_refused(desk, refused, too_old)
    bold = (
        ("dist-upgrade",) if desk.host.packaging is Packaging.DEB else ("upgrade", "--allowerasing")
    )
    done = desk.manage(*bold)
    assert desk.pair() == server("4.0.0"), done
    assert shards(desk) == ("11", "12"), done

    shard("north", 12, "4.0.0", by_agent=True)
    assert shards(desk) == ("12", "12")
    done = desk.install(server("4.1.0"))
    assert desk.pair() == server("4.1.0"), done


def test_a_database_package_that_fits_does_not_hide_a_shard_that_does_not(
    desk: Customer, shard: Shard
) -> None:
    shard("north", 11, "3.9.0")
    wanted = Pair(server=Version.parse("4.1.0"), database=Version.parse("4.1.0"))
    refused = desk.install(wanted)
    assert desk.pair() == Pair(), refused
    assert shards(desk) == ("11", None)
    too_old = Conflict(holder=desk.server, target="fleetdesk-schema", bound="12")
    assert_refused(desk, refused, too_old)


def test_a_shard_that_has_dropped_what_the_server_uses(desk: Customer, shard: Shard) -> None:
    shard("north", 12, "4.0.0")
    shard("south", 12, "4.0.0")
    desk.install(server("4.0.0"))
    assert desk.pair() == server("4.0.0")
    # No server fits both shards now, so that no solver finds another way out.
    with desk.held(desk.server):
        refused = shard("south", 13, "4.1.0")
    assert desk.pair() == server("4.0.0"), refused
    assert shards(desk) == ("12", "12"), refused
    too_old = Conflict(holder="fleetdesk-shard-south", target="fleetdesk-server", bound="4.1.0")
    assert_refused(desk, refused, too_old)


def test_shards_are_not_removed_by_the_way(desk: Customer, shard: Shard) -> None:
    shard("north", 11, "3.9.0")
    refused = desk.manage("remove", "fleetdesk-shard-north")
    assert refused.returncode != 0
    assert shards(desk) == ("11", None), refused
