"""Fleetdesk's packages, as the builder writes them, through the whole chain on live data."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.postgres.runner.packages import Package
from toolchain.build.product import OpenProduct, open_product
from toolchain.plan.manifest import database_files

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

PRODUCT = Path(__file__).parents[3] / "release-specs" / "fleetdesk"
HOSTS = (
    "INSERT INTO public.host (name, os, cpu_count, fqdn) SELECT 'host' || n, 'Debian GNU/Linux 12',"
    " n % 64, 'host' || n || '.example.com' FROM generate_series(1, 3000) AS n"
)


@pytest.fixture(scope="module")
def fleetdesk() -> OpenProduct:
    return open_product(PRODUCT, {})


@pytest.fixture
def install(
    fleetdesk: OpenProduct, tmp_path: Path, database: "Database"
) -> Callable[[str], Package]:
    """Unpack the database package of a release over the one before, as an upgrade does."""

    def unpack(version: str) -> Package:
        release = fleetdesk.release(version)
        for entry in database_files(fleetdesk.product, release, fleetdesk.sql()):
            name = entry.path.removeprefix("/usr/share/fleetdesk-database/")
            target = tmp_path / "installed" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(entry.content)
        return Package.installed(tmp_path / "installed", {"north": database.dsn})

    return unpack


def test_every_release(install: Callable[[str], Package], database: "Database") -> None:
    install("3.9.0").done("apply")
    database.execute(HOSTS)
    for version, schema in (("4.0.0", 11), ("4.1.0", 12), ("4.1.1", 12), ("4.2.0", 13),
                            ("4.3.0-rc1", 14), ("4.3.0", 14)):  # fmt: skip
        package = install(version)
        shard = package.done("apply", "--json").shard
        assert (shard["ready"], shard["schema"]) == (version, schema)
        assert package.done("verify").out.startswith("north: in order")
    package.done("apply", "--phase", "contract")
    assert package.done("verify").out.startswith("north: in order")
    assert database.rows("SELECT count(*) FROM public.host_hardware") == [(3000,)]
    older = install("4.2.0").run("apply")
    assert older.code == 5
    assert "newer than this package (4.2.0); install fleetdesk-database" in older.sentence


def test_there_and_back(install: Callable[[str], Package], database: "Database") -> None:
    install("3.9.0").done("apply")
    database.execute(HOSTS)
    package = install("4.0.0")
    before = database.rows("SELECT id, name, os FROM public.host ORDER BY id")
    for _ in range(2):
        package.done("apply")
        package.done("undo", "--to", "3.9.0")
        assert database.rows("SELECT id, name, os FROM public.host ORDER BY id") == before
    refused = package.run("undo", "--to", "none")
    assert refused.code == 4
    assert "Export them and empty public.host and public.audit first." in refused.err
