"""Shards go forward through the chain, and say the truth about themselves."""

import time
from typing import TYPE_CHECKING

from tests.postgres.runner.conftest import MakePackage
from tests.postgres.runner.packages import CHAIN, ROWS, Package, release, step

if TYPE_CHECKING:
    from tests.postgres.conftest import Database


def test_an_empty_database_comes_to_the_packages_release(
    package: Package, database: "Database"
) -> None:
    result = package.done("apply", "--json")
    assert result.shard["outcome"] == "ok"
    assert (result.shard["ready"], result.shard["schema"]) == ("1.2.0", 2)
    assert database.rows("SELECT count(*), count(os_name) FROM host") == [(ROWS, ROWS)]
    again = package.done("apply", "--json")
    assert again.shard["ran"] == []
    assert package.done("verify").out.startswith("north: in order")
    contracted = package.done("apply", "--phase", "contract", "--json")
    assert contracted.shard["oldest_server"] == "1.1.0"
    assert package.done("status", "--json").shard["pending_contract"] == []
    assert "os" not in [
        row[0]
        for row in database.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'host'::regclass AND attnum > 0"
        )
    ]


def test_expand_alone_makes_nothing_ready(package: Package, database: "Database") -> None:
    shard = package.done("apply", "--to", "1.1.0", "--phase", "expand", "--json").shard
    assert (shard["ready"], shard["schema"]) == ("1.0.0", 1)
    assert package.done("apply", "--to", "1.1.0", "--json").shard["schema"] == 2


def test_a_wished_rate_is_kept(make_package: MakePackage, database: "Database") -> None:
    package = make_package(*CHAIN[:2])
    package.done("apply", "--to", "1.1.0", "--phase", "expand")
    began = time.monotonic()
    package.done("apply", "--max-rate", "900")
    # A second by itself.
    assert 0.5 < time.monotonic() - began < 20


def test_rows_that_come_while_it_moves_them(
    make_package: MakePackage, database: "Database"
) -> None:
    """Above the cursor they are met; the walk ends when no key is left above it."""
    grow = step(
        "grow.migrate",
        "",
        batch={
            "table": "host",
            "key": "id",
            "statements": [
                "UPDATE host SET os = 'seen' WHERE id BETWEEN $1 AND $2",
                "INSERT INTO host SELECT max(id) + 1, 'new' FROM host HAVING max(id) < 960",
            ],
        },
    )
    package = make_package(CHAIN[0], release("1.1.0", 2, grow))
    package.done("apply")
    assert database.rows("SELECT count(*) FROM host WHERE os <> 'seen'") == [(0,)]
    assert database.rows("SELECT max(id) > 950 FROM host") == [(True,)]


def test_an_empty_table(make_package: MakePackage, database: "Database") -> None:
    package = make_package(*CHAIN[:2])
    package.done("apply", "--to", "1.0.0")
    database.execute("TRUNCATE host")
    assert package.done("apply", "--json").shard["schema"] == 2
    history = package.done("history", "--json").shard["events"]
    assert [event["kind"] for event in history if event["subject"] == "os.migrate"] == ["done"]


def test_drift(package: Package, database: "Database") -> None:
    package.done("apply")
    database.execute(
        "ALTER TABLE host ALTER os SET DEFAULT 'x'; CREATE INDEX mine ON host (os);"
        "CREATE TEMP TABLE passing (id int); DROP INDEX host_os_name"
    )
    found = package.run("verify", "--json")
    assert found.code == 1
    assert found.shard["findings"] == [
        "drift: column public.host.os has changed since the last run",
        "drift: index public.host_os_name is gone since the last run",
        "drift: index public.mine is new since the last run",
    ]
    database.execute("UPDATE interlock.snapshot SET digest = '9' WHERE object ~ 'server'")
    assert package.done("verify").out.startswith("north: in order")


def test_history_tells_who(package: Package) -> None:
    package.done("apply")
    first = package.done("history", "--limit", "3").out.splitlines()
    assert len(first) == 3
    event = package.done("history", "--json").shard["events"][-1]
    assert (event["kind"], event["subject"]) == ("handshake", "1.2.0")
    assert event["host"]
    assert event["operator"]
