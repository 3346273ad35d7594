"""The tools that customers use leave a fleet legal while one shard is behind, and upgrade it after.

Four shards: all stand at schema 12, but for south, which is still at 11. A server 4.0.0 fits all of
them; 4.1.0 needs schema 12, and 4.3.0, the newest, needs 14.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolchain.model.version import Version

from .commands import Result, run
from .conftest import TREES
from .host import Host
from .lab import Lab
from .products import ROOT, Customer, Packaged, Pair
from .recipes import Packaging
from .samples import Sample, build
from .services import (
    FLEETDESK,
    PORT,
    SETTINGS,
    WEB,
    ask,
    main_processes,
    new_shard,
    overwrite,
    shards_file,
    states,
)
from .upgrade_tools import (
    BOLD,
    DNF_AUTOMATIC,
    LAYERS,
    TOOLS,
    UNATTENDED_UPGRADES,
    Tool,
    play,
    puppet_module,
)

pytestmark = pytest.mark.xdist_group("upgrade-tools")

SERVER, DATABASE = "fleetdesk-server", "fleetdesk-database"
# A package of the same repository that no law concerns.
BYSTANDER = "bystander"
SCHEMAS = {"north": 12, "south": 11, "east": 12, "west": 12}
ONE_BEHIND, LEVEL = ("north", "south"), ("north", "east")
# unattended-upgrades takes packages by the origin that their repository names.
ORIGIN = """\
import hashlib, pathlib
index = pathlib.Path("/srv/repo/Packages").read_bytes()
digest = f"{hashlib.sha256(index).hexdigest()} {len(index)} Packages"
pathlib.Path("/srv/repo/Release").write_text(
    f"Origin: Fleetdesk\\nCodename: stable\\nDate: Mon, 04 May 2026 00:00:00 UTC\\nSHA256:\\n {digest}\\n"
)
"""
UNATTENDED = 'Unattended-Upgrade::Origins-Pattern { "origin=Fleetdesk,codename=stable"; };\n'
PREFERENCES = "/etc/apt/preferences.d/fleetdesk"
PIN = "Package: fleetdesk-*\nPin: version 4.1.*\nPin-Priority: 990\n"
AUTOMATIC = "/etc/dnf/automatic.conf"
VERSION_LOCKS = "/etc/dnf/plugins/versionlock.list"
# Comes with versionlock in Debian's package, and wants a repository of its own.
DNF_LOCAL = "/etc/dnf/plugins/local.conf"
MODULE = "/etc/puppet/code/environments/production/modules/interlock"
INVENTORY = """\
product: fleetdesk
servers: [{host: deb1, version: 4.0.0}, {host: rpm1, version: 4.0.0}]
shards: [{name: north, host: db1, release: 4.1.0}, {name: east, host: db1, release: 4.1.0}]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One server's host of each packaging, and the shards, on a host of their own."""

    customers: Mapping[Packaging, Customer]
    database: Host
    shards: Mapping[str, str]

    def start(self, packaging: Packaging, names: tuple[str, ...]) -> Customer:
        """Bring a host to a running server 4.0.0 on the named shards, whatever was before."""
        customer = self.customers[packaging]
        host = customer.host
        if packaging is Packaging.DEB:
            host.write(PREFERENCES, "")
            host.run("apt-mark", "unhold", SERVER)
        if installed(host) != ("4.0.0", "1.0"):
            self._connect(host, LEVEL)
            joint, *option = ("=", "--allow-downgrades") if packaging is Packaging.DEB else ("-",)
            wanted = (f"{SERVER}{joint}4.0.0-1", f"{BYSTANDER}{joint}1.0")
            done = customer.manage("install", *option, *wanted)
            assert installed(host) == ("4.0.0", "1.0"), done
            settings = host.read(SETTINGS).replace("port = 8080\n", f"port = {PORT}\n")
            overwrite(host, SETTINGS, settings)
        if host.read(shards_file(SERVER)) != self._sections(names) or not shard_packages(host):
            self._connect(host, names)
            host.run("systemctl", "restart", *FLEETDESK)
        assert shard_packages(host) == {name: SCHEMAS[name] for name in names}
        return customer

    def _sections(self, names: tuple[str, ...]) -> str:
        return sections({name: self.shards[name] for name in names})

    def _connect(self, host: Host, names: tuple[str, ...]) -> None:
        host.write(shards_file(SERVER), self._sections(names))
        if host.installed(SERVER):
            host.run("chgrp", "fleetdesk", shards_file(SERVER))
            keep_current(host, names)


@pytest.fixture(scope="module")
def fleet(lab: Lab, fleetdesk: Packaged, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Hosts that know a repository of everything, and the shards at their schemas."""
    database = lab.host("shards", postgres=True)
    shards = make_shards(database, fleetdesk)
    customers = {}
    for packaging, layer in LAYERS.items():
        shelf = tmp_path_factory.mktemp("shelf")
        shutil.copytree(fleetdesk.directory, shelf, dirs_exist_ok=True)
        for version in ("1.0", "1.1"):
            build(Sample(name=BYSTANDER, version=version), packaging, shelf)
        host = lab.host(f"{packaging}1", tree=TREES[packaging], layer=layer)
        host.add_repository(shelf)
        if packaging is Packaging.RPM:
            host.write(DNF_LOCAL, "[main]\nenabled = 0\n")
        # `keep_current` does its work; by itself it might hold the lock just when a tool wants it.
        host.run("systemctl", "mask", f"{SERVER}-shards.timer")
        if packaging is Packaging.DEB:
            host.run("python3", "-", stdin=ORIGIN)
            host.run("apt-get", "update")
            host.write("/etc/apt/apt.conf.d/52fleetdesk", UNATTENDED)
        customers[packaging] = Customer(host=host, packaged=fleetdesk)
    return Fleet(customers=customers, database=database, shards=shards)


def keep_current(host: Host, names: tuple[str, ...]) -> None:
    """What the agent's timer does."""
    host.run(SERVER, "sync")


def make_shards(host: Host, packaged: Packaged) -> dict[str, str]:
    host.add_repository(packaged.directory)
    names = {name: new_shard(host, name) for name in SCHEMAS}
    for release, schema in (("4.0.0", 11), ("4.1.0", 12)):
        done = host.apt("install", f"{DATABASE}={release}-1")
        assert host.installed(DATABASE) == f"{release}-1", done
        reached = {name: dsn for name, dsn in names.items() if SCHEMAS[name] >= schema}
        overwrite(host, shards_file(DATABASE), sections(reached))
        host.run(DATABASE, "apply", "--phase", "contract")
    return names


def sections(shards: Mapping[str, str]) -> str:
    return "".join(f"[{name}]\ndsn = {dsn}\n" for name, dsn in shards.items())


def installed(host: Host) -> tuple[str | None, str | None]:
    """The versions of the server and of the package that no law concerns."""
    server, bystander = map(host.installed, (SERVER, BYSTANDER))
    return server and server.removesuffix("-1"), bystander and bystander.removesuffix("-1")


def shard_packages(host: Host) -> dict[str, int]:
    """The schema that each shard's local package tells."""
    versions = {name: host.installed(f"fleetdesk-shard-{name}") for name in SCHEMAS}
    return {name: int(version[:2]) for name, version in versions.items() if version}


def assert_kept(customer: Customer, done: Result) -> None:
    """The server of the mixed fleet is what it was, whole, and it serves."""
    host = customer.host
    assert customer.pair() == Pair(server=Version.parse("4.0.0")), done
    assert shard_packages(host) == {name: SCHEMAS[name] for name in ONE_BEHIND}, done
    assert customer.damage() == "", done
    assert_serves(host, "4.0.0")


def assert_serves(host: Host, version: str) -> None:
    assert states(host, "is-active", *FLEETDESK) == ("active", "active")
    ask(host, ("GET", "/health", None, "version", version))


@pytest.mark.parametrize("tool", TOOLS, ids=str)
def test_a_version_that_one_shard_does_not_fit_stays_out(fleet: Fleet, tool: Tool) -> None:
    customer = fleet.start(tool.packaging, ONE_BEHIND)
    for words in (tool.pinned(SERVER, "4.1.0-1"), tool.newest(SERVER, "4.3.0-1")):
        done = customer.host.run(*words, check=False)
        assert_kept(customer, done)
        assert done.returncode == tool.refused, done
        assert "fleetdesk-schema" in done.output, done


@pytest.mark.parametrize("tool", TOOLS, ids=str)
def test_a_version_that_fits_every_shard_goes_in(fleet: Fleet, tool: Tool) -> None:
    customer = fleet.start(tool.packaging, LEVEL)
    done = customer.host.run(*tool.pinned(SERVER, "4.1.0-1"), check=False)
    assert customer.pair() == Pair(server=Version.parse("4.1.0")), done
    assert_serves(customer.host, "4.1.0")


@pytest.mark.parametrize("packaging", Packaging)
def test_no_option_gets_an_unfit_server_in(fleet: Fleet, packaging: Packaging) -> None:
    customer = fleet.start(packaging, ONE_BEHIND)
    host, deb = customer.host, packaging is Packaging.DEB
    query = "dpkg-query --show" if deb else "rpm --query --queryformat '%{NAME}\\t%{VERSION}\\n'"
    names = ("fleetdesk-shard-north", "fleetdesk-shard-south", SERVER)
    tell = f"{{ {query} {' '.join(names)}; echo; }} >> /srv/after"
    before = host.run("sh", "-c", f"{tell}; cat /srv/after; rm /srv/after").stdout
    host.write("/srv/play.yaml", play("apt" if deb else "dnf", BOLD[packaging], tell))
    words = ("ansible-playbook", "--connection=local", "--inventory=localhost,", "/srv/play.yaml")
    done = host.run(*words, check=False, timeout=300)
    after = host.read("/srv/after").split("\n\n")[:-1]
    host.run("rm", "/srv/after")
    assert len(after) == len(BOLD[packaging]), done
    for arguments, packages in zip(BOLD[packaging], after, strict=True):
        assert packages == before.strip(), arguments
    assert_kept(customer, done)


def test_unattended_upgrades_upgrades_the_rest(fleet: Fleet) -> None:
    customer = fleet.start(Packaging.DEB, ONE_BEHIND)
    done = customer.host.run(*UNATTENDED_UPGRADES)
    assert_kept(customer, done)
    assert installed(customer.host) == ("4.0.0", "1.1"), done
    assert f"{SERVER} is kept back" in done.output, done


def test_unattended_upgrades_follows_a_pin_as_far_as_the_shards_are(fleet: Fleet) -> None:
    customer = fleet.start(Packaging.DEB, ONE_BEHIND)
    customer.host.write(PREFERENCES, PIN)
    done = customer.host.run(*UNATTENDED_UPGRADES)
    assert_kept(customer, done)

    customer = fleet.start(Packaging.DEB, LEVEL)
    customer.host.write(PREFERENCES, PIN)
    done = customer.host.run(*UNATTENDED_UPGRADES)
    assert installed(customer.host) == ("4.1.1", "1.1"), done
    assert_serves(customer.host, "4.1.1")


def test_dnf_automatic_upgrades_the_rest(fleet: Fleet) -> None:
    """With RHEL's best=True: the server's plugin keeps back what the shards are not ready for."""
    customer = fleet.start(Packaging.RPM, ONE_BEHIND)
    host = customer.host
    done = host.run(*DNF_AUTOMATIC)
    assert_kept(customer, done)
    assert installed(host) == ("4.0.0", "1.1"), done
    assert "4.3.0 are held back by fleetdesk-shard-" in done.output, done


def test_dnf_automatic_follows_an_exclusion_as_far_as_the_shards_are(fleet: Fleet) -> None:
    customer = fleet.start(Packaging.RPM, LEVEL)
    host = customer.host
    exclusion = "excludepkgs = fleetdesk-*-4.[23]*\n"
    settings = host.read(AUTOMATIC)
    host.write(AUTOMATIC, settings.replace("[base]\n", f"[base]\n{exclusion}"))
    done = host.run(*DNF_AUTOMATIC)
    host.write(AUTOMATIC, settings)
    assert installed(host) == ("4.1.1", "1.1"), done
    assert_serves(host, "4.1.1")


def test_a_hold_is_kept_by_ansible_and_passed_by_puppet(fleet: Fleet) -> None:
    customer = fleet.start(Packaging.DEB, LEVEL)
    host = customer.host
    host.run("apt-mark", "hold", SERVER)
    by_name = {tool.name: tool for tool in TOOLS if tool.packaging is Packaging.DEB}
    for name in ("ansible", "chef-command"):
        refused = host.run(*by_name[name].pinned(SERVER, "4.1.0-1"), check=False)
        assert installed(host) == ("4.0.0", "1.0"), refused
        assert refused.returncode == by_name[name].refused, refused
    done = host.run(*by_name["puppet"].pinned(SERVER, "4.1.0-1"), check=False)
    assert installed(host) == ("4.1.0", "1.0"), done


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The way to 4.1.1 as it is exported for Puppet and for Chef, in a directory for each."""
    directory = tmp_path_factory.mktemp("exports")
    inventory = directory / "fleet.yaml"
    inventory.write_text(INVENTORY)
    specs = ROOT / "release-specs/fleetdesk"
    plan = ("plan", str(specs), "--inventory", str(inventory), "--to", "4.1.1")
    for engine in ("puppet", "chef"):
        export = ("--export", engine, "--output", str(directory / engine))
        run(sys.executable, "-m", "toolchain", *plan, *export, env={"PYTHONPATH": str(ROOT)})
    return directory


@pytest.mark.parametrize("packaging", Packaging)
def test_an_exported_wave_is_applied_by_puppet(
    fleet: Fleet, exports: Path, packaging: Packaging
) -> None:
    customer = fleet.start(packaging, ONE_BEHIND)
    host = customer.host
    host.push(exports / "puppet", MODULE)
    host.run("ln", "-sfn", "waves/02-servers-4.1.1", f"{MODULE}/current")
    apply = puppet_module("interlock", packaging)
    refused = host.run(*apply, check=False)
    assert_kept(customer, refused)
    assert refused.returncode == 4, refused

    fleet.start(packaging, LEVEL)
    # It changes the host, and finds nothing to do then.
    for status in (2, 0):
        done = host.run(*apply, check=False)
        assert done.returncode == status, done
        assert installed(host)[0] == "4.1.1", done
    assert_serves(host, "4.1.1")


def test_what_is_exported_for_chef_is_ruby(fleet: Fleet, exports: Path) -> None:
    """Chef itself cannot be had; the Ruby that comes with Puppet reads its files."""
    host = fleet.customers[Packaging.DEB].host
    host.push(exports / "chef", "/srv/chef")
    names = sorted(path.relative_to(exports / "chef") for path in exports.glob("chef/**/*.rb"))
    assert {path.name for path in names} == {"Policyfile.rb", "default.rb", "metadata.rb"}
    for name in names:
        host.run("ruby", "-wc", f"/srv/chef/{name}")


def test_a_versionlock_is_kept_by_dnf_and_by_puppet(fleet: Fleet) -> None:
    """Its line is that of the exported role for Ansible, which moves it before it installs."""
    customer = fleet.start(Packaging.RPM, LEVEL)
    host = customer.host
    (by_puppet,) = (tool for tool in TOOLS if str(tool) == "puppet-rpm")
    pinned = by_puppet.pinned(SERVER, "4.1.0-1")
    for version, reached in (("4.0.0-1", "4.0.0"), ("4.1.0-1", "4.1.0")):
        host.write(VERSION_LOCKS, f"{SERVER}-0:{version}.*\n")
        done = host.run(*pinned, check=False)
        upgraded = customer.manage("upgrade")
        assert installed(host) == (reached, "1.1"), (done, upgraded)
    host.run("dnf", "versionlock", "clear")
    host.run("dnf", "versionlock", "add", SERVER)
    assert f"{SERVER}-0:4.1.0-1.*" in host.read(VERSION_LOCKS)
    host.write(VERSION_LOCKS, "")


def test_what_needrestart_restarts_is_checked_at_its_start(fleet: Fleet) -> None:
    customer = fleet.start(Packaging.DEB, ("west",))
    host = customer.host
    assert_serves(host, "4.0.0")  # so that it has loaded the library
    before = main_processes(host, WEB)
    restarted = restart_outdated(host)
    assert main_processes(host, WEB) != before, restarted
    assert_serves(host, "4.0.0")

    # Somebody declares the host gone while it serves, and takes away what it uses without a wait.
    fleet.database.apt("install", f"{DATABASE}=4.2.0-1")
    west = sections({"west": fleet.shards["west"]})
    overwrite(fleet.database, shards_file(DATABASE), f"[*]\nroll_call = off\n{west}")
    fleet.database.run(DATABASE, "retire", "--force", host.name)
    fleet.database.run(DATABASE, "apply", "--phase", "contract")
    restarted = restart_outdated(host)
    assert states(host, "is-active", WEB) != ("active",), restarted
    journal = host.run("journalctl", f"--unit={WEB}", "--output=cat").stdout
    assert "4.0.0" in journal
    assert ">= 4.1.0" in journal


def restart_outdated(host: Host) -> Result:
    """Replace a library that the services have loaded, as an update does, and run needrestart."""
    library = host.run("sh", "-c", "readlink -f /usr/lib/*/libpq.so.5").stdout.strip()
    host.run("sh", "-c", f"cp -a {library} {library}.new && mv {library}.new {library}")
    return host.run("needrestart", "-l", "-r", "a")
