"""A contract waits where a registration may be lost, until each server that runs is back."""

from collections.abc import Callable, Iterator
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.postgres.conftest import running_cluster
from tests.postgres.runner.conftest import MakePackage, MakeServer
from tests.postgres.runner.packages import Package, Server
from toolchain.runner.core.stop import Stop
from toolchain.runner.phases import roll_call

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster, Database

CONTRACT = ("apply", "--phase", "contract")
RESTORED = "the database failed over or was restored"
TAKEN = "web1/server was registered by another boot of that name"
Meanwhile = Callable[[Callable[[], object]], None]


def waits(package: Package) -> object:
    """What the contract would wait for, by `plan`."""
    actions = package.done("plan", "--phase", "contract", "--json").shard["actions"]
    return actions[0].get("roll_call", {}).get("reason")


def oldest_server(database: "Database") -> str:
    return str(database.rows("SELECT oldest_server FROM interlock.handshake")[0][0])


def register_elsewhere(database: "Database", boot: str) -> None:
    """What another host does that is called web1, too."""
    database.execute(
        "SELECT interlock.check_in('fleetdesk', 'web1', 'server', '1.1.0', 0, NULL, '0.0.0', NULL,"
        f" '10 minutes', '{boot}')"
    )


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Have something happen once a runner waits for the roll call, which is over soon after."""

    def arrange(happens: Callable[[], object]) -> None:
        waiting, minutes = [happens], count()
        monkeypatch.setattr(Stop, "wait", lambda *_: waiting.pop()() if waiting else None)
        hurried = SimpleNamespace(monotonic=lambda: 60.0 * next(minutes))
        monkeypatch.setattr(roll_call, "time", hurried)

    return arrange


@pytest.fixture
def old(package: Package, make_server: MakeServer) -> Server:
    """A server that the contract keeps out, before a shard that is ready for it."""
    package.done("apply")
    return make_server("1.0.0")


def test_nothing_is_waited_for_where_nothing_is_in_doubt(package: Package, old: Server) -> None:
    old.run("register")
    old.run("refresh")
    old.run("deregister")
    assert waits(package) is None
    assert package.done("status", "--json").shard["roll_call"] is None
    assert "roll call" not in package.done(*CONTRACT).err


@pytest.fixture
def restored(
    cluster: "Cluster", database: "Database", package: Package, old: Server
) -> Iterator["Database"]:
    """The shard as it was before the old server came, put back into another database."""
    made = cluster.create_database(template=database.name)
    assert old.run("register").code == 0
    package.shards = old.shards = {"north": made.dsn}
    package.write()
    old.write()
    yield made
    cluster.drop_database(made.name)


def test_a_server_that_a_restore_has_forgotten_is_back_in_time(
    package: Package, restored: "Database", old: Server, meanwhile: Meanwhile
) -> None:
    assert waits(package) == RESTORED
    assert f"a contract waits 3 min for the roll call: {RESTORED}\n" in package.done("status").out
    assert restored.rows("SELECT count(*) FROM interlock.servers") == [(0,)]
    meanwhile(lambda: old.run("refresh"))
    blocked = package.run(*CONTRACT)
    assert blocked.code == 1
    assert f"north: the contract of 1.2.0 waits 3 min for the roll call: {RESTORED}" in blocked.err
    assert "is blocked by server 1.0.0 on web1" in blocked.err
    assert oldest_server(restored) == "1.0.0"


def test_a_contract_goes_on_after_the_roll_call(package: Package, restored: "Database") -> None:
    restored.execute(
        "SELECT interlock.notice_history();"
        "UPDATE interlock.ledger SET since = clock_timestamp() - interval '178 seconds'"
    )
    package.done(*CONTRACT)
    assert oldest_server(restored) == "1.1.0"


def test_the_first_refresh_after_a_restore_begins_the_roll_call(
    package: Package, restored: "Database", make_server: MakeServer
) -> None:
    """Nobody else needs to look at the shard for it."""
    since = "SELECT since IS NULL FROM interlock.ledger"
    assert restored.rows(since) == [(True,)]
    make_server("1.1.0", shards={"north": restored.dsn}).run("register")
    assert restored.rows(since) == [(False,)]
    restored.execute("UPDATE interlock.ledger SET since = since - interval '4 minutes'")
    assert waits(package) is None


def test_a_start_of_postgresql(make_package: MakePackage) -> None:
    """Files of another day may have been put back before it."""
    with running_cluster() as own:
        package = make_package(shards={"north": own.create_database().dsn})
        package.done("apply")
        assert waits(package) is None
        own.stop()
        own.start()
        assert waits(package) == "PostgreSQL was started"


def test_two_hosts_with_one_name_put_a_contract_off(
    package: Package, database: "Database", make_server: MakeServer, meanwhile: Meanwhile
) -> None:
    """The one that refreshed last hides the other, in turns."""
    package.done("apply")
    server = make_server("1.1.0")
    server.run("register")
    register_elsewhere(database, "b2")
    assert waits(package) == TAKEN
    told = server.run("refresh").out
    assert told == (
        "north: another host registers under this name too; give each host a name of its own\n"
    )
    assert server.run("refresh").out == ""
    meanwhile(lambda: register_elsewhere(database, "b2"))
    refused = package.run(*CONTRACT)
    assert refused.code == 1
    assert refused.err.splitlines()[-1].startswith("north: the contract of 1.2.0 waits ")
    assert refused.err.splitlines()[-1].endswith(
        f" for the roll call: {TAKEN}; run it again; if that happens each time, two hosts have one"
        " name"
    )
    assert oldest_server(database) == "1.0.0"


def test_a_host_that_stopped_in_order_may_boot_again(
    package: Package, database: "Database", old: Server
) -> None:
    old.run("register")
    old.run("deregister")
    register_elsewhere(database, "b2")
    assert waits(package) is None


def test_who_was_retired_by_force_may_run_on(
    package: Package, database: "Database", old: Server, meanwhile: Meanwhile
) -> None:
    old.run("register")
    package.done("retire", "--force", "web1")
    assert waits(package) == "web1/server was retired by force"
    meanwhile(lambda: old.run("refresh"))
    assert "is blocked by server 1.0.0 on web1" in package.run(*CONTRACT).err


def test_who_had_expired_is_retired_without_a_doubt(
    package: Package, database: "Database", old: Server
) -> None:
    old.run("register")
    database.execute("UPDATE interlock.servers SET last_seen = last_seen - interval '1 hour'")
    package.done("retire", "web1")
    assert waits(package) is None


def test_an_undo_waits_too(
    package: Package, restored: "Database", make_server: MakeServer, meanwhile: Meanwhile
) -> None:
    new = make_server("1.1.0", oldest_schema=2, shards={"north": restored.dsn})
    meanwhile(lambda: new.run("register"))
    assert "is blocked by server 1.1.0 on web1" in package.run("undo", "--to", "1.0.0").err


def test_the_roll_call_can_be_switched_off(package: Package, restored: "Database") -> None:
    """For a copy of a shard that no server works on."""
    package.settings = "roll_call = off"
    package.write()
    assert waits(package) is None
    assert "roll call" not in package.done(*CONTRACT).err
    assert oldest_server(restored) == "1.1.0"
