"""What `check` says that a statement needs, held against PostgreSQL's own answer to it."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from tests.postgres.conftest import Cluster, Database
from toolchain.spec.schema.replay import Replay
from toolchain.spec.statements.needs import needs_of

TABLE = """
CREATE TABLE host (
    id bigint PRIMARY KEY,
    name text CONSTRAINT host_name_key UNIQUE,
    os text,
    place text,
    late text
);
CREATE TABLE queue (id bigint UNIQUE DEFERRABLE);
CREATE UNIQUE INDEX by_both ON host (os, place);
CREATE UNIQUE INDEX partly ON host (place) WHERE os IS NULL;
CREATE UNIQUE INDEX held ON host (os) INCLUDE (late);
CREATE INDEX plain ON host (late);
CREATE UNIQUE INDEX lowered ON host (lower(late));
"""
INSERT = "INSERT INTO host (id) VALUES (1) ON CONFLICT"


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    database = cluster.create_database()
    database.execute(TABLE)
    yield database
    cluster.drop_database(database.name)


@pytest.mark.parametrize(
    "statement",
    [
        f"{INSERT} (id) DO NOTHING",
        f"{INSERT} (name) DO NOTHING",
        f"{INSERT} (place, os) DO NOTHING",
        f"{INSERT} (os) DO NOTHING",
        f"{INSERT} (place) DO NOTHING",
        f"{INSERT} (place) WHERE os IS NULL DO NOTHING",
        f"{INSERT} (late) DO NOTHING",
        "INSERT INTO queue (id) VALUES (1) ON CONFLICT (id) DO NOTHING",
        f"{INSERT} (id, name) DO NOTHING",
        f"{INSERT} DO NOTHING",
        f"{INSERT} (lower(late)) DO NOTHING",
        f"{INSERT} ON CONSTRAINT host_name_key DO NOTHING",
        f"{INSERT} ON CONSTRAINT by_both DO NOTHING",
        "INSERT INTO host (kind) VALUES (1)",
        "UPDATE host SET kind = 1",
        "UPDATE host SET name = 1",
        "SELECT * FROM machine",
        "WITH machine AS (SELECT 1) SELECT * FROM machine",
        "DELETE FROM machine",
    ],
)
def test_the_answers_agree(statement: str, database: Database) -> None:
    replay = Replay()
    replay.apply(TABLE)
    met = all(need.met(replay.schema) for need in needs_of(statement))
    with closing(psycopg2.connect(database.dsn)) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(statement)  # EXPLAIN plans what a deferrable key refuses
        except psycopg2.Error:
            works = False
        else:
            works = True
    assert met is works
