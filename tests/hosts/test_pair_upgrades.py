"""A pair's whole life on one host: from release to release while the service runs, back, and gone."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from toolchain.model.version import Version

from .commands import Result
from .host import Host
from .lab import Lab
from .products import Customer, Packaged, Pair
from .recipes import Packaging

SERVICES = ("fleetdesk-web", "fleetdesk-worker")
SETTINGS = "/etc/fleetdesk/fleetdesk.ini"
SHARDS = "/etc/fleetdesk-{}/shards.ini"
PORT = 8123
REQUEST = """\
import sys, urllib.request
method, url, body = sys.argv[1:]
request = urllib.request.Request(url, body.encode() or None, method=method)
request.add_header("Content-Type", "application/json")
print(urllib.request.urlopen(request, timeout=10).read().decode())
"""
PATIENCE = 20.0
# A system user outlives its package, as Debian and Fedora advise: files may still be its own.
ACCOUNTS = {
    f"/etc/{name}{backup}"
    for name in ("passwd", "group", "shadow", "gshadow")
    for backup in ("", "-")
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(packaging, marks=pytest.mark.xdist_group(f"pairs-{packaging}"))
        for packaging in Packaging
    ],
)
def newcomer(
    request: pytest.FixtureRequest,
    new_lab: Callable[[], Lab],
    shelf: Path,
    fleetdesk: Packaged,
) -> Iterator[Customer]:
    """A host that has never had a package of the product, with a PostgreSQL for its shards."""
    with new_lab() as lab:
        tree = "debian" if request.param is Packaging.DEB else "rpm"
        host = lab.host("newcomer", tree=tree, postgres=True)
        host.add_repository(shelf)
        host.sql("postgres", "CREATE ROLE fleetdesk LOGIN")
        yield Customer(host=host, packaged=fleetdesk)


def overwrite(host: Host, path: str, text: str) -> None:
    """Edit a file as an operator does: its owner and mode stay."""
    host.run("sh", "-c", 'cat > "$1"', "sh", path, stdin=text)


def start(customer: Customer, pair: Pair) -> dict[str, str]:
    """Install a pair, give it a new shard, and run it; returns what configuration was edited."""
    customer.install(pair)
    assert customer.pair() == pair
    edited = configure(customer)
    apply(customer)
    customer.host.run("systemctl", "restart", *SERVICES)
    return edited


def configure(customer: Customer) -> dict[str, str]:
    """Write settings and shards of both packages; returns the files with their content."""
    host, name = customer.host, f"shard_{secrets.token_hex(4)}"
    host.sql("postgres", f"CREATE DATABASE {name} OWNER fleetdesk")
    shards = f"[north]\ndsn = host={host.address} dbname={name} user=fleetdesk\n"
    settings = host.read(SETTINGS).replace("port = 8080", f"port = {PORT}")
    assert str(PORT) in settings
    files = {
        SETTINGS: settings.replace("poll_seconds = 1\n", "poll_seconds = 0.05\n"),
        SHARDS.format("server"): shards,
        SHARDS.format("database"): shards,
    }
    for path, text in files.items():
        overwrite(host, path, text)
    return files


def content(host: Host, paths: dict[str, str]) -> dict[str, str]:
    return {path: host.read(path) for path in paths}


def apply(customer: Customer) -> None:
    """Run the phases of the installed database package, contracts included."""
    done = customer.host.run("fleetdesk-database", "apply", "--phase", "contract", check=False)
    assert done.returncode == 0, done


def install_without_answers(customer: Customer, pair: Pair) -> Result:
    """Install with nobody there who could say which configuration to keep."""
    if customer.host.packaging is Packaging.RPM:
        return customer.install(pair)
    return customer.host.run("apt-get", "-y", "install", *customer.words(pair), check=False)


def main_processes(host: Host) -> tuple[str, ...]:
    show = ("systemctl", "show", "--property=MainPID", "--value")
    return tuple(host.run(*show, f"{name}.service").stdout.strip() for name in SERVICES)


def states(host: Host, question: str) -> tuple[str, ...]:
    """What systemd says of both services: `is-active`, `is-enabled`."""
    return tuple(host.run("systemctl", question, *SERVICES, check=False).stdout.split())


def ask(host: Host, method: str, path: str, body: object = None) -> Any:
    """Ask the web service, which has a moment to come up."""
    url = f"http://127.0.0.1:{PORT}{path}"
    text = "" if body is None else json.dumps(body)
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = host.run("python3", "-c", REQUEST, method, url, text, check=False)
        if answer.returncode == 0:
            return json.loads(answer.stdout)
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)


def assert_works(host: Host, version: Version) -> None:
    """The service is that release, and a job goes from the web server through the worker."""
    assert states(host, "is-active") == ("active", "active")
    health = ask(host, "GET", "/health")
    assert health["version"] == str(version)
    assert health["healthy"]
    name = f"host-{str(version).replace('.', '-')}"
    ask(host, "POST", "/hosts", {"name": name, "memory_mb": 1024})
    ask(host, "POST", f"/hosts/{name}/scan", {"memory_mb": 2048})
    deadline = time.monotonic() + PATIENCE
    while ask(host, "GET", f"/hosts/{name}")["memory_mb"] != 2048:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def files(host: Host) -> set[str]:
    """Everything on the disk with its kind, mode, owners, size and link, but for what is living."""
    living = (
        *("/var/log", "/var/cache", "/var/tmp", "/var/lib/postgresql", "/etc/postgresql"),
        *(f"/var/lib/{name}" for name in ("dpkg", "apt", "rpm", "dnf")),
    )
    prune = [word for path in living for word in ("-path", path, "-prune", "-o")]
    form = ("-printf", r"%p %y %m %u %g", "-not", "-type", "d", "-printf", r" %s %l", "-o", "-true")
    find = ("find", "/", "-xdev", *prune, "(", *form, ")", "-printf", r"\n")
    return set(host.run(*find).stdout.splitlines())


def test_from_the_first_release_to_the_last_and_back(newcomer: Customer) -> None:
    host, deb = newcomer.host, newcomer.host.packaging is Packaging.DEB
    clean, accounts = files(host), host.read("/etc/passwd").splitlines()
    first, *later = newcomer.packaged.versions
    edited = start(newcomer, Pair(server=first, database=first))
    assert_works(host, first)

    before = first
    for version in later:
        processes = main_processes(host)
        done = install_without_answers(newcomer, Pair(database=version))
        assert newcomer.pair() == Pair(server=before, database=version), done
        apply(newcomer)
        assert main_processes(host) == processes, f"the database {version} restarted a service"
        assert_works(host, before)

        done = install_without_answers(newcomer, Pair(server=version))
        assert newcomer.pair() == Pair(server=version, database=version), done
        assert newcomer.damage() == ""
        assert set(main_processes(host)).isdisjoint(processes), f"{version} restarted nothing"
        assert_works(host, version)
        assert content(host, edited) == edited
        before = version

    processes = main_processes(host)
    back = Version.parse("4.2.0")
    options = ("--allow-downgrades",) if deb else ()
    done = newcomer.install(Pair(server=back), *options)
    assert newcomer.pair() == Pair(server=back, database=before), done
    assert set(main_processes(host)).isdisjoint(processes)
    assert_works(host, back)
    assert content(host, edited) == edited

    remove(newcomer)
    if deb:
        assert content(host, edited) == edited, "a removal alone keeps the configuration"
    newcomer.purge()
    gone, left = clean - files(host), files(host) - clean
    assert {line.split()[0] for line in gone} <= ACCOUNTS
    left = {line for line in left if line.split()[0] not in ACCOUNTS}
    if deb:
        assert left == set()
    else:
        # rpm knows no purge: it renames what was edited, and the product's own state stays.
        assert {line.split()[0] for line in left} == {
            *(f"{path}.rpmsave" for path in edited),
            *(path.rpartition("/")[0] for path in edited),
            *("/var/lib/fleetdesk", "/usr/share/licenses", "/usr/share/man/man8"),
        }
    users = host.read("/etc/passwd").splitlines()
    assert [line.partition(":")[0] for line in users if line not in accounts] == ["fleetdesk"]


def remove(customer: Customer) -> None:
    """Remove both packages, which takes an option, and both services with them."""
    host, before = customer.host, customer.pair()
    match host.packaging:
        case Packaging.DEB:
            option = "--allow-remove-essential"
            told = f"-y was used without {option}"
        case Packaging.RPM:
            option = "--setopt=protected_packages="
            told = "would result in removing the following protected packages: {}"
    for name in (customer.server, customer.database):
        refused = customer.manage("remove", name)
        assert customer.pair() == before, refused
        assert refused.returncode != 0
        assert told.format(name) in refused.output
    done = customer.manage("remove", option, customer.server, customer.database)
    assert customer.pair() == Pair(), done
    assert states(host, "is-active") == ("inactive", "inactive")
    assert host.failed_units == ()


def test_what_the_operator_has_stopped_stays_so(newcomer: Customer) -> None:
    host, newest = newcomer.host, newcomer.packaged.versions[-1]
    start(newcomer, Pair(server=Version.parse("4.1.0"), database=newest))
    assert states(host, "is-enabled") == ("enabled", "enabled")

    def upgraded(version: str, enabled: tuple[str, str], active: tuple[str, str]) -> None:
        done = newcomer.install(Pair(server=Version.parse(version)))
        assert newcomer.pair() == Pair(server=Version.parse(version), database=newest), done
        assert (states(host, "is-enabled"), states(host, "is-active")) == (enabled, active), done

    web, worker = SERVICES
    host.run("systemctl", "disable", *SERVICES)
    host.run("systemctl", "stop", worker)
    upgraded("4.1.1", ("disabled", "disabled"), ("active", "inactive"))

    host.run("systemctl", "mask", "--now", web)
    upgraded("4.2.0", ("masked", "disabled"), ("inactive", "inactive"))

    host.run("systemctl", "unmask", web)
    host.run("systemctl", "enable", *SERVICES)
    upgraded("4.3.0", ("enabled", "enabled"), ("inactive", "inactive"))

    host.run("systemctl", "start", *SERVICES)
    assert_works(host, newest)
    newcomer.purge()


def test_both_halves_in_one_run_while_the_shard_waits_for_its_phases(newcomer: Customer) -> None:
    host = newcomer.host
    old, new = Version.parse("4.0.0"), Version.parse("4.1.0")
    start(newcomer, Pair(server=old, database=old))
    processes = main_processes(host)

    refused = newcomer.install(Pair(server=new, database=new))
    assert refused.returncode != 0, refused
    assert "it needs schema >= 12, and the shard has 11; first run fleetdesk-database apply" in (
        refused.output
    )
    if host.packaging is Packaging.DEB:
        # dpkg had unpacked the other half already.
        newcomer.manage("-f", "install")
    assert newcomer.pair() == Pair(server=old, database=new)
    assert newcomer.damage() == ""
    assert main_processes(host) == processes
    assert_works(host, old)

    apply(newcomer)
    newcomer.install(Pair(server=new))
    assert newcomer.pair() == Pair(server=new, database=new)
    assert_works(host, new)
    newcomer.purge()
