"""Gives a pair on a host a shard, and asks its services how they are, as an operator would."""

from __future__ import annotations

import json
from typing import Any

from .host import Host
from .products import Customer

PATIENCE = 120.0
WEB, WORKER = FLEETDESK = ("fleetdesk-web", "fleetdesk-worker")
SETTINGS = "/etc/fleetdesk/fleetdesk.ini"
PORT = 8123
# Asks one question after another, in one process; each is METHOD, PATH, BODY and, if the answer
# must have it, a name and a value. The server may need a moment to come up, and a job to be done.
_QUESTIONS = """\
import json, sys, time, urllib.request
url, patience, questions = sys.argv[1], float(sys.argv[2]), json.loads(sys.argv[3])
deadline = time.monotonic() + patience
for method, path, body, *wanted in questions:
    while True:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            answer = json.load(urllib.request.urlopen(request, timeout=10))
            problem = f"{path} answers {answer}"
            if not wanted or answer.get(wanted[0]) == wanted[1]:
                break
        except OSError as error:
            problem = f"{path}: {error}"
        if time.monotonic() > deadline:
            sys.exit(problem)
        time.sleep(0.05)
print(json.dumps(answer))
"""


def overwrite(host: Host, path: str, text: str) -> None:
    """Edit a file that is there, so that its owner and mode stay."""
    host.run("sh", "-c", 'test -f "$1" && cat > "$1"', "sh", path, stdin=text)


def new_shard(postgres: Host, name: str) -> str:
    """Make an empty database with an owner of its own; returns its connection string."""
    postgres.sql("postgres", f"CREATE ROLE {name} LOGIN; CREATE DATABASE {name} OWNER {name}")
    return f"host={postgres.name} dbname={name} user={name}"


def shards_file(package: str) -> str:
    """Where a package of a pair reads which shards there are."""
    return f"/etc/{package}/shards.ini"


def connect(customer: Customer, dsn: str) -> dict[str, str]:
    """Write the shards file of whichever package is installed; returns the files and their text."""
    text = f"[north]\ndsn = {dsn}\n"
    pair = customer.pair()
    halves = ((customer.server, pair.server), (customer.database, pair.database))
    files = {shards_file(package): text for package, version in halves if version is not None}
    for path in files:
        overwrite(customer.host, path, text)
    return files


def set_up_fleetdesk(customer: Customer, dsn: str) -> dict[str, str]:
    """Give fleetdesk its shard, and settings that differ; returns the files and their text."""
    host = customer.host
    settings = host.read(SETTINGS).replace("port = 8080\n", f"port = {PORT}\n")
    settings = settings.replace("poll_seconds = 1\n", "poll_seconds = 0.05\n")
    overwrite(host, SETTINGS, settings)
    return {SETTINGS: settings, **connect(customer, dsn)}


def apply(customer: Customer) -> None:
    """Run the phases of the installed database package on its shards, contracts included."""
    done = customer.host.run(customer.database, "apply", "--phase", "contract", check=False)
    assert done.returncode == 0, done
    sync(customer)


def sync(customer: Customer) -> None:
    """Let the package manager know what the shards say now, where there is a server."""
    if customer.pair().server is not None:
        done = customer.host.run(customer.server, "sync", check=False)
        assert done.returncode == 0, done


def states(host: Host, question: str, *services: str) -> tuple[str, ...]:
    """What systemd says of each service: `is-active`, `is-enabled`."""
    return tuple(host.run("systemctl", question, *services, check=False).stdout.split())


def main_processes(host: Host, *services: str) -> tuple[str, ...]:
    """The number of each service's main process."""
    show = ("systemctl", "show", "--property=MainPID", "--value")
    return tuple(host.run(*show, f"{service}.service").stdout.strip() for service in services)


def ask(host: Host, *questions: tuple[object, ...]) -> Any:
    """Ask fleetdesk's web server on its own host; returns the last answer."""
    url = f"http://127.0.0.1:{PORT}"
    program = ("python3", "-c", _QUESTIONS, url, str(PATIENCE), json.dumps(questions))
    return json.loads(host.run(*program, timeout=2 * PATIENCE).stdout)


def assert_fleetdesk_works(host: Host, version: object) -> None:
    """The services are of that release, and a job goes from the web server through the worker."""
    assert states(host, "is-active", *FLEETDESK) == ("active", "active")
    name = f"{host.name}-{str(version).replace('.', '-')}"
    ask(
        host,
        ("GET", "/health", None, "version", str(version)),
        ("GET", "/health", None, "healthy", True),
        ("POST", "/hosts", {"name": name, "memory_mb": 1024}),
        ("POST", f"/hosts/{name}/scan", {"memory_mb": 2048}),
        ("GET", f"/hosts/{name}", None, "memory_mb", 2048),
    )
