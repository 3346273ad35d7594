"""Migrations that no server waits for: they run behind a ready schema, before the contract."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.postgres.runner.conftest import MakePackage, MakeServer
from tests.postgres.runner.packages import (
    CHAIN,
    FRAMED,
    ROWS,
    TRAILING,
    framed,
    release,
    step,
)
from toolchain.runner.ledger.manifest_file import read_manifest

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

EXPAND, INDEX, MIGRATE, TIDY = CHAIN[1]["steps"]
SAID = "SELECT schema, ready_release, oldest_server FROM interlock.handshake"
LATER = release("1.3.0", 3, step("late.expand", "SELECT 1;", undo="SELECT 1;"))
TO_MOVE = (
    "data still to be moved by os.migrate (1.1.0); no server waits for it, and 'apply' goes on"
)


def both_kinds() -> dict[str, Any]:
    """A release whose schema waits for one of two migrations, written after the other."""
    return release("1.1.0", 2, EXPAND, framed(), TIDY)


def test_the_plan_tells_what_waits_for_what(make_package: MakePackage) -> None:
    package = make_package(*TRAILING)
    assert package.done("plan", "--phase", "contract").out.splitlines() == [
        "north: expand base.expand (1.0.0), then schema 1 is ready",
        "north: expand os.expand (1.1.0), then schema 2 is ready",
        "north: migrate os.migrate (1.1.0), for which no server waits",
        "north: ready 1.2.0: schema 2",
        "north: gate 1.2.0: servers >= 1.1.0 only",
        "north: contract os.contract (1.2.0)",
    ]


def test_the_schema_waits_only_for_what_readies_it(
    make_package: MakePackage, database: "Database"
) -> None:
    package = make_package(CHAIN[0], both_kinds(), CHAIN[2])
    assert package.done("apply", "--phase", "contract", "--json").shard["ran"][1:] == [
        "expand os.expand (1.1.0)",
        "migrate tidy.migrate (1.1.0), then schema 2 is ready",
        "migrate os.migrate (1.1.0), for which no server waits",
        "ready 1.2.0: schema 2",
        "gate 1.2.0: servers >= 1.1.0 only",
        "contract os.contract (1.2.0)",
    ]
    assert database.rows("SELECT id FROM interlock.steps ORDER BY position") == [
        ("base.expand",), ("os.expand",), ("tidy.migrate",), ("os.migrate",), ("os.contract",),
    ]  # fmt: skip


def test_expand_makes_ready_and_the_data_is_moved_later(
    make_package: MakePackage, make_server: MakeServer, database: "Database"
) -> None:
    package = make_package(*TRAILING[:2])
    result = package.done("apply", "--phase", "expand")
    assert result.out.splitlines() == [
        "north: 2 actions, now 1.1.0 ready, schema 2, servers >= 1.0.0",
        f"north: {TO_MOVE}",
    ]
    make_server("1.1.0", oldest_schema=2).run("register")
    status = package.done("status")
    assert status.out.splitlines()[:3] == [
        "north: 1.1.0 ready, schema 2, servers >= 1.0.0",
        f"north: {TO_MOVE}",
        "north: pending: 1 action to 1.1.0",
    ]
    assert package.done("status", "--json").shard["to_move"] == ["os.migrate"]
    assert package.done("verify").out.splitlines() == [
        "north: in order: 1.1.0 ready, schema 2, servers >= 1.0.0",
        f"north: {TO_MOVE}",
    ]
    assert package.done("apply", "--json").shard["to_move"] == []
    assert database.rows("SELECT count(os_name) FROM host") == [(ROWS + 1,)]
    assert "still to be moved" not in package.done("status").out
    assert (
        package.done("verify").out == "north: in order: 1.1.0 ready, schema 2, servers >= 1.0.0\n"
    )


def test_with_a_migration_that_readies_expand_makes_nothing_ready(
    make_package: MakePackage, database: "Database"
) -> None:
    package = make_package(CHAIN[0], both_kinds())
    shard = package.done("apply", "--phase", "expand", "--json").shard
    assert (shard["ready"], shard["to_move"]) == ("1.0.0", [])
    package.done("apply")
    assert database.rows(SAID) == [(2, "1.1.0", "1.0.0")]


@pytest.mark.parametrize("phase", ["expand", "migrate", "contract"])
def test_a_later_package_first_moves_what_was_left(
    make_package: MakePackage, database: "Database", phase: str
) -> None:
    make_package(*TRAILING[:2]).done("apply", "--phase", "expand")
    later = make_package(*TRAILING, LATER)
    actions = [
        "migrate os.migrate (1.1.0), for which no server waits",
        "ready 1.2.0: schema 2",
        "gate 1.2.0: servers >= 1.1.0 only",
        "contract os.contract (1.2.0)",
        "expand late.expand (1.3.0), then schema 3 is ready",
    ]
    assert later.done("apply", "--phase", phase, "--json").shard["ran"] == actions
    assert database.rows(FRAMED) == [("begun and finished",)]
    assert later.done("verify").out.startswith("north: in order")


def test_a_release_that_only_moves_data(make_package: MakePackage, database: "Database") -> None:
    """The expand came with the release before; the schema has no step of its own to wait for."""
    package = make_package(
        CHAIN[0], release("1.1.0", 2, EXPAND), release("1.2.0", 2, framed()), LATER
    )
    assert package.done("apply", "--json", "--to", "1.2.0", "--phase", "expand").shard["ran"][
        1:
    ] == [
        "expand os.expand (1.1.0), then schema 2 is ready",
        "ready 1.2.0: schema 2",
    ]
    assert package.done("status", "--json").shard["to_move"] == ["os.migrate"]
    package.done("apply")
    assert database.rows(SAID) == [(3, "1.3.0", "1.0.0")]
    package.done("undo", "--to", "1.2.0", "--phase", "expand")
    assert database.rows(SAID) == [(2, "1.2.0", "1.0.0")]


def test_a_contract_of_the_same_release_comes_after_it(make_package: MakePackage) -> None:
    drop = step("other.contract", "DROP TABLE other")
    base = step("base.expand", CHAIN[0]["steps"][0]["text"] + "CREATE TABLE other ();")
    package = make_package(
        release("1.0.0", 1, base), release("1.1.0", 2, EXPAND, framed(), drop, oldest="1.1.0")
    )
    package.done("apply", "--phase", "expand")
    assert package.done("apply", "--phase", "contract", "--json").shard["ran"] == [
        "migrate os.migrate (1.1.0), for which no server waits",
        "gate 1.1.0: servers >= 1.1.0 only",
        "contract other.contract (1.1.0)",
    ]


def test_undo_lowers_the_schema_with_the_expand_only(
    make_package: MakePackage, make_server: MakeServer, database: "Database"
) -> None:
    package = make_package(*TRAILING[:2])
    package.done("apply")
    server = make_server("1.1.0", oldest_schema=2)
    server.run("register")
    for _ in range(2):
        undone = package.done("undo", "--to", "1.1.0", "--phase", "expand", "--json").shard
        assert undone["ran"] == ["undo os.migrate (1.1.0)"]
        assert undone["to_move"] == ["os.migrate"]
        assert database.rows(SAID) == [(2, "1.1.0", "1.0.0")]
        assert database.rows(FRAMED) == []
        package.done("apply")
        assert database.rows(FRAMED) == [("begun and finished",)]
    assert package.run("undo", "--to", "1.0.0").code == 1
    server.run("deregister")
    assert package.done("undo", "--to", "1.0.0", "--json").shard["ran"] == [
        "say schema 1, servers >= 1.0.0",
        "undo os.migrate (1.1.0)",
        "undo os.expand (1.1.0)",
    ]
    package.done("apply")
    assert package.done("verify").out.startswith("north: in order")


def test_undo_where_the_data_is_not_moved_yet(
    make_package: MakePackage, database: "Database"
) -> None:
    package = make_package(*TRAILING[:2])
    package.done("apply", "--phase", "expand")
    assert package.done("undo", "--to", "1.0.0", "--json").shard["ran"] == [
        "say schema 1, servers >= 1.0.0",
        "undo os.expand (1.1.0)",
    ]
    assert package.done("status", "--json").shard["to_move"] == []


def test_nobody_is_asked_about_data_behind_a_ready_schema(
    make_package: MakePackage, make_server: MakeServer, database: "Database"
) -> None:
    """It changes nothing of what the shard says, so no server can be against it."""
    package = make_package(*TRAILING[:2])
    package.done("apply", "--phase", "expand")
    make_server("1.1.0", oldest_schema=2).run("register")
    database.execute("UPDATE interlock.servers SET schema_below = 2, oldest_schema = 0")
    package.done("apply")
    assert database.rows(FRAMED) == [("begun and finished",)]


def test_a_baseline_adopts_it_too(make_package: MakePackage, database: "Database") -> None:
    package = make_package(*TRAILING)
    database.execute("CREATE TABLE host (id bigint PRIMARY KEY, os text, os_name text)")
    shard = package.done("baseline", "1.1.0", "--json").shard
    assert (shard["ready"], shard["to_move"]) == ("1.1.0", [])
    package.done("apply", "--phase", "contract")


def test_only_a_migration_can_be_one_that_nothing_waits_for(make_package: MakePackage) -> None:
    early = step("os.expand", "SELECT 1", readies=False)
    refused = make_package(release("1.0.0", 1, early)).run("plan")
    assert refused.code == 3
    assert "steps[0].readies: the schema waits for every step but a migrate one" in refused.sentence


def test_absent_is_as_it_was(make_package: MakePackage) -> None:
    (found,) = read_manifest(make_package(release("1.0.0", 1, MIGRATE)).manifest).steps
    assert found.readies
    assert found.batch is not None
    assert found.batch.begin == found.batch.finish == ()
