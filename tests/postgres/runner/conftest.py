"""Fixtures for the runner: a package with a chain of releases, before one or more shards."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.postgres.runner.packages import CHAIN, Package, Server

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster, Database

MakePackage = Callable[..., Package]
MakeServer = Callable[..., Server]


EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA IF EXISTS interlock CASCADE;
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
"""


@pytest.fixture(scope="session")
def shared_database(cluster: "Cluster") -> Iterator["Database"]:
    """One database for all of these tests: to empty it takes less time than to make one."""
    made = cluster.create_database()
    yield made
    cluster.drop_database(made.name)


@pytest.fixture
def database(shared_database: "Database") -> "Database":
    """A database with nothing in it and nothing set."""
    shared_database.execute(f'ALTER DATABASE "{shared_database.name}" RESET ALL')
    shared_database.execute(EMPTY)
    return shared_database


@pytest.fixture
def make_package(tmp_path: Path, database: "Database") -> MakePackage:
    """Make database packages; the shard is `north` unless told otherwise."""
    made: list[Package] = []

    def make(*releases: dict[str, Any], **options: Any) -> Package:
        options.setdefault("shards", {"north": database.dsn})
        folder = tmp_path / f"package-{len(made)}"
        made.append(Package(folder, releases or CHAIN, **options))
        return made[-1]

    return make


@pytest.fixture
def package(make_package: MakePackage) -> Package:
    """The chain's package before one empty shard."""
    return make_package()


@pytest.fixture
def make_server(tmp_path: Path, database: "Database") -> MakeServer:
    """Make server packages on pretended hosts, before the same shard."""

    def make(version: str, **options: Any) -> Server:
        options.setdefault("shards", {"north": database.dsn})
        host = options.setdefault("host", "web1")
        return Server(tmp_path / f"server-{host}-{version}", version, **options)

    return make
