"""Databases of the oldest and of the newest PostgreSQL that are here."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.postgres.conftest import Cluster, Database, find_all_binaries, running_cluster


def _major(binaries: Path) -> int:
    told = subprocess.run(
        (str(binaries / "postgres"), "--version"), capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r" (\d+)", told)
    assert found is not None, told
    return int(found[1])


@pytest.fixture(scope="session")
def clusters(cluster: Cluster) -> Iterator[dict[str, Cluster]]:
    """One running cluster for each version that the laws are proved on."""
    known = {_major(binaries): binaries for binaries in reversed(find_all_binaries())}
    with ExitStack() as stack:
        made = {_major(cluster.binaries): cluster}
        for major in {min(known), max(known)} - set(made):
            made[major] = stack.enter_context(running_cluster(known[major]))
        yield {"oldest": made[min(known)], "newest": made[max(known)]}


@pytest.fixture(params=["oldest", "newest"])
def shard(request: pytest.FixtureRequest, clusters: dict[str, Cluster]) -> Iterator[Database]:
    """A fresh database of one version."""
    cluster = clusters[request.param]
    if request.param == "newest" and cluster is clusters["oldest"]:
        pytest.skip("there is one PostgreSQL here only")
    database = cluster.create_database()
    yield database
    cluster.drop_database(database.name)
