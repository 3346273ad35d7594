"""The start-up check: a server starts where it fits every shard and peer, and nowhere else."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.postgres.runner.conftest import MakePackage, MakeServer
from tests.postgres.runner.packages import CHAIN, Package, release

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

REGISTERED = "SELECT host, instance, version FROM interlock.servers ORDER BY 1, 2"
AGAIN = "registered again: its registration had expired, was retired or was gone"
DOWN = "host=127.0.0.1 port=1 dbname=nothing connect_timeout=2"


def test_the_life_of_a_registration(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    package.done("apply")
    server = make_server("1.1.0", oldest_schema=2)
    asked = server.run("status", "--json")
    assert (asked.code, asked.shard["accepted"]) == (0, True)
    assert database.rows(REGISTERED) == []
    assert server.run("register", "--instance", "web").code == 0
    assert server.run("register", "--instance", "worker@2").code == 0
    assert database.rows(REGISTERED) == [("web1", "web", "1.1.0"), ("web1", "worker@2", "1.1.0")]
    database.execute("UPDATE interlock.servers SET last_seen = last_seen - interval '1 hour'")
    assert [s["live"] for s in package.done("status", "--json").shard["servers"]] == [False] * 2
    refreshed = server.run("refresh")
    assert (refreshed.code, refreshed.out) == (0, 2 * f"north: {AGAIN}\n")
    assert server.run("refresh").out == ""
    assert [s["live"] for s in package.done("status", "--json").shard["servers"]] == [True] * 2
    assert server.run("deregister", "--instance", "web").code == 0
    assert server.run("deregister", "--instance", "web").out == "north: was not registered\n"
    server.run("refresh")
    assert database.rows(REGISTERED) == [("web1", "worker@2", "1.1.0")]
    kinds = [e["detail"] for e in package.done("history", "--json").shard["events"][-4:]]
    assert kinds == ["1.1.0 registered", "1.1.0 registered", "1.1.0 registered", "stopped"] or (
        kinds[-1] == "stopped"
    )


@pytest.mark.parametrize(
    ("version", "options", "sentence"),
    [
        (
            "1.1.0",
            {"oldest_schema": 3},
            "north: fleetdesk-server 1.1.0 does not fit shard north: it needs schema >= 3, and the"
            " shard has 2; first run fleetdesk-database apply on that shard",
        ),
        (
            "1.1.0",
            {"oldest_schema": 1, "schema_below": 2},
            "north: fleetdesk-server 1.1.0 does not fit shard north: it needs schema >= 1, < 2,"
            " and the shard has 2; install a newer fleetdesk-server",
        ),
        (
            "0.9.0",
            {},
            "north: fleetdesk-server 0.9.0 does not fit shard north, which accepts servers"
            " >= 1.0.0; install a fleetdesk-server >= 1.0.0",
        ),
        (
            "2.0.0",
            {"oldest_peer": "1.5.0"},
            "north: fleetdesk-server 2.0.0 may not run beside server 1.2.0 on web9, seen live by"
            " shard north; first upgrade or stop those; peers must be >= 1.5.0",
        ),
        (
            "1.1.0",
            {},
            "north: fleetdesk-server 1.1.0 may not run beside server 1.2.0 on web9, seen live by"
            " shard north; first upgrade or stop those; peers must be >= 0.0.0",
        ),
    ],
)
def test_refusals(
    package: Package,
    make_server: MakeServer,
    database: "Database",
    version: str,
    options: dict[str, int],
    sentence: str,
) -> None:
    package.done("apply")
    peer = make_server("1.2.0", host="web9", oldest_peer="1.2.0" if not options else "0.0.0")
    assert peer.run("register").code == 0
    for command in ("status", "register"):
        refused = make_server(version, **options).run(command)
        assert (refused.code, refused.sentence) == (1, sentence)
    assert database.rows(REGISTERED) == [("web9", "server", "1.2.0")]


def test_every_shard_is_asked_before_any_is_told(
    make_package: MakePackage, make_server: MakeServer, make_database: object
) -> None:
    one, two = make_database(), make_database()  # type: ignore[operator]
    shards = {"north": one.dsn, "south": two.dsn}
    package = make_package(shards=shards)
    package.done("apply", "--shard", "north")
    package.done("apply", "--shard", "south", "--to", "1.0.0")
    refused = make_server("1.1.0", oldest_schema=2, shards=shards).run("register")
    assert refused.code == 1
    assert refused.sentence.startswith("south: fleetdesk-server 1.1.0 does not fit shard south")
    assert one.rows(REGISTERED) == two.rows(REGISTERED) == []


def test_a_shard_that_does_not_answer(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    package.done("apply")
    server = make_server("1.1.0", oldest_schema=2)
    server.run("register")
    reading = server.folder / "state" / "shards" / "north.json"
    kept = json.loads(reading.read_text())
    assert (kept["schema"], kept["servers"]["oldest"]) == (2, "1.0.0")

    server.shards = {"north": DOWN}
    server.write()
    refused = server.run("register")
    assert refused.code == 4
    assert refused.sentence.startswith("north: cannot connect: ")

    server.settings = "unreachable = last-known\nlast_known_age = 1h"
    server.write()
    accepted = server.run("register")
    assert accepted.code == 0
    assert "judged by its answer" in accepted.out

    server.oldest_schema = 3
    server.write()
    assert "the shard has 2" in server.run("register").sentence
    server.oldest_schema = 2
    server.write()
    for moment, words in ((kept["at"] - 7200, "too old (2 h"), (kept["at"] + 7200, "went back")):
        reading.write_text(json.dumps({**kept, "at": moment}))
        assert words in server.run("register").sentence
    reading.unlink()
    assert server.run("register").sentence.endswith("and it has never answered before")


def test_no_ledger(make_server: MakeServer, make_package: MakePackage) -> None:
    refused = make_server("1.0.0").run("register")
    assert refused.code == 5
    assert refused.sentence == (
        "north: it has no ledger, so nobody knows its schema; run the database package's 'apply'"
        " or 'baseline' on it first"
    )
    make_package(release("1.0.0", 1), product="otherdesk").done("apply")
    assert make_server("1.0.0").run("register").sentence == (
        "north: its ledger does not know fleetdesk; run fleetdesk-database 'apply' or 'baseline'"
        " on it first"
    )


def test_a_role_that_may_check_and_nothing_else(
    make_package: MakePackage, make_server: MakeServer, database: "Database"
) -> None:
    role = f'app"{database.name};--'
    database.execute("CREATE ROLE " + '"' + role.replace('"', '""') + '" LOGIN')
    dsn = database.dsn_as(role)
    make_package(CHAIN[0]).done("apply")
    server = make_server("1.0.0", shards={"north": dsn})
    refused = server.run("register")
    assert refused.code == 4
    assert "this role may not call the start-up check; name it in server_roles" in refused.sentence

    package = make_package(CHAIN[0], settings=f"server_roles = {role}")
    package.done("apply")
    assert server.run("register").code == 0
    assert server.run("refresh").code == 0
    assert server.run("deregister").code == 0
    assert database.rows(
        f"SELECT p.proname FROM pg_proc p JOIN pg_roles r ON r.rolname = $${role}$$"
        " WHERE pronamespace = 'interlock'::regnamespace"
        " AND has_function_privilege(r.oid, p.oid, 'EXECUTE') ORDER BY 1"
    ) == [("ask",), ("check_in",), ("check_out",), ("read_handshake",)]
    package.shards = {"north": dsn}
    package.write()
    assert package.run("status").sentence == (
        "north: the role may not read the ledger; connect by the role that owns schema interlock"
    )
    package.settings = "server_roles = nobody-is-called-so"
    package.shards = {"north": database.dsn}
    package.write()
    assert package.run("apply").sentence == (
        "north: cannot grant the start-up check to 'nobody-is-called-so': role"
        ' "nobody-is-called-so" does not exist [42704]; correct server_roles, or create the role'
    )
    database.execute(
        "DROP OWNED BY " + '"' + role.replace('"', '""') + '";'
        "DROP ROLE " + '"' + role.replace('"', '""') + '"'
    )


def test_state_that_cannot_be_written(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    package.done("apply")
    server = make_server("1.1.0")
    (server.folder / "state").write_text("in the way")
    refused = server.run("register")
    assert refused.code == 3
    assert "the service's user needs to own" in refused.sentence
    assert database.rows(REGISTERED) == []


def test_keeping_registrations_alive(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    """A service of its own refreshes whatever registered here, until it is stopped."""
    package.done("apply")
    server = make_server("1.1.0", settings="refresh = 5s\nexpires = 30s")
    server.run("register", "--instance", "web")
    database.execute("UPDATE interlock.servers SET last_seen = last_seen - interval '1 hour'")
    process = server.start("refresh", "--keep")
    live = "SELECT last_seen > clock_timestamp() - interval '1 minute' FROM interlock.servers"
    deadline = time.monotonic() + 60
    while database.rows(live) != [(True,)]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.terminate()
    assert process.communicate(timeout=60) == ("", f"north: {AGAIN}\n")
    assert process.returncode == 0
    assert database.rows(REGISTERED) == [("web1", "web", "1.1.0")]


def test_an_instance_of_before_a_power_cut(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    package.done("apply")
    server = make_server("1.1.0")
    server.run("register", "--instance", "web")
    (server.folder / "state" / "instances" / "web.json").write_text('{"boot": "another"}')
    database.execute("UPDATE interlock.servers SET last_seen = last_seen - interval '1 hour'")
    assert server.run("refresh").code == 0
    assert [s["live"] for s in package.done("status", "--json").shard["servers"]] == [False]


def test_usage(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server("1.0.0")
    for arguments in (("nonsense",), ("register", "--instance", "../up"), ("register", "extra")):
        result = server.run(*arguments)
        assert result.code == 2
        assert result.sentence.startswith("interlock-check: ")
    (server.folder / "release.json").write_text('{"format": 2}')
    assert server.run("status").code == 3
