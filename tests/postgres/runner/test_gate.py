"""The gate: nothing that a live server needs goes away, and no server slips in while it closes."""

import re
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2

from tests.postgres.runner.conftest import MakePackage, MakeServer
from tests.postgres.runner.packages import CHAIN, Package, release, step

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

CONTRACT = ("apply", "--phase", "contract")


def oldest_server(database: "Database") -> str:
    return str(database.rows("SELECT oldest_server FROM interlock.handshake")[0][0])


def test_a_live_server_blocks_the_contract(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    package.done("apply")
    old = make_server("1.0.0")
    assert old.run("register", "--instance", "fleetdesk-web").code == 0
    blocked = package.run(*CONTRACT)
    assert blocked.code == 1
    assert re.fullmatch(
        r"north: the contract of 1\.2\.0 is blocked by fleetdesk-web 1\.0\.0 on web1 \(seen 0\.\d s"
        r" ago\); bring every server to a version >= 1\.1\.0, or stop it; if its host is gone for good,"
        r" 'fleetdesk-database retire --force web1/fleetdesk-web'",
        blocked.err.splitlines()[-1],
    )
    assert oldest_server(database) == "1.0.0"
    plan = package.done("plan", "--phase", "contract", "--json").shard
    assert [bool(action["blocked_by"]) for action in plan["actions"]] == [True, False]
    shard = package.run(*CONTRACT, "--json").shard
    assert shard["outcome"] == "refused"
    assert [server["version"] for server in shard["blocked_by"]] == ["1.0.0"]

    assert make_server("1.1.0").run("register", "--instance", "fleetdesk-web").code == 0
    package.done(*CONTRACT)
    assert oldest_server(database) == "1.1.0"
    refused = old.run("register", "--instance", "other")
    assert refused.code == 1
    assert refused.sentence == (
        "north: fleetdesk-server 1.0.0 does not fit shard north, which accepts servers >= 1.1.0;"
        " install a fleetdesk-server >= 1.1.0"
    )


def test_a_ceiling_of_a_live_server_blocks_the_schema(
    make_package: MakePackage, make_server: MakeServer, database: "Database"
) -> None:
    """Nothing of the release is begun: its first step waits for the gate of its last one."""
    package = make_package(*CHAIN[:2])
    package.done("apply", "--to", "1.0.0")
    make_server("1.0.0", schema_below=2).run("register")
    blocked = package.run("apply")
    assert blocked.code == 1
    assert "schema 2 of 1.1.0 is blocked by server 1.0.0 on web1" in blocked.err
    assert "to a version that accepts schema 2" in blocked.err
    assert database.rows("SELECT count(*) FROM interlock.steps") == [(1,)]


def test_ceilings_of_the_shard(
    make_package: MakePackage, make_server: MakeServer, database: "Database"
) -> None:
    """A wider ceiling holds as soon as the release is ready, a narrower one from its contract."""
    package = make_package(
        release("1.0.0", 1, oldest="1.0.0", below="2.0.0"),
        release("2.0.0", 2, oldest="1.0.0", below="3.0.0"),
        release("2.1.0", 2, oldest="1.0.0", below="2.5.0"),
    )
    said = "SELECT schema, oldest_server, servers_below FROM interlock.handshake"
    package.done("apply", "--to", "1.0.0")
    assert database.rows(said) == [(1, "1.0.0", "2.0.0")]
    assert make_server("2.0.0").run("status").code == 1
    package.done("apply", "--to", "2.0.0")
    assert database.rows(said) == [(2, "1.0.0", "3.0.0")]
    make_server("2.6.0").run("register")
    package.done("apply", "--to", "2.1.0")
    assert database.rows(said) == [(2, "1.0.0", "3.0.0")]
    assert package.run(*CONTRACT).code == 1
    make_server("2.6.0").run("deregister")
    package.done(*CONTRACT)
    assert database.rows(said) == [(2, "1.0.0", "2.5.0")]


def test_a_release_without_contract_steps_closes_its_window(
    make_package: MakePackage, database: "Database"
) -> None:
    package = make_package(
        CHAIN[0], release("1.1.0", 1, oldest="1.1.0"), release("1.2.0", 2, oldest="1.1.0")
    )
    plan = package.done("plan", "--json").shard["actions"]
    assert [action["action"] for action in plan] == [
        "expand base.expand (1.0.0), then schema 1 is ready",
        "ready 1.1.0: schema 1",
        "gate 1.1.0: servers >= 1.1.0 only",
        "ready 1.2.0: schema 2",
    ]
    package.done("apply")
    assert package.done(*CONTRACT, "--json").shard["ran"] == []
    assert oldest_server(database) == "1.1.0"


def test_a_registration_under_way_is_seen_by_the_gate(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    """The gate waits for whoever registers at the moment, and then sees that server."""
    package.done("apply")
    with closing(psycopg2.connect(database.dsn)) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT accepted FROM interlock.check_in('fleetdesk', 'web1', 'web', '1.0.0', 0, NULL,"
            " '0.0.0', NULL, '10 minutes', '')"
        )
        assert cursor.fetchall() == [(True,)]
        blocked = package.run("apply", "--phase", "contract")
        assert blocked.code == 4
        assert "the gate of 1.2.0 gave up after" in blocked.err
        connection.commit()
    assert package.run(*CONTRACT).code == 1
    assert oldest_server(database) == "1.0.0"


def test_a_gate_under_way_is_seen_by_a_registration(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    """Who registers while a gate closes waits for its end, and then sees what it raised."""
    package.done("apply")
    server = make_server("1.0.0")
    codes: list[int] = []
    with closing(psycopg2.connect(database.dsn)) as connection:
        connection.cursor().execute("UPDATE interlock.handshake SET oldest_server = '1.1.0'")
        thread = threading.Thread(target=lambda: codes.append(server.quietly("register")))
        thread.start()
        thread.join(0.7)
        assert codes == []
        connection.commit()
    thread.join(10)
    assert codes == [1]
    assert database.rows("SELECT count(*) FROM interlock.servers") == [(0,)]


def test_registration_and_contract_race(
    make_package: MakePackage, make_server: MakeServer, database: "Database"
) -> None:
    """Whoever comes first wins; the other one is refused. Both never pass, nor neither."""
    package = make_package(
        CHAIN[0],
        release("1.1.0", 1, step("gone.contract", "SELECT 1;"), oldest="1.1.0"),
        settings="lock_timeout = 2s",
    )
    server = make_server("1.0.0")
    winners = set()
    for turn in range(12):
        database.execute("DROP SCHEMA IF EXISTS interlock CASCADE; DROP TABLE IF EXISTS host")
        package.done("apply")
        barrier = threading.Barrier(2)
        codes: dict[str, int] = {}

        def race(name: str, work: object, codes: dict[str, int] = codes,
                 barrier: threading.Barrier = barrier) -> None:  # fmt: skip
            barrier.wait()
            codes[name] = work()  # type: ignore[operator]

        threads = [
            threading.Thread(target=race, args=("contract", lambda: package.quietly(*CONTRACT))),
            threading.Thread(target=race, args=("register", lambda: server.quietly("register"))),
        ]
        for thread in threads if turn % 2 else reversed(threads):
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(codes.values()) == [0, 1], codes
        winners.add(min(codes, key=lambda name: codes[name]))
    assert winners <= {"contract", "register"}
