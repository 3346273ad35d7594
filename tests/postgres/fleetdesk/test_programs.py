"""The programs of each release at work: requests, jobs, and shards that come and go."""

import socket
import subprocess
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.postgres.fleetdesk.chain import BY_NAME, PRODUCT, end_of
from tests.postgres.fleetdesk.programs import (
    Program,
    Web,
    command,
    eventually,
    known_host,
    shards_file,
)
from tests.postgres.fleetdesk.servers import APPLICATION, FULL, Server, application, install
from tests.postgres.fleetdesk.walking import At

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster


pytestmark = pytest.mark.xdist_group("fleetdesk")


@pytest.mark.parametrize("version", BY_NAME)
def test_the_programs_of_each_release_do_a_request_and_a_job(
    version: str, probed: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    server, database = servers[version], probed(end_of(version))
    shards = shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION))
    worker = Program(server, "fleetdesk-worker", "--shards", str(shards), "--poll", "0.02")
    running.append(worker)
    web = Web(server, shards)
    running.append(web)
    host = known_host(server, "Web-1") | {"cpu_model": "<b>&fast</b>"}
    status, answer = web.ask("POST", "/hosts", host)
    assert (status, answer["name"], answer["cpu_model"]) == (200, "web-1", "<b>&fast</b>")
    assert web.ask("GET", "/hosts/web-1")[1].items() >= (host | {"name": "web-1"}).items()
    status, page = web.ask("GET", "/")
    assert status == 200
    assert "&lt;b&gt;&amp;fast&lt;/b&gt;" in page
    assert "<b>" not in page
    assert web.ask("GET", "/health") == (
        200,
        {
            "version": version,
            "healthy": True,
            "shards": {"north": {"reachable": True, "schema": None}},
        },
    )
    found = server.facts({"os": "Debian GNU/Linux 13", "memory_mb": 1})
    assert web.ask("POST", "/hosts/web-1/scan", found)[0] == 202
    eventually(lambda: web.ask("GET", "/hosts/web-1")[1].items() >= found.items())
    history = web.ask("GET", "/hosts/web-1/history")[1]["history"]
    deeds = [(row["actor"], row["action"]) for row in history]
    assert deeds == [("worker", "scan"), ("web", "put")]
    assert web.ask("DELETE", "/hosts/web-1")[0] == 200
    assert web.ask("GET", "/hosts/web-1")[0] == 404
    assert (web.stop(), worker.stop()) == (0, 0)
    assert not any("Traceback" in line for line in web.lines + worker.lines)


@pytest.mark.parametrize(
    ("web_version", "worker_version"), [("4.0.0", "4.1.0"), ("4.1.0", "4.0.0")]
)
def test_jobs_cross_from_one_release_to_the_next_over_two_shards(
    web_version: str,
    worker_version: str,
    at: At,
    servers: dict[str, Server],
    tmp_path: Path,
    running: list[Program],
) -> None:
    dsns = {name: at(end_of("4.1.0")).dsn_as(APPLICATION) for name in ("north", "south")}
    shards = shards_file(tmp_path / "shards.ini", **dsns)
    web = Web(servers[web_version], shards)
    running.append(web)
    names = [f"host-{number}" for number in range(6)]
    homes = {web.ask("POST", "/hosts", {"name": name})[1]["shard"] for name in names}
    assert homes == {"north", "south"}
    for name in names:
        body = {"os_name": "Debian GNU/Linux", "os_version": "12", "cpu_count": 2}
        assert web.ask("POST", f"/hosts/{name}/scan", body)[0] == 202
    drain = command(servers[worker_version], "fleetdesk-worker", "--drain", "--shards", str(shards))
    subprocess.run(drain, check=True, timeout=120)
    hosts = {host["name"]: host for host in web.ask("GET", "/hosts")[1]["hosts"]}
    for name in names:
        assert (hosts[name]["os_version"], hosts[name]["cpu_count"]) == ("12", 2)


def test_jobs_that_cannot_be_done_say_why(
    at: At, servers: dict[str, Server], tmp_path: Path
) -> None:
    database = at(end_of("4.3.0"))
    store = servers["4.3.0"].store
    payloads: list[Any] = [
        {"format": 2, "facts": {"cpu_count": 1}},
        {"format": 1, "facts": {}},
        {"format": 2, "facts": {"cpu_count": "many"}},
        {"format": 2, "facts": 7},
        [],
    ]
    with application(database) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM job")
        for payload in payloads:
            store.enqueue(cursor, "nowhere", "scan", payload, 0)
        store.enqueue(cursor, "nowhere", "dance", {}, 0)
    shards = shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION))
    drain = command(servers["4.3.0"], "fleetdesk-worker", "--drain", "--shards", str(shards))
    subprocess.run(drain, check=True, timeout=120)
    rows = database.rows("SELECT state, error FROM public.job ORDER BY id")
    assert rows == [
        ("failed", "there is no host nowhere any more"),
        ("failed", "this release does not understand message format 1"),
        ("failed", "cpu_count: write a whole number, 0 or more"),
        ("failed", "facts are an object of names and values"),
        ("failed", "this release does not understand message format None"),
        ("failed", "nothing is known of jobs of the kind 'dance'"),
    ]


def test_a_worker_that_is_stopped_finishes_the_job_at_hand(
    at: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    database, server = at(end_of("4.1.0")), servers["4.1.0"]
    with application(database) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM job")
        server.store.put_host(cursor, "slow", server.facts(FULL))
        payload = {"format": 2, "facts": {"cpu_count": 9}}
        for _ in range(2):
            server.store.enqueue(cursor, "slow", "scan", payload, 0)
    shards = shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION))
    with closing(psycopg2.connect(database.dsn)) as blocker:
        blocker.cursor().execute("UPDATE host SET cpu_count = 1 WHERE name = 'slow'")
        worker = Program(server, "fleetdesk-worker", "--shards", str(shards), "--poll", "0.02")
        running.append(worker)
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        eventually(lambda: database.rows(f"{waiting} AND datname = current_database()"))
        worker.process.terminate()
        time.sleep(0.2)
        assert worker.process.poll() is None
        blocker.commit()
    assert worker.process.wait(60) == 0
    assert database.rows("SELECT state FROM public.job ORDER BY id") == [("done",), ("waiting",)]


def test_requests_and_jobs_outlive_a_restart_of_postgresql(
    cluster: "Cluster", at: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    database, server = at(end_of("4.1.0")), servers["4.1.0"]
    shards = shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION))
    worker = Program(server, "fleetdesk-worker", "--shards", str(shards), "--poll", "0.02")
    running.append(worker)
    web = Web(server, shards)
    running.append(web)
    web.ask("POST", "/hosts", known_host(server, "steady"))
    stop = threading.Event()
    statuses: list[int] = []

    def keep_asking(number: int) -> None:
        while not stop.is_set():
            statuses.append(web.ask("GET", "/hosts/steady")[0])
            host = {"name": f"h-{number}", "cpu_count": len(statuses)}
            statuses.append(web.ask("POST", "/hosts", host)[0])

    threads = [threading.Thread(target=keep_asking, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(statuses) > 10)
    cluster.stop()
    cluster.start()
    before = len(statuses)
    eventually(lambda: len(statuses) > before + 10)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}
    assert web.ask("POST", "/hosts/steady/scan", {"cpu_count": 77})[0] == 202
    eventually(lambda: web.ask("GET", "/hosts/steady")[1]["cpu_count"] == 77)
    assert (web.stop(), worker.stop()) == (0, 0)


def test_a_shard_that_is_away_does_not_stop_the_others(
    at: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    server, database = servers["4.3.0"], at(end_of("4.3.0"))
    tree = tmp_path / "installed"
    install(server.release, tree)
    settings = tree / "etc" / "fleetdesk" / "fleetdesk.ini"
    patience = "patience_seconds = 10"
    assert patience in settings.read_text()
    settings.write_text(settings.read_text().replace(patience, "patience_seconds = 0"))
    server = replace(server, tree=tree)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"host=127.0.0.1 port={nobody.getsockname()[1]} dbname=x user=x password=hush"
        shards = shards_file(
            tmp_path / "shards.ini", north=database.dsn_as(APPLICATION), south=away
        )
        shards.chmod(0o640)
        worker = Program(server, "fleetdesk-worker", "--shards", str(shards), "--poll", "0.02")
        running.append(worker)
        web = Web(server, shards)
        running.append(web)
        answers = [web.ask("POST", "/hosts", {"name": f"host-{number}"}) for number in range(8)]
        assert {status for status, _ in answers} == {200, 503}
        there = next(answer["name"] for status, answer in answers if status == 200)
        status, listed = web.ask("GET", "/hosts")
        assert (status, listed["unavailable"]) == (200, {"south": "shard south is not available"})
        assert there in [host["name"] for host in listed["hosts"]]
        assert "shard south is not available" in web.ask("GET", "/")[1]
        status, health = web.ask("GET", "/health")
        assert (status, health["healthy"]) == (503, False)
        assert [health["shards"][name]["reachable"] for name in ("north", "south")] == [True, False]
        assert web.ask("POST", f"/hosts/{there}/scan?priority=9", {"memory_mb": 3})[0] == 202
        eventually(lambda: web.ask("GET", f"/hosts/{there}")[1]["memory_mb"] == 3)
        assert (web.stop(), worker.stop()) == (0, 0)
        worker.wait_for("no work on shard south")
        drain = command(server, "fleetdesk-worker", "--drain", "--shards", str(shards))
        assert subprocess.run(drain, check=False, timeout=120).returncode == 69
        assert not any("hush" in line for line in web.lines + worker.lines)


def test_health_tells_the_schema_that_the_ledger_claims(
    at: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    database = at(end_of("4.1.0"))
    ledger = PRODUCT.parents[1] / "toolchain" / "runner" / "ledger" / "ledger.sql"
    database.execute("CREATE SCHEMA interlock")  # the runner's own step before the file
    database.execute(ledger.read_text())
    database.execute(
        "INSERT INTO interlock.handshake (product, schema, oldest_server)"
        " VALUES ('fleetdesk', 12, '4.0.0')"
    )
    web = Web(
        servers["4.1.0"],
        shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION)),
    )
    running.append(web)
    assert web.ask("GET", "/health")[1]["shards"]["north"] == {"reachable": True, "schema": None}
    database.execute(
        f"GRANT USAGE ON SCHEMA interlock TO {APPLICATION};"
        f"GRANT EXECUTE ON FUNCTION interlock.read_handshake(text) TO {APPLICATION}"
    )
    assert web.ask("GET", "/health")[1]["shards"]["north"] == {"reachable": True, "schema": 12}


def test_a_server_on_a_schema_that_it_does_not_fit_says_so_without_a_traceback(
    probed: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    database = probed(end_of("4.0.0"))
    shards = shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION))
    web = Web(servers["4.1.0"], shards)
    running.append(web)
    status, answer = web.ask("POST", "/hosts", {"name": "early"})
    assert (status, answer) == (500, {"error": "the host's shard refused a statement"})
    assert web.stop() == 0
    web.wait_for('relation "host_hardware" does not exist')
    assert not any("Traceback" in line for line in web.lines)
