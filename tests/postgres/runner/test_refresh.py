"""What `refresh` registers: the release that runs, not the one that is installed."""

import json
import threading
from typing import TYPE_CHECKING

from tests.postgres.runner.conftest import MakeServer
from tests.postgres.runner.packages import Package, Server

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

REGISTERED = "SELECT version, oldest_schema FROM interlock.servers"
WEB = ("--instance", "web")


def started(package: Package, make_server: MakeServer) -> Server:
    package.done("apply")
    server = make_server("1.0.0", oldest_schema=1)
    assert server.run("register", *WEB).code == 0
    return server


def unpack(server: Server, version: str) -> None:
    """The files of a newer package are there, and the old process runs on."""
    server.version, server.oldest_schema = version, 2
    server.write()


def test_between_unpacking_and_restart_the_old_release_stays_registered(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    server = started(package, make_server)
    unpack(server, "1.1.0")
    for named in ((), WEB):
        assert server.run("refresh", *named).code == 0
        assert database.rows(REGISTERED) == [("1.0.0", 1)]
    assert package.run("apply", "--phase", "contract").code == 1
    server.run("deregister", *WEB)
    server.run("register", *WEB)
    server.run("refresh")
    assert database.rows(REGISTERED) == [("1.1.0", 2)]
    package.done("apply", "--phase", "contract")


def test_a_process_of_a_package_that_recorded_nothing(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    """Nobody knows what it runs, so its registration is left alone, and blocks until it stops."""
    server = started(package, make_server)
    record = server.folder / "state" / "instances" / "web.json"
    record.write_text(json.dumps({"boot": json.loads(record.read_text())["boot"]}))
    unpack(server, "1.1.0")
    before = database.rows("SELECT last_seen FROM interlock.servers")
    for named in ((), WEB):
        refused = server.run("refresh", *named)
        assert refused.code == 1
        assert refused.sentence == (
            "north: web was started by an older package, which left no word of its release; its"
            " registration stays as it is until it is restarted"
        )
    assert database.rows("SELECT last_seen FROM interlock.servers") == before
    assert package.run("apply", "--phase", "contract").code == 1


def test_a_service_that_has_stopped_is_not_refreshed(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    server = started(package, make_server)
    server.run("deregister", *WEB)
    refused = server.run("refresh", *WEB)
    assert refused.code == 1
    assert "web has not registered since this host was booted, or has stopped" in refused.sentence
    assert database.rows(REGISTERED) == []


def test_a_record_that_is_damaged_registers_nothing(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    server = started(package, make_server)
    record = server.folder / "state" / "instances" / "web.json"
    content = json.loads(record.read_text())
    content["release"]["release"] = "1.10"
    for text in ("", "[]", json.dumps(content)):
        record.write_text(text)
        assert server.run("refresh", *WEB).code in (1, 3)
    assert database.rows(REGISTERED) == [("1.0.0", 1)]


def test_a_server_that_its_shard_refuses_is_told_each_time(
    package: Package, make_server: MakeServer, database: "Database"
) -> None:
    server = started(package, make_server)
    server.settings = "refresh = 5s\nexpires = 30s"
    server.write()
    database.execute("UPDATE interlock.handshake SET oldest_server = '1.1.0'")
    process = server.start("refresh", "--keep", *WEB)
    told = (
        "north: a server runs here that must not: fleetdesk-server 1.0.0 does not fit shard north"
    )
    patience = threading.Timer(120, process.kill)
    patience.start()
    assert process.stderr is not None
    lines = [process.stderr.readline() for _ in range(2)]
    patience.cancel()
    process.terminate()
    process.communicate(timeout=60)
    assert all(line.startswith(told) for line in lines)
