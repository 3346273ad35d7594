"""Who is registered and does not fit blocks, also when expired; a person alone may retire it."""

from typing import TYPE_CHECKING

import pytest

from tests.postgres.runner.conftest import MakePackage, MakeServer
from tests.postgres.runner.packages import Package, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.postgres.conftest import Database

CONTRACT = ("apply", "--phase", "contract")
RETIRE = "'fleetdesk-database retire"
GONE = f"is gone for good, {RETIRE}"


def last_seen(database: "Database", host: str, ago: str) -> None:
    database.execute(
        f"UPDATE interlock.servers SET last_seen = clock_timestamp() - interval '{ago}'"
        f" WHERE host = '{host}'"
    )


def not_retired(database: "Database") -> list[str]:
    rows = database.rows("SELECT host FROM interlock.servers WHERE retired IS NULL ORDER BY 1")
    return [str(host) for (host,) in rows]


@pytest.fixture
def old(package: Package, make_server: MakeServer) -> str:
    """The host of a server that the contract keeps out, on a shard that is ready for it."""
    package.done("apply")
    assert make_server("1.0.0").run("register", "--instance", "web").code == 0
    return "web1"


@pytest.mark.parametrize(
    ("ago", "expires", "seen", "cure"),
    [
        ("3 hours", "4 hours", "seen 3 h ago", f"if its host {GONE} --force web1/web'"),
        ("3 hours", "10 minutes", "last seen 3 h ago, expired", f"if web1 {GONE} web1/web'"),
        ("-1 day", "10 minutes", "seen 0.0 s ago", f"if its host {GONE} --force web1/web'"),
    ],
)
def test_an_outage_a_cut_and_a_clock_that_leaps_let_no_contract_by(
    package: Package, database: "Database", old: str, ago: str, expires: str, seen: str, cure: str
) -> None:
    """The shard has lost sight of a server, which may run all the same."""
    last_seen(database, old, ago)
    database.execute(f"UPDATE interlock.servers SET expires = '{expires}'")
    blocked = package.run(*CONTRACT)
    assert blocked.code == 1
    assert blocked.sentence == (
        f"north: the contract of 1.2.0 is blocked by web 1.0.0 on web1 ({seen}); bring every server"
        f" to a version >= 1.1.0, or stop it; {cure}"
    )
    plan = package.done("plan", "--phase", "contract", "--json").shard["actions"]
    assert plan[0]["blocked_by"] == [f"web 1.0.0 on web1 ({seen})"]
    assert f"server: web 1.0.0 on web1 ({seen})\n" in package.done("status").out


def test_a_server_that_has_stopped_blocks_nothing(
    package: Package, make_server: MakeServer, old: str
) -> None:
    make_server("1.0.0", host=old).run("deregister", "--instance", "web")
    package.done(*CONTRACT)


def test_an_expired_server_that_does_not_fit_is_told(
    package: Package, database: "Database", old: str
) -> None:
    database.execute("UPDATE interlock.handshake SET oldest_server = '1.1.0'")
    last_seen(database, old, "3 hours")
    told = "server web 1.0.0 on web1 (last seen 3 h ago, expired) does not fit this shard"
    assert told in package.run("verify").out
    assert "(last seen 3 h ago, expired), DOES NOT FIT" in package.run("status").out


@pytest.mark.parametrize("server", ["web1", "web1/web"])
def test_who_has_expired_is_retired(
    package: Package, database: "Database", old: str, server: str
) -> None:
    last_seen(database, old, "3 hours")
    assert package.done("retire", server).out == (
        "north: retired web 1.0.0 on web1, last seen 3 h 0 min ago\n".replace(" 0 min", "")
    )
    package.done(*CONTRACT)
    assert (again := package.run("retire", server)).code == 1
    assert again.out == f"north: no registration of {server}\n"


def test_who_lives_is_retired_by_force_alone(
    package: Package, make_server: MakeServer, database: "Database", old: str
) -> None:
    make_server("1.0.0", host=old).run("register", "--instance", "worker")
    database.execute(
        "UPDATE interlock.servers SET last_seen = clock_timestamp() - interval '3 h'"
        " WHERE instance = 'web'"
    )
    refused = package.run("retire", old)
    assert refused.code == 1
    assert "north: worker on web1 is live, seen 0." in refused.sentence
    assert "--force" in refused.sentence
    assert not_retired(database) == [old, old]
    forced = package.done("retire", "--force", old)
    assert "web1/worker was seen" in forced.err
    assert "make sure that it is stopped" in forced.err
    assert not_retired(database) == []


def test_who_lives_with_another_shard_lives(
    make_package: MakePackage, make_server: MakeServer, make_database: "Callable[[], Database]"
) -> None:
    """A host that is cut off from one shard only is not retired there, nor anywhere."""
    one, two = make_database(), make_database()
    shards = {"north": one.dsn, "south": two.dsn}
    package = make_package(shards=shards)
    package.done("apply")
    make_server("1.0.0", shards=shards).run("register")
    last_seen(one, "web1", "2 days")
    refused = package.run("retire", "web1")
    assert refused.code == 1
    assert "north: server on web1 is live, seen 0." in refused.err
    assert "by south" in refused.err
    assert package.run("retire", "--expired").code == 1
    assert not_retired(one) == not_retired(two) == ["web1"]


def test_many_dead_hosts_at_once(
    package: Package, make_server: MakeServer, database: "Database", old: str
) -> None:
    """Who was seen today is left alone: right after an outage everybody looks expired."""
    for host in ("web2", "web3", "web4"):
        make_server("1.0.0", host=host).run("register")
    last_seen(database, old, "2 days")
    last_seen(database, "web2", "25 hours")
    last_seen(database, "web3", "3 hours")
    blocked = package.run(*CONTRACT).sentence
    assert f"those that are gone for good, {RETIRE} HOST', or {RETIRE} --expired'" in blocked
    assert package.done("retire", "--expired").out == (
        "north: retired web 1.0.0 on web1, last seen 2 d ago\n"
        "north: retired server 1.0.0 on web2, last seen 1 d 1 h ago\n"
    )
    assert not_retired(database) == ["web3", "web4"]
    nobody = package.run("retire", "--expired")
    assert (nobody.code, nobody.out) == (
        1, "north: no expired registration that was not seen for 1 d\n",
    )  # fmt: skip
    package.done("retire", "--expired", "--older-than", "2h")
    assert not_retired(database) == ["web4"]
    package.run("retire", "--expired", "--older-than", "0s")
    assert not_retired(database) == ["web4"], "who lives has not expired"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "retire takes one HOST[/INSTANCE], or --expired"),
        (("web1", "--expired"), "retire takes one HOST[/INSTANCE], or --expired"),
        (("web1", "--older-than", "1h"), "--older-than goes with --expired"),
        (("--expired", "--force"), "--force goes with one HOST[/INSTANCE]"),
        (("--expired", "--older-than", "long"), "'long' is not a duration"),
    ],
)
def test_what_retire_does_not_take(
    package: Package, arguments: tuple[str, ...], sentence: str
) -> None:
    result: Result = package.run("retire", *arguments)
    assert result.code == 2
    assert sentence in result.sentence


def test_who_was_retired_by_mistake_registers_again_and_says_so(
    package: Package, make_server: MakeServer, old: str
) -> None:
    package.done("retire", "--force", old)
    again = make_server("1.0.0", host=old).run("refresh", "--instance", "web")
    assert again.code == 0
    assert "north: registered again" in again.out
    assert package.run(*CONTRACT).code == 1
    details = [event["detail"] for event in package.done("history", "--json").shard["events"]]
    assert details[-2:] == ["1.0.0", "1.0.0 registered"]
