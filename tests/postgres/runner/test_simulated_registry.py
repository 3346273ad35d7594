"""The simulation's registrations are those of the ledger: the same rows live, the same peers count."""

from collections.abc import Iterator
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING

import psycopg2
import pytest

from tests.conftest import REPOSITORY
from tests.postgres.runner.packages import CHAIN, Package
from toolchain.build.product import open_product
from toolchain.simulate.facts import Facts
from toolchain.simulate.fleet import Fleet
from toolchain.simulate.ledger import grown
from toolchain.simulate.members import EXPIRES, Host, Node
from toolchain.simulate.registry import Registry

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster

# A simulated second is a minute of the database's clock, so that a busy machine changes nothing.
_SECOND = "interval '1 minute'"


@pytest.fixture(scope="module")
def cursor(
    cluster: "Cluster", tmp_path_factory: pytest.TempPathFactory
) -> Iterator["psycopg2.extensions.cursor"]:
    database = cluster.create_database()
    package = Package(tmp_path_factory.mktemp("registry"), CHAIN[:1], {"north": database.dsn})
    package.done("apply")
    with closing(psycopg2.connect(database.dsn)) as connection:
        yield connection.cursor()
    cluster.drop_database(database.name)


class Table:
    """`interlock.servers`, through the functions that servers call; only peers are judged."""

    def __init__(self, cursor: "psycopg2.extensions.cursor", facts: Facts) -> None:
        self._cursor, self._facts = cursor, facts

    def check_in(self, host: Host, place: int) -> bool:
        server = self._facts.servers[place]
        below = None if server.peers.below is None else str(server.peers.below)
        self._cursor.execute(
            "UPDATE interlock.handshake SET schema = 0, oldest_server = '0.0.0';"
            " SELECT accepted FROM interlock.check_in('fleetdesk', %s, 'server', %s, 0, NULL, %s, %s,"
            f" %s * {_SECOND}, %s)",
            (
                str(host.key),
                str(server.version),
                str(server.peers.oldest),
                below,
                EXPIRES,
                f"b{host.name}",
            ),
        )
        return bool(self._cursor.fetchall()[0][0])

    def check_out(self, host: Host) -> None:
        self._cursor.execute(
            "SELECT interlock.check_out('fleetdesk', %s, 'server', %s)",
            (str(host.key), f"b{host.name}"),
        )

    def retire(self, host: Host) -> None:
        self._cursor.execute(
            "UPDATE interlock.servers SET retired = clock_timestamp() WHERE host = %s",
            (str(host.key),),
        )

    def age(self, seconds: int) -> None:
        self._cursor.execute(
            f"UPDATE interlock.servers SET last_seen = last_seen - %s * {_SECOND}", (seconds,)
        )

    def refreshed(self, key: int, age: int) -> None:
        self._cursor.execute(
            f"UPDATE interlock.servers SET last_seen = clock_timestamp() - %s * {_SECOND}"
            " WHERE host = %s",
            (age, str(key)),
        )

    def doubted(self) -> bool:
        """Whether the shard came to doubt its registrations since this was asked last."""
        self._cursor.execute(
            "UPDATE interlock.handshake h SET doubted = NULL, doubt = NULL"
            " FROM interlock.handshake before WHERE before.product = h.product"
            " RETURNING before.doubted IS NOT NULL"
        )
        return bool(self._cursor.fetchall()[0][0])

    def rows(self) -> set[tuple[str, bool]]:
        self._cursor.execute(
            "SELECT version, interlock.live(s) FROM interlock.servers s WHERE retired IS NULL"
        )
        return set(self._cursor.fetchall())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_is_live_and_in_the_way(cursor: "psycopg2.extensions.cursor", seed: int) -> None:
    facts = Facts(open_product(REPOSITORY / "release-specs/fleetdesk").product)
    cursor.execute("DELETE FROM interlock.servers")
    ledger = grown(facts, 0)
    shard = Node(1, ledger, facts.number(ledger.handshake), 0)
    hosts = [Host(name, None) for name in range(1, 7)]
    hosts[5].become(hosts[0])  # one of them is a copy, name included
    fleet = Fleet(facts, hosts, [shard])
    registry, table = Registry(fleet), Table(cursor, facts)
    random = Random(seed)  # noqa: S311  (the same operations each time)
    now, answers, doubts = 0, {True: 0, False: 0}, 0
    for _ in range(300):
        passed = random.randrange(1, 300)
        now += passed
        leap = random.choice((0, 0, 0, 0, -700, 700))
        if leap:
            fleet.jump(shard, now, leap)
        table.age(passed + leap)
        for key in registry.known:
            row = registry.row(hosts[key - 1], shard, now)
            assert row is not None
            table.refreshed(key, shard.clock(now) - shard.clock(row.seen))

        host, place = random.choice(hosts), random.randrange(len(facts.names))
        known, left = host.key in registry.known, host.key in registry.left
        match random.choice(("start", "start", "stop", "die", "retire", "return")):
            case "start":
                registry.check_out(host, now)
                table.check_out(host)
                accepted = registry.against(host, place, now) is None
                assert table.check_in(host, place) is accepted
                answers[accepted] += 1
                if accepted:
                    host.since = hosts[host.key - 1].since = now
                    registry.register(host, place)
            case "stop":
                registry.check_out(host, now)
                table.check_out(host)
            case "die" if known:
                registry.leave(hosts[host.key - 1], now)  # whose refreshes are the copied ones
            case "retire" if left:
                registry.forget(host)
                table.retire(host)
            case "return" if left:
                before = registry.left[host.key].place
                accepted = registry.against(host, before, now) is None
                assert table.check_in(host, before) is accepted
                if accepted:
                    hosts[host.key - 1].since = now
                    registry.register_again(host, before, now)
        said = {(facts.names[row.place], live) for _, row, live in registry.rows(shard, now)}
        assert table.rows() == said
        assert table.doubted() is (shard.doubted == now)
        doubts += shard.doubted == now
    assert min(answers.values()) > 10
    assert doubts > 3
