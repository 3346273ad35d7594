"""The packages' services do real work on a Debian and an rpm host that share one PostgreSQL."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from toolchain.model.version import Version

from .host import Host
from .products import Customer, Packaged, Pair
from .services import (
    FLEETDESK,
    PATIENCE,
    apply,
    ask,
    assert_fleetdesk_works,
    connect,
    new_shard,
    overwrite,
    set_up_fleetdesk,
    states,
    sync,
)

pytestmark = pytest.mark.xdist_group("pairs-services")

WORKER = "procrastinate-worker"
SETTINGS = "/etc/procrastinate/worker.ini"


@pytest.fixture(scope="module")
def hosts(apt_host: Host, dnf_host: Host, shelf: Path) -> tuple[Host, Host]:
    """Two hosts with a repository of all packages; PostgreSQL is on the first."""
    for host in (apt_host, dnf_host):
        host.add_repository(shelf)
    return apt_host, dnf_host


def install(customer: Customer, *, server: str | None = None, database: str | None = None) -> None:
    wanted = Pair(
        server=Version.parse(server) if server else customer.pair().server,
        database=Version.parse(database) if database else customer.pair().database,
    )
    sync(customer)
    done = customer.install(wanted)
    assert customer.pair() == wanted, done


def run_worker(customer: Customer, dsn: str) -> None:
    """Let a host's worker serve a queue of its own, so that no other worker does its jobs."""
    settings = customer.host.read(SETTINGS)
    settings = settings.replace("queues =\n", f"queues = {customer.host.name}\n")
    overwrite(
        customer.host, SETTINGS, settings.replace("main = dbname=procrastinate", f"main = {dsn}")
    )
    connect(customer, dsn)
    customer.host.run("systemctl", "restart", WORKER)


def assert_worker_works(customer: Customer, version: str, postgres: Host) -> None:
    """A job that is deferred on the host is done by its worker, which is of that release."""
    host = customer.host
    assert states(host, "is-active", WORKER) == ("active",)
    text = f"{host.name} {version} {time.monotonic_ns()}"
    job = json.dumps({"table": "notes", "text": text})
    host.run("procrastinate", "defer", f"--queue={host.name}", "demo:note", job)
    deadline = time.monotonic() + PATIENCE
    question = (
        f"SELECT notes.server, status FROM notes, procrastinate_jobs WHERE text = '{text}'"
        f" AND args ->> 'text' = text"
    )
    while (answer := postgres.sql("jobs", question)) != f"{version}|succeeded\n":
        assert time.monotonic() < deadline, f"{answer!r} from the worker of {version}"
        time.sleep(0.1)


def test_workers_of_two_releases(hosts: tuple[Host, Host], procrastinate: Packaged) -> None:
    apt, dnf = (Customer(host=host, packaged=procrastinate) for host in hosts)
    dsn = new_shard(apt.host, "jobs")
    install(apt, server="3.3.0", database="3.3.0")
    install(dnf, server="3.3.0")
    connect(apt, dsn)
    apply(apt)
    apt.host.sql(
        "jobs", "CREATE TABLE notes (text text, server text); ALTER TABLE notes OWNER TO jobs"
    )
    for customer in (apt, dnf):
        run_worker(customer, dsn)
        assert_worker_works(customer, "3.3.0", apt.host)

    install(apt, database="3.4.0")
    apply(apt)
    for customer in (apt, dnf):
        assert_worker_works(customer, "3.3.0", apt.host)

    install(dnf, server="3.4.0")
    assert_worker_works(apt, "3.3.0", apt.host)
    assert_worker_works(dnf, "3.4.0", apt.host)
    install(apt, server="3.4.0")
    assert_worker_works(apt, "3.4.0", apt.host)


def schema(host: Host, dsn: str) -> list[str]:
    """A shard's schema without the ledger, and without the random word that a dump is quoted by."""
    dump = ("pg_dump", "--schema-only", "--no-owner", "--exclude-schema=interlock", dsn)
    lines = host.run(*dump).stdout.splitlines()
    return [line for line in lines if not line.startswith(("\\restrict", "\\unrestrict"))]


def test_the_sql_files_alone_make_the_same_schema(
    hosts: tuple[Host, Host], procrastinate: Packaged
) -> None:
    apt = Customer(host=hosts[0], packaged=procrastinate)
    newest = str(procrastinate.versions[-1])
    root = f"/usr/share/{apt.database}"
    with_runner, with_psql = (new_shard(apt.host, name) for name in ("by_runner", "by_psql"))
    apt.wipe()
    install(apt, database=newest)
    connect(apt, with_runner)
    apply(apt)
    for release in json.loads(apt.host.read(f"{root}/manifest.json"))["releases"]:
        for step in release["steps"]:
            assert step["batch"] is None
            options = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")
            single = ("--single-transaction",) if step["transaction"] else ()
            apt.host.run("psql", with_psql, *options, *single, f"--file={root}/{step['sql']}")
    one, other = (schema(apt.host, dsn) for dsn in (with_runner, with_psql))
    assert "CREATE TABLE public.procrastinate_jobs (" in one
    assert one == other


def test_web_servers(hosts: tuple[Host, Host], fleetdesk: Packaged) -> None:
    apt, dnf = (Customer(host=host, packaged=fleetdesk) for host in hosts)
    newest = str(fleetdesk.versions[-1])
    dsn = new_shard(apt.host, "desk")
    install(apt, server=newest, database=newest)
    install(dnf, server=newest)
    set_up_fleetdesk(apt, dsn)
    apply(apt)
    set_up_fleetdesk(dnf, dsn)
    for customer in (apt, dnf):
        customer.host.run("systemctl", "restart", *FLEETDESK)
        assert_fleetdesk_works(customer.host, newest)
    name = "on-both"
    ask(dnf.host, ("POST", "/hosts", {"name": name, "ipv4": "192.0.2.7"}))
    assert ask(apt.host, ("GET", f"/hosts/{name}", None))["ipv4"] == "192.0.2.7"
    health = ask(apt.host, ("GET", "/health", None))
    assert health["shards"] == {"north": {"reachable": True, "schema": 14}}
