"""What every chapter shares, made once: installed servers and a walk through the chain."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.postgres.fleetdesk.chain import Stop
from tests.postgres.fleetdesk.programs import Program
from tests.postgres.fleetdesk.servers import Server, installed
from tests.postgres.fleetdesk.walking import At, Walk, copied, walked

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster, Database


@pytest.fixture(scope="package")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """The servers of all releases, installed side by side."""
    with installed(tmp_path_factory.mktemp) as found:
        yield found


@pytest.fixture(scope="package")
def walk(cluster: "Cluster", servers: dict[str, Server]) -> Walk:
    """The chain, walked once."""
    return walked(cluster, servers)


@pytest.fixture
def at(make_database: "Callable[..., Database]", walk: Walk) -> At:
    """A fresh copy of the database at a stop of the walk."""
    return lambda stop: copied(walk, stop, make_database)


@pytest.fixture(scope="package")
def probed(cluster: "Cluster", walk: Walk) -> At:
    """One copy of each stop, for tests that do not mind what others left there."""
    copies: dict[str, Database] = {}

    def copy(stop: Stop) -> "Database":
        if str(stop) not in copies:
            copies[str(stop)] = copied(walk, stop, cluster.create_database)
        return copies[str(stop)]

    return copy


@pytest.fixture
def running() -> Iterator[list[Program]]:
    """Programs that a test started; what still runs at its end is killed."""
    programs: list[Program] = []
    yield programs
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()
