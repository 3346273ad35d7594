"""A primary and its standby: lag makes a migration pause, a failover doesn't lose its place."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2
import pytest

from tests.postgres.conftest import Cluster, running_cluster
from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import CHAIN, ROWS, release
from tests.postgres.runner.test_faults import MARK, MARKED, QUICK, in_background, moving, wait_for

if TYPE_CHECKING:
    from tests.postgres.conftest import Database


@dataclass(frozen=True)
class Pair:
    primary: Cluster
    standby: Cluster


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A standby made by copying a stopped primary, which needs no further tool."""
    with running_cluster() as primary, running_cluster() as standby:
        primary.stop()
        standby.stop()
        shutil.rmtree(standby.directory / "data")
        shutil.copytree(primary.directory / "data", standby.directory / "data")
        with (standby.directory / "data" / "postgresql.auto.conf").open("a") as settings:
            settings.write(
                f"primary_conninfo = 'host={primary.directory} port={primary.port}"
                " user=interlock_test application_name=second'\n"
            )
        (standby.directory / "data" / "standby.signal").touch()
        if standby.account is not None:
            for folder, _, files in os.walk(standby.directory / "data"):
                for name in (".", *files):
                    os.chown(f"{folder}/{name}", standby.account.pw_uid, standby.account.pw_gid)
        primary.start()
        standby.start()
        yield Pair(primary, standby)


def on_standby(pair: Pair, database: "Database", query: str) -> object:
    with closing(psycopg2.connect(pair.standby.database(database.name).dsn)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(query)
        return cursor.fetchall()[0][0]


def test_standby(make_package: MakePackage, pair: Pair) -> None:
    database = pair.primary.create_database()
    package = make_package(
        CHAIN[0],
        release("1.1.0", 2, MARK),
        shards={"north": database.dsn},
        settings=QUICK + "\nreplication_bytes_limit = 20kB",
    )
    package.done("apply", "--to", "1.0.0")
    primary_replayed = "SELECT replay_lsn = pg_current_wal_lsn() FROM pg_stat_replication"
    wait_for(lambda: database.rows(primary_replayed) == [(True,)])

    package.shards = {"north": pair.standby.database(database.name).dsn}
    package.write()
    refused = package.run("apply")
    assert refused.code == 4
    assert refused.sentence == (
        "north: it is a standby in recovery, which takes no changes; point its dsn at the primary,"
        " or name all hosts with target_session_attrs=read-write"
    )
    assert package.done("status", "--json").shard["schema"] == 1

    directories = f"{pair.primary.directory},{pair.standby.directory}"
    package.shards = {
        "north": f"host={directories} port={pair.primary.port},{pair.standby.port}"
        f" user=interlock_test dbname={database.name} target_session_attrs=read-write"
    }
    package.write()
    on_standby(pair, database, "SELECT pg_wal_replay_pause()::text")
    with in_background(package, "apply") as finish:
        wait_for(lambda: moving(database))
        waiting = "SELECT rows FROM interlock.steps WHERE id = 'mark.migrate'"
        seen: list[object] = []

        def standing() -> bool:
            seen.append(database.rows(waiting))
            return len(seen) > 40 and len({str(rows) for rows in seen[-40:]}) == 1

        wait_for(standing)
        assert moving(database)
        on_standby(pair, database, "SELECT pg_wal_replay_resume()::text")
        wait_for(lambda: database.rows(waiting) != seen[-1])
        pair.primary.stop(signal.SIGQUIT)
        on_standby(pair, database, "SELECT pg_promote()")
        result = finish()
    assert result.code == 0, result
    assert re.search(
        r"mark\.migrate \(1\.1\.0\) pauses: standby second is ([\d.]+ \w+ and )?\d+ kB behind",
        result.err,
    )
    assert "connects again" in result.err
    promoted = pair.standby.database(database.name)
    assert promoted.rows(MARKED) == [(ROWS, ROWS)]
    assert package.done("verify").out.startswith("north: in order")
