"""Fleetdesk's tables while a change has two forms: what each takes, what moves, what is kept."""

import threading
from typing import TYPE_CHECKING

import psycopg2
import psycopg2.errors
import pytest

from tests.postgres.fleetdesk.chain import BY_NAME, CHAIN, end_of
from tests.postgres.fleetdesk.programs import eventually
from tests.postgres.fleetdesk.servers import APPLICATION, FULL, Server, application, split_os
from tests.postgres.fleetdesk.walking import At, Walker

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster


pytestmark = pytest.mark.xdist_group("fleetdesk")


@pytest.mark.parametrize("version", ["4.1.0", "4.2.0"])
def test_a_part_is_written_alike_while_it_is_a_view_and_when_it_is_a_table(
    version: str, at: At
) -> None:
    with application(at(end_of(version))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        new = "INSERT INTO host (name, os_name, os_version) VALUES (%s, '', '') RETURNING id"
        cursor.execute(new, ("bare",))
        host = cursor.fetchone()["id"]
        add = "INSERT INTO host_hardware (host_id, cpu_count) VALUES (%s, %s) RETURNING cpu_count"
        cursor.execute(add, (host, 4))
        assert cursor.fetchone()["cpu_count"] == 4
        with pytest.raises(psycopg2.errors.UniqueViolation):
            cursor.execute(add, (host, 5))
        with pytest.raises(psycopg2.errors.ForeignKeyViolation):
            cursor.execute(add, (0, 5))
        with pytest.raises(psycopg2.errors.CheckViolation):
            cursor.execute("UPDATE host_hardware SET cpu_count = -1 WHERE host_id = %s", (host,))
        cursor.execute("INSERT INTO host_network (host_id, ipv4) VALUES (%s, '192.0.2.1')", (host,))
        cursor.execute("DELETE FROM host_hardware WHERE host_id = %s", (host,))
        cursor.execute(
            "SELECT h.cpu_count, n.ipv4 FROM host LEFT JOIN host_hardware h ON h.host_id = id"
            " LEFT JOIN host_network n ON n.host_id = id WHERE name = 'bare'"
        )
        assert cursor.fetchone() == {"cpu_count": None, "ipv4": "192.0.2.1"}
        cursor.execute(add, (host, 6))
        cursor.execute("DELETE FROM host WHERE id = %s", (host,))
        cursor.execute("SELECT FROM host_hardware WHERE host_id = %s", (host,))
        assert cursor.rowcount == 0


def test_a_row_that_is_not_migrated_yet_takes_any_write(at: At) -> None:
    database = at(end_of("3.9.0"))
    Walker(database).release(BY_NAME["4.0.0"], ("expand",))
    database.execute("UPDATE public.host SET memory_mb = 1")
    rows = database.rows("SELECT os, os_name, os_version FROM public.host")
    assert {(name, version) for _, name, version in rows} > {("Debian GNU/Linux", "12")}
    assert all((name, version) == split_os(text) for text, name, version in rows)


@pytest.mark.parametrize(
    ("version", "forms"),
    [
        ("4.0.0", "SELECT name, os = concat_ws(' ', os_name, nullif(os_version, '')) FROM host"),
        (
            "4.1.0",
            "SELECT name, (h.cpu_count, n.fqdn) IS NOT DISTINCT FROM (host.cpu_count, host.fqdn)"
            " FROM host LEFT JOIN host_hardware_next h ON h.host_id = id"
            " LEFT JOIN host_network_next n ON n.host_id = id",
        ),
    ],
)
@pytest.mark.parametrize(
    ("write", "left"),
    [
        ("UPDATE host SET os = 'Arch Linux', cpu_count = 99 WHERE name = 'two'", 3),
        ("UPDATE host SET fqdn = 'other.example.com' WHERE name = 'two'", 3),
        ("DELETE FROM host WHERE name = 'two'", 2),
        ("DELETE FROM host WHERE name = 'two'; INSERT INTO host (name) VALUES ('two')", 3),
    ],
)
def test_a_batch_waits_for_the_writer_of_a_row_and_sees_what_it_wrote(
    version: str, forms: str, write: str, left: int, at: At, servers: dict[str, Server]
) -> None:
    before = str(CHAIN[CHAIN.index(BY_NAME[version]) - 1])
    database = at(end_of(before))
    with application(database) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM host")
        for name in ("one", "two", "three"):
            server = servers[before]
            server.store.put_host(cursor, name, server.facts(FULL))
    walker = Walker(database)
    walker.release(BY_NAME[version], ("expand",))
    with application(database) as writer:
        writer.cursor().execute(write)
        batch = threading.Thread(target=walker.release, args=(BY_NAME[version], ("migrate",)))
        batch.start()
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        eventually(lambda: database.rows(f"{waiting} AND datname = current_database()"))
        writer.commit()
    batch.join(20)
    assert not batch.is_alive()
    rows = dict(database.rows(forms))
    assert len(rows) == left
    assert all(rows.values())


def test_the_split_is_not_contracted_before_its_copies_are_complete(at: At) -> None:
    database = at(end_of("4.1.1"))
    database.execute("DELETE FROM public.host_network_next WHERE host_id % 2 = 0")
    with pytest.raises(psycopg2.errors.RaiseException, match="differ from their copies"):
        Walker(database).release(BY_NAME["4.2.0"])


def test_rights_given_on_a_view_go_over_to_the_table(cluster: "Cluster", at: At) -> None:
    database = at(end_of("4.1.1"))
    database.execute("GRANT SELECT ON public.host_network TO PUBLIC")
    Walker(database).release(BY_NAME["4.2.0"])
    rights = database.rows(
        "SELECT relname, grantee::regrole::text, string_agg(privilege_type, ' ' ORDER BY 1)"
        " FROM pg_class, aclexplode(relacl) WHERE relname LIKE 'host\\_%' AND relkind = 'r'"
        " AND grantee::regrole::text <> 'fleetdesk_owner' GROUP BY relname, grantee ORDER BY 1, 2"
    )
    everything = "DELETE INSERT SELECT UPDATE"
    assert {(table, role): set(words.split()) for table, role, words in rights} == {
        ("host_hardware", APPLICATION): set(everything.split()),
        ("host_network", APPLICATION): set(everything.split()),
        ("host_network", "-"): {"SELECT"},
    }


def test_urgent_jobs_are_taken_first_since_4_3(probed: At, servers: dict[str, Server]) -> None:
    with application(probed(end_of("4.3.0"))) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM job")
        store = servers["4.3.0"].store
        slow, fast = (store.enqueue(cursor, "h", "scan", {}, number) for number in (0, 5))
        assert store.take_job(cursor)["id"] == fast
        assert servers["4.2.0"].store.take_job(cursor)["id"] == slow


def test_a_scan_is_no_edit_since_4_1_1(probed: At, servers: dict[str, Server]) -> None:
    with application(probed(end_of("4.1.1"))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name FROM host LIMIT 1")
        name = cursor.fetchone()["name"]
        for version, edited in (("4.1.0", True), ("4.1.1", False)):
            store = servers[version].store
            cursor.execute("UPDATE host SET updated_at = '2020-01-01'")
            assert store.record_scan(cursor, name, {"cpu_count": 2})
            assert (store.get_host(cursor, name)["updated_at"].year != 2020) == edited
