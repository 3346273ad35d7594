"""apt and dnf ask the live shards before they touch a server package, and nobody else waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from toolchain.model.version import Version

from .commands import Result
from .host import Host
from .products import Customer, Packaged, Pair
from .recipes import Packaging
from .repository import PLACE
from .samples import Sample, build
from .services import FLEETDESK, new_shard, overwrite

pytestmark = pytest.mark.xdist_group("transaction-hook")

SERVER = "fleetdesk-server"
OVERRIDE = "override --reason"
OLD, MIDDLE = "4.0.0", "4.2.0"


@pytest.fixture(scope="module")
def hosts(apt_host: Host, dnf_host: Host, fleetdesk: Packaged) -> None:
    """Two hosts that are offered the packages; the shards are on the first, by file transfer.

    Their database package is unpacked behind dpkg's back: installed, it would have relations with
    the server package, and the solver would refuse what only the hook is to see here.
    """
    for host in (apt_host, dnf_host):
        # The agent's packages would make the solver refuse first; a registration, peers.
        units = (f"{SERVER}-shards.timer", f"{SERVER}-shards.service", *FLEETDESK)
        host.run("systemctl", "mask", *units)
        host.add_repository(fleetdesk.directory)
    deb = f"{PLACE}/fleetdesk-database_{OLD}-1_all.deb"
    apt_host.run("dpkg-deb", "--extract", deb, "/")
    text = f"[north]\ndsn = {new_shard(apt_host, 'old')}\n"
    apt_host.write("/etc/fleetdesk-database/shards.ini", text, mode=0o640)
    apt_host.run("fleetdesk-database", "apply")


@pytest.fixture
def desk(client: Host, hosts: None, fleetdesk: Packaged) -> Iterator[Customer]:
    """A host with the old server, whose shard is behind all newer ones."""
    customer = Customer(host=client, packaged=fleetdesk)
    if not customer.host.installed(SERVER):
        # Past every gate, and in no time.
        tool = ("dpkg", "--install") if client.packaging is Packaging.DEB else ("rpm", "--install")
        file = f"{SERVER}_{OLD}-1_all.deb"
        if client.packaging is Packaging.RPM:
            file = f"{SERVER}-{OLD}-1.noarch.rpm"
        client.run(*tool, f"{PLACE}/{file}")
    shard = "host=apt1 dbname=old user=old connect_timeout=30"
    overwrite(client, f"/etc/{SERVER}/shards.ini", f"[north]\ndsn = {shard}\n")
    yield customer
    client.run("rm", "-rf", f"/run/{SERVER}")
    if customer.host.installed(SERVER) and customer.pair() != server(OLD):
        customer.wipe()


def install_sample(host: Host, sample: Sample, directory: Path) -> Result:
    file = build(sample, host.packaging, directory)
    host.push(file, f"/srv/{file.name}")
    words = ("install", f"/srv/{file.name}")
    return host.apt(*words) if host.packaging is Packaging.DEB else host.dnf(*words)


def server(release: str) -> Pair:
    return Pair(server=Version.parse(release))


def assert_refused(desk: Customer, done: Result, sentence: str) -> None:
    assert done.returncode == (100 if desk.host.packaging is Packaging.DEB else 1), done
    assert sentence in done.output, done
    # By the hook, before the package's own script is asked, which would say this.
    assert "is not installed: " not in done.output, done
    assert desk.pair() == server(OLD)
    assert desk.damage() == ""


MISFIT = "does not fit shard north: it needs schema >= 12, and the shard has 11"


def test_a_misfit_is_refused_and_logged(desk: Customer) -> None:
    """By one command; test_every_gate_alone.py has them all."""
    refused = desk.install(server(MIDDLE))
    assert_refused(desk, refused, f"{SERVER} {MIDDLE} {MISFIT}")
    assert OVERRIDE not in refused.output
    journal = desk.host.run("journalctl", "--identifier", SERVER, "--output=cat").stdout
    assert f"refused a transaction: {SERVER}: {SERVER} {MIDDLE} {MISFIT}" in journal


@contextmanager
def broken(host: Host, how: str) -> Iterator[None]:
    """Take away what the hook needs, for a while."""
    path = {
        "psycopg2": "/usr/lib/python3/dist-packages/psycopg2",
        "missing": f"/usr/lib/{SERVER}/ask-hook",
        "shard": f"/etc/{SERVER}/shards.ini",
    }[how]
    host.run("mv", path, "/srv/whole")
    if how == "shard":
        host.run("cp", "-a", "/srv/whole", path)
        overwrite(host, path, "[north]\ndsn = host=apt1 port=1 dbname=nowhere\n")
    try:
        yield
    finally:
        host.run("rm", "-rf", path)
        host.run("mv", "/srv/whole", path)


@pytest.mark.parametrize("how", ["psycopg2", "missing", "shard"])
def test_a_broken_hook_is_closed_for_ours_and_open_for_others(
    desk: Customer, tmp_path: Path, how: str
) -> None:
    host = desk.host
    with broken(host, how):
        if how != "shard":
            done = install_sample(host, Sample(name="unrelated", version="1.0"), tmp_path)
            assert host.installed("unrelated"), done
        refused = desk.install(server(MIDDLE))
        assert refused.returncode != 0
        assert desk.pair() == server(OLD), refused
        assert "Traceback" not in refused.output
    assert desk.damage() == ""
    if how == "shard":
        assert "shard north: cannot connect" in refused.output
    assert (OVERRIDE in refused.output) == (how != "missing"), refused
    remove = ("dpkg", "--purge") if host.packaging is Packaging.DEB else ("rpm", "--erase")
    if how != "shard":
        host.run(*remove, "unrelated")


@pytest.mark.parametrize("client", [Packaging.RPM], indirect=True)
def test_a_plugin_that_fails_is_closed_for_ours(desk: Customer) -> None:
    """dnf itself would print the error and go on."""
    plugin = f"/usr/lib/{SERVER}/dnf_plugin.py"
    desk.host.run("cp", "-a", plugin, "/srv/plugin")
    desk.host.run("sed", "--in-place", "s/localPkg()/nonsense()/; s/name__glob/nonsense/", plugin)
    refused = desk.install(server(MIDDLE))
    upgraded = desk.manage("upgrade")
    desk.host.run("mv", "/srv/plugin", plugin)
    for done in (refused, upgraded):
        assert_refused(desk, done, "nobody can be asked")
        assert "Traceback" not in done.output
    assert "its plugin cannot read the package database" in upgraded.output


def test_an_override_lets_it_pass_and_is_remembered(desk: Customer) -> None:
    host = desk.host
    assert host.run(SERVER, "override", "--active", check=False).returncode == 1
    forged = (
        "mkdir -p $0; printf '99999999999\\neve\\nwhy\\n' > $0/override; chown nobody $0/override"
    )
    host.run("sh", "-c", forged, f"/run/{SERVER}")
    assert host.run(SERVER, "override", "--active", check=False).returncode == 1
    assert_refused(desk, desk.install(server(MIDDLE)), f"{SERVER} {MIDDLE} {MISFIT}")
    with broken(host, "psycopg2"):
        host.run(
            "env",
            "SUDO_USER=kim",
            SERVER,
            "override",
            "--reason",
            "shard north burns",
            "--for",
            "5m",
        )
    done = desk.install(server(MIDDLE))
    assert desk.pair() == server(MIDDLE), done
    assert "overridden by kim until" in done.output
    assert (
        "the transaction hook is overridden by kim"
        in host.run(SERVER, "status", check=False).stdout
    )
    journal = host.run("journalctl", "--identifier", SERVER, "--output=cat").stdout
    assert "the hook is overridden by kim until" in journal
    assert (
        f"let a transaction through, overridden by kim (shard north burns): {SERVER}: {SERVER} {MIDDLE}"
        in journal
    )
    host.run(SERVER, "override", "--end")
    assert host.run(SERVER, "override", "--active", check=False).returncode == 1


def test_foreign_packages_that_claim_our_names(desk: Customer, tmp_path: Path) -> None:
    host, deb = desk.host, desk.host.packaging is Packaging.DEB
    schema = "fleetdesk-schema (= 99)" if deb else "fleetdesk-schema = 99"
    claims = {
        "claimant": (
            Sample(name="claimant", version="1.0", provides=schema),
            "provides fleetdesk-schema",
        ),
        "fleetdesk-shard-south": (
            Sample(name="fleetdesk-shard-south", version="12"),
            "claims to be a shard's package",
        ),
    }
    for name, (sample, sentence) in claims.items():
        assert_refused(desk, install_sample(host, sample, tmp_path / name), sentence)


def test_what_is_left_behind_does_not_disturb(desk: Customer, tmp_path: Path) -> None:
    host = desk.host
    unrelated = Sample(name="unrelated", version="1.0")
    if host.packaging is Packaging.RPM:
        linked = host.run("find", "/usr/lib", "-name", "fleetdesk_server*").stdout
        assert "dnf-plugins/fleetdesk_server.py" in linked
        desk.manage("remove", "--setopt=protected_packages=", SERVER)
        assert host.run("find", "/usr/lib", "-name", "fleetdesk_server*").stdout == ""
    else:
        desk.manage("remove", "--allow-remove-essential", SERVER)
        assert host.exists(f"/etc/apt/apt.conf.d/60{SERVER}")
    assert desk.pair() == Pair()
    done = install_sample(host, unrelated, tmp_path)
    assert host.installed("unrelated"), done
    assert "hook" not in done.output.replace("apt-hook", "hook")
    desk.manage("remove", "unrelated")
    if host.packaging is Packaging.DEB:
        desk.manage("purge", "--allow-remove-essential", SERVER)
        assert not host.exists(f"/etc/apt/apt.conf.d/60{SERVER}")
        assert host.apt("install", "--reinstall", "unrelated").returncode != 127
