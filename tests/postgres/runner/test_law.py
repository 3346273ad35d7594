"""The SQL and the island's Python are forms of the model's law, and agree with it everywhere."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.postgres.runner.packages import CHAIN, Package
from tests.properties.chains import chains, pairs
from toolchain.model import law, version, window
from toolchain.runner.core import law as island
from toolchain.runner.core.version import Schemas, Versions, version_key

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster

numbers = st.one_of(st.integers(0, 3), st.sampled_from([9, 10, 99, 100, 999_999_999]))
stages = st.sampled_from(["a", "aa", "alpha", "b", "beta", "rc", "z", "zzzzzzzzzzzzzzzz"])
finals = st.builds(version.Version, numbers, numbers, numbers)
versions = st.one_of(finals, st.builds(version.Version, numbers, numbers, numbers, stages, numbers))
schemas = st.integers(0, 6)


@st.composite
def windows(draw: st.DrawFn, points: st.SearchStrategy[Any]) -> window.Window[Any]:
    oldest, below = draw(points), draw(st.none() | points)
    return window.Window(oldest, below if below is not None and oldest < below else None)


servers = st.builds(
    law.ServerHandshake, version=versions, schemas=windows(schemas), peers=windows(versions)
)
shards = st.builds(law.ShardHandshake, schema=schemas, servers=windows(versions))


@pytest.fixture(scope="module")
def cursor(
    cluster: "Cluster", tmp_path_factory: pytest.TempPathFactory
) -> Iterator["psycopg2.extensions.cursor"]:
    database = cluster.create_database()
    package = Package(tmp_path_factory.mktemp("law"), CHAIN[:1], {"north": database.dsn})
    package.done("apply")
    with closing(psycopg2.connect(database.dsn)) as connection:
        yield connection.cursor()
    cluster.drop_database(database.name)


def plain(value: object) -> str | None:
    return None if value is None else str(value)


def in_island(server: law.ServerHandshake) -> island.Server:
    return island.Server(
        str(server.version),
        Schemas(server.schemas.oldest, server.schemas.below),
        Versions(str(server.peers.oldest), plain(server.peers.below)),
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(versions, min_size=2, max_size=30))
def test_versions_sort_alike(cursor: "psycopg2.extensions.cursor", some: list[Any]) -> None:
    cursor.execute(
        'SELECT v FROM unnest(%s) AS v ORDER BY interlock.version_key(v) COLLATE "C", v',
        ([str(one) for one in some],),
    )
    wanted = [str(one) for one in sorted(some)]
    assert [row[0] for row in cursor.fetchall()] == wanted
    assert sorted(map(str, some), key=version_key) == wanted


@pytest.mark.parametrize(
    "text", ["", "1", "1.0", "01.0.0", "1.0.0-rc", "1.0.0-RC1", "1.0.0\n", " 1.0.0", "1.0.0-rc.1"]
)
def test_what_is_no_version(cursor: "psycopg2.extensions.cursor", text: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        version_key(text)
    with pytest.raises(psycopg2.DataError, match="is not a version"):
        cursor.execute("SELECT interlock.version_key(%s)", (text,))
    cursor.connection.rollback()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(servers, shards), min_size=1, max_size=20)
    | chains.map(lambda chain: list(pairs(chain))).filter(bool)
)
def test_compatible(cursor: "psycopg2.extensions.cursor", cases: list[Any]) -> None:
    """Handshakes of all kinds, and all pairs of chains whose windows are derived."""
    wanted = [law.compatible(server, shard) for server, shard in cases]
    rows = [
        (
            str(server.version), server.schemas.oldest, server.schemas.below,
            shard.schema, str(shard.servers.oldest), plain(shard.servers.below),
        )
        for server, shard in cases
    ]  # fmt: skip
    assert _ask(cursor, "compatible(%s, %s, %s, %s, %s, %s)", rows) == wanted
    assert wanted == [
        island.compatible(
            in_island(server),
            island.Handshake(
                shard.schema, Versions(str(shard.servers.oldest), plain(shard.servers.below))
            ),
        )
        for server, shard in cases
    ]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(servers, servers), min_size=1, max_size=20))
def test_peers_compatible(cursor: "psycopg2.extensions.cursor", cases: list[Any]) -> None:
    wanted = [law.peers_compatible(one, other) for one, other in cases]
    rows = [
        tuple(
            part
            for server in pair
            for part in (
                str(server.version), str(server.peers.oldest), plain(server.peers.below),
            )
        )
        for pair in cases
    ]  # fmt: skip
    assert _ask(cursor, "peers_compatible(%s, %s, %s, %s, %s, %s)", rows) == wanted
    assert wanted == [
        island.peers_compatible(in_island(one), in_island(other)) for one, other in cases
    ]


def _ask(
    cursor: "psycopg2.extensions.cursor", call: str, rows: list[tuple[Any, ...]]
) -> list[bool]:
    values = ", ".join(["interlock." + call] * len(rows))
    cursor.execute(f"SELECT ARRAY[{values}]", [part for row in rows for part in row])
    answer = cursor.fetchone()
    assert answer is not None
    return list(answer[0])
