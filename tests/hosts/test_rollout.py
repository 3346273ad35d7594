"""The whole story on four hosts: two servers and two shards go from 4.0.0 to 4.2.0 under load.

The commands are those of the page on operating, each of its blocks. A client asks whichever server
answers, as a balancer would, and no request of it fails. Every wrong step is tried and refused with
its sentence: a server before its last shard, a contract while an old server may come back, and that
server when it does.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .commands import Result
from .host import Host
from .lab import Lab
from .operating import blocks, follow, keep_configuration
from .products import Customer, Packaged, Pair

SHARDS = """\
[*]
refresh = 5s
[north]
dsn = host=north dbname=fleetdesk user=fleetdesk
[south]
dsn = host=south dbname=fleetdesk user=fleetdesk
"""
# Asks one server and, where it does not answer, the other; counts what neither would do.
LOAD = r"""
import json, sys, time, urllib.request
servers, done, failed, number = sys.argv[1:], 0, [], 0
def ask(path, body=None):
    problem = None
    for attempt in range(4):
        base = servers[(number + attempt) % len(servers)]
        request = urllib.request.Request(f"http://{base}:8080{path}", data=body,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()
                return None
        except Exception as error:
            problem = f"{base}{path}: {error}"
            time.sleep(0.05)
    return problem
for line in iter(lambda: time.sleep(0.05) or True, None):
    number += 1
    body = json.dumps({"name": f"load{number % 40}", "fqdn": f"load{number}.example.com"}).encode()
    for problem in (ask("/hosts", body), ask("/health"), ask("/hosts")):
        done += 1
        if problem:
            failed.append(problem)
    print(json.dumps({"done": done, "failed": failed[:5], "failures": len(failed)}), flush=True)
"""


def on_all(hosts: tuple[Host, ...], work: Callable[[Host], object]) -> None:
    with ThreadPoolExecutor(len(hosts)) as executor:
        list(executor.map(work, hosts))


def words(packaged: Packaged, host: Host, role: str, version: str) -> Result:
    """Install exactly one version of one half, with "yes" to every question."""
    found = next(v for v in packaged.versions if str(v) == version)
    pair = Pair(server=found) if role == "server" else Pair(database=found)
    if role == "server" and host.installed("fleetdesk-server"):
        # Its solver knows the shards as of the last minute; this asks them now.
        host.run("fleetdesk-server", "sync", check=False)
    return Customer(host=host, packaged=packaged).install(pair)


def database(host: Host, *arguments: str) -> Result:
    return host.run("fleetdesk-database", *arguments, check=False, timeout=300)


def is_active(host: Host, unit: str = "fleetdesk-web") -> bool:
    return host.run("systemctl", "is-active", unit, check=False).stdout.strip() == "active"


def wait_until(true: Callable[[], bool], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("debian", marks=pytest.mark.xdist_group("rollout-debian")),
        pytest.param("rpm", marks=pytest.mark.xdist_group("rollout-rpm")),
    ],
)
def hosts(
    request: pytest.FixtureRequest, new_lab: Callable[[], Lab], fleetdesk: Packaged
) -> Iterator[dict[str, Host]]:
    with new_lab() as lab, ThreadPoolExecutor(4) as executor:
        names = ("one", "two", "north", "south")
        booting = {
            name: executor.submit(
                lab.host, name, tree=request.param, postgres=name in {"north", "south"}
            )
            for name in names
        }
        booted = {name: future.result() for name, future in booting.items()}
        for host in booted.values():
            host.add_repository(fleetdesk.directory)
            keep_configuration(host)
        yield booted


def prepare_shard(host: Host, packaged: Packaged) -> None:
    host.sql("postgres", "CREATE ROLE fleetdesk LOGIN")
    host.sql("postgres", "CREATE DATABASE fleetdesk OWNER fleetdesk")
    words(packaged, host, "database", "4.0.0")
    name = host.name
    host.write(
        "/etc/fleetdesk-database/shards.ini",
        f"[*]\nrefresh = 5s\n[{name}]\ndsn = host={name} dbname=fleetdesk user=fleetdesk\n",
        mode=0o640,
    )
    run = database(host, "apply")
    assert run.returncode == 0, run.output


def prepare_server(host: Host, packaged: Packaged) -> None:
    # The file that names the shards is there before the package, as an installer would have it.
    assert words(packaged, host, "server", "4.0.0").returncode == 0
    host.write("/etc/fleetdesk-server/shards.ini", SHARDS, mode=0o640)
    host.run("chgrp", "fleetdesk", "/etc/fleetdesk-server/shards.ini")
    settings = host.read("/etc/fleetdesk/fleetdesk.ini")
    host.run("sed", "-i", "s/^#* *address *=.*/address = 0.0.0.0/", "/etc/fleetdesk/fleetdesk.ini")
    assert "address" in settings
    host.run("systemctl", "enable", "fleetdesk-web", "fleetdesk-worker")
    host.run("systemctl", "restart", "fleetdesk-web", "fleetdesk-worker")
    wait_until(lambda: is_active(host), f"fleetdesk-web on {host.name}")


def test_a_database_first_rollout_under_load(
    hosts: dict[str, Host], fleetdesk: Packaged, tmp_path: Path
) -> None:
    one, two, north, south = (hosts[name] for name in ("one", "two", "north", "south"))
    on_all((north, south), lambda host: prepare_shard(host, fleetdesk))
    on_all((one, two), lambda host: prepare_server(host, fleetdesk))

    log = (tmp_path / "load").open("w+")
    argv = one.command("python3", "-u", "-c", LOAD, "one", "two")
    load = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT)
    try:
        _roll_out(one, two, north, south, fleetdesk)
        time.sleep(1)
    finally:
        load.terminate()
        load.wait()
    log.seek(0)
    told = [json.loads(line) for line in log.read().splitlines() if line.startswith("{")]
    assert told[-1]["failures"] == 0, told[-1]
    assert told[-1]["done"] > 100


def _roll_out(one: Host, two: Host, north: Host, south: Host, fleetdesk: Packaged) -> None:
    shards_first, servers, contract, override, remove = blocks()

    # The first shard: upgraded while both servers serve.
    run = follow(north, shards_first)
    assert run.returncode == 0, run.output
    assert north.installed("fleetdesk-database") == "4.1.0-1"

    # The wrong order: a server that the second shard does not fit yet stays what it was.
    one.run("fleetdesk-server", "sync")  # its solver knows the shards as of the last minute
    refused = follow(one, servers)
    assert one.installed("fleetdesk-server") == "4.0.0-1", refused.output
    assert "south" in refused.output
    assert "schema" in refused.output
    assert is_active(one)
    if one.packaging.value == "deb":
        one.apt("-f", "install")
        assert one.run("dpkg", "--audit").stdout == ""

    # The second shard, then the first server.
    run = follow(south, shards_first)
    assert run.returncode == 0, run.output
    one.run("fleetdesk-server", "sync")
    upgraded = follow(one, servers)
    assert one.installed("fleetdesk-server") == "4.1.0-1", upgraded.output
    wait_until(lambda: is_active(one), "the new server starts")

    # The other server's host dies; it is registered, so what it uses is not taken away.
    two.kill()
    blocked = follow(north, contract)
    assert blocked.returncode == 1, blocked.output
    assert north.installed("fleetdesk-database") == "4.2.0-1"
    for word in ("two", "4.0.0", "retire"):
        assert word in blocked.output
    status = json.loads(database(north, "status", "--json").stdout)
    assert status["shards"], status

    # The operator says that it is gone; then both shards are contracted.
    for shard in (north, south):
        assert database(shard, "retire", "--force", "two").returncode == 0
        run = follow(shard, contract)
        assert run.returncode == 0, run.output
        assert "the roll call: two/" in run.output
        assert "host_hardware" in shard.sql(
            "fleetdesk", "SELECT string_agg(relname, ' ') FROM pg_class WHERE relkind = 'r'"
        )
    assert is_active(one)

    # It comes back, and does not start: the shards say so, and name the versions.
    two.start()
    journal = ("journalctl", "-u", "fleetdesk-web", "-o", "cat")
    wait_until(lambda: ">= 4.1.0" in two.run(*journal).stdout, "the check's refusal")
    assert not is_active(two)
    assert "4.0.0" in two.run(*journal).stdout
    upgraded = words(fleetdesk, two, "server", "4.2.0")
    assert two.installed("fleetdesk-server") == "4.2.0-1", upgraded.output
    wait_until(lambda: is_active(two), "the upgraded server starts by itself")

    # A way past the hook for an emergency, and a server that is not wanted any more.
    assert follow(two, override).returncode == 0
    told = two.run("fleetdesk-server", "status", check=False).stdout
    assert "the transaction hook is overridden" in told
    removed = follow(two, remove)
    assert removed.returncode == 0, removed.output
    assert two.installed("fleetdesk-server") is None
    assert is_active(one)
