"""Many shards: one that is down stops nobody, two hundred cost no more memory than eight."""

import re
import tracemalloc
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import CHAIN, Package

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

DOWN = "host=127.0.0.1 port=1 dbname=nothing connect_timeout=2"


def test_one_shard_is_down(
    make_package: MakePackage, make_database: Callable[..., "Database"]
) -> None:
    one, two = make_database(), make_database()
    package = make_package(shards={"north": one.dsn, "east": DOWN, "south": two.dsn})
    result = package.run("apply", "--json")
    assert result.code == 4
    outcomes = [(shard["shard"], shard["outcome"]) for shard in result.document["shards"]]
    assert outcomes == [("north", "ok"), ("east", "failed"), ("south", "ok")]
    assert re.match("east: cannot connect: ", result.err.splitlines()[-1])
    assert package.done("apply", "--shard", "south", "--shard", "north").err == ""
    two.execute("UPDATE interlock.steps SET checksum = 'x'")
    assert package.run("verify").code == 5
    status = package.run("status").out
    assert status.startswith("north: 1.2.0 ready, schema 2, servers >= 1.0.0\n")


def test_two_hundred_shards(package: Package, database: "Database") -> None:
    package.done("apply")
    package.shards = {f"shard-{number}": database.dsn for number in range(200)}
    package.write()
    package.done("status", "--shard", "shard-1")
    peaks = []
    for count in (8, 200):
        names = [word for n in range(count) for word in ("--shard", f"shard-{n}")]
        tracemalloc.start()
        assert package.done("status", *names).out.count("pending:") == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200 * 20_000
    most = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^fleetdesk-database'"
    assert database.rows(most) <= [(8,)]


def test_nothing_is_left_to_do(make_package: MakePackage) -> None:
    package = make_package(*CHAIN[:1])
    package.done("apply")
    assert package.done("plan").out == (
        "north: nothing to do: 1.0.0 ready, schema 1, servers >= 1.0.0\n"
    )
    assert package.done("apply", "--quiet").err == ""
