"""Undo goes back as far as the last contract, and never under a server that needs what goes."""

from typing import TYPE_CHECKING

import pytest

from tests.postgres.runner.conftest import MakePackage, MakeServer
from tests.postgres.runner.packages import CHAIN, ROWS, release, step

if TYPE_CHECKING:
    from tests.postgres.conftest import Database


def columns(database: "Database") -> list[str]:
    return [
        row[0]
        for row in database.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'host'::regclass"
            " AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
    ]


def test_back_and_forth(make_package: MakePackage, database: "Database") -> None:
    package = make_package(*CHAIN[:2])
    package.done("apply")
    undone = package.done("undo", "--to", "1.0.0", "--json").shard
    assert undone["ran"] == [
        "say schema 1, servers >= 1.0.0",
        "undo tidy.migrate (1.1.0) (nothing to run)",
        "undo os.migrate (1.1.0) (nothing to run)",
        "undo os-index.expand (1.1.0)",
        "undo os.expand (1.1.0)",
    ]
    assert (undone["ready"], undone["schema"]) == ("1.0.0", 1)
    assert columns(database) == ["id", "os"]
    assert package.done("verify").out.startswith("north: in order")
    assert package.done("undo", "--to", "1.0.0", "--json").shard["ran"] == []
    package.done("apply")
    assert database.rows("SELECT count(os_name) FROM host") == [(ROWS,)]
    assert [
        (event["kind"], event["subject"])
        for event in package.done("history", "--json").shard["events"]
        if event["subject"] == "os.expand"
    ] == [("done", "os.expand"), ("undone", "os.expand"), ("done", "os.expand")]


def test_to_a_phase(make_package: MakePackage, database: "Database") -> None:
    """After expand alone the schema is not ready, and a later apply moves the data anew."""
    package = make_package(*CHAIN[:2])
    package.done("apply")
    shard = package.done("undo", "--to", "1.1.0", "--phase", "expand", "--json").shard
    assert (shard["ready"], shard["schema"]) == ("1.0.0", 1)
    assert columns(database) == ["id", "os", "os_name"]
    database.execute("UPDATE host SET os_name = NULL")
    assert package.done("apply", "--json").shard["schema"] == 2
    assert database.rows("SELECT count(os_name) FROM host") == [(ROWS,)]


def test_a_live_server_that_needs_the_schema(
    make_package: MakePackage, make_server: MakeServer, database: "Database"
) -> None:
    package = make_package(*CHAIN[:2])
    package.done("apply")
    make_server("1.1.0", oldest_schema=2).run("register")
    refused = package.run("undo", "--to", "1.0.0")
    assert refused.code == 1
    assert "blocked by server 1.1.0 on web1" in refused.err
    assert "first stop every server that needs schema 2" in refused.err
    assert columns(database) == ["id", "os", "os_name"]
    assert database.rows("SELECT schema FROM interlock.handshake") == [(2,)]


def test_no_way_back_behind_a_contract(make_package: MakePackage, database: "Database") -> None:
    package = make_package(
        *CHAIN, release("1.3.0", 3, step("late.expand", "SELECT 1;", undo="SELECT 1;"))
    )
    package.done("apply")
    refused = package.run("undo", "--to", "1.1.0")
    assert refused.code == 1
    assert refused.sentence == (
        "north: the contract of 1.2.0 has begun, and what it removes does not come back;"
        " undo reaches back to: --to 1.2.0 --phase contract"
    )
    package.done("undo", "--to", "1.2.0", "--phase", "contract")
    assert database.rows("SELECT schema, ready_release FROM interlock.handshake") == [(2, "1.2.0")]


def test_a_step_without_undo(make_package: MakePackage) -> None:
    package = make_package(CHAIN[0], release("1.1.0", 2, step("one-way.expand", "SELECT 1;")))
    package.done("apply")
    assert package.run("undo", "--to", "1.0.0").sentence == (
        "north: step one-way.expand (1.1.0) has no undo"
    )
    assert package.done("status", "--json").shard["schema"] == 2


def test_before_the_first_release(make_package: MakePackage, database: "Database") -> None:
    first = step("base.expand", "CREATE TABLE host (id int);", undo="DROP TABLE host;")
    package = make_package(release("1.0.0", 1, first))
    package.done("apply")
    shard = package.done("undo", "--to", "none", "--json").shard
    assert (shard["ready"], shard["schema"]) == (None, 0)
    assert database.rows("SELECT to_regclass('host')") == [(None,)]


def test_an_undo_that_fails_changes_nothing_and_is_finished_later(
    make_package: MakePackage, database: "Database"
) -> None:
    package = make_package(*CHAIN[:2])
    package.done("apply")
    database.execute("CREATE VIEW needs AS SELECT os_name FROM host")
    failed = package.run("undo", "--to", "1.0.0")
    assert failed.code == 4
    assert "cannot drop column os_name" in failed.err
    assert "the undo of os.expand (1.1.0) failed at sql/1.1.0/os.expand.undo.sql" in failed.err
    assert failed.err.endswith("nothing of it remains\n")
    assert columns(database) == ["id", "os", "os_name"]
    database.execute("DROP VIEW needs")
    package.done("undo", "--to", "1.0.0")
    assert columns(database) == ["id", "os"]


def test_apply_after_half_an_undo(make_package: MakePackage, database: "Database") -> None:
    package = make_package(*CHAIN[:2])
    package.done("apply")
    database.execute(
        "UPDATE interlock.steps SET state = 'undone' WHERE phase = 'migrate';"
        "UPDATE interlock.steps SET state = 'undoing' WHERE id = 'os-index.expand';"
        "UPDATE interlock.handshake SET schema = 1, ready_release = '1.0.0'"
    )
    refused = package.run("apply")
    assert refused.code == 1
    assert refused.sentence == (
        "north: the undo of step os-index.expand (1.1.0) was interrupted; finish it first with"
        " 'undo --to'"
    )
    package.done("undo", "--to", "1.0.0")
    package.done("apply")


@pytest.mark.parametrize("command", ["undo", "apply"])
def test_dry_run_changes_nothing(
    make_package: MakePackage, database: "Database", command: str
) -> None:
    package = make_package(*CHAIN[:2])
    package.done("apply", "--to", "1.0.0" if command == "apply" else "1.1.0")
    before = database.rows("TABLE interlock.events")
    arguments = ("--to", "1.0.0") if command == "undo" else ()
    shown = package.done(command, *arguments, "--dry-run").out
    assert ("DROP" if command == "undo" else "ADD") + " COLUMN os_name" in shown
    assert database.rows("TABLE interlock.events") == before
