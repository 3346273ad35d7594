"""A site that upgrades with Ansible: shards and servers of both packagings, a control node, load."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolchain.model.version import Version

from .balancer import Balancer, balanced
from .commands import Result
from .conftest import TREES
from .control import LAYERS, ControlNode
from .host import Host
from .lab import Lab
from .products import ROOT, Customer, Packaged, Pair
from .recipes import Packaging

DATABASE, SERVER = "fleetdesk-database", "fleetdesk-server"
SHARDS: Mapping[str, Packaging] = {"north": Packaging.DEB, "south": Packaging.RPM}
SERVERS: Mapping[str, Packaging] = {
    "web1": Packaging.RPM,
    "web2": Packaging.DEB,
    "web3": Packaging.RPM,
}
# A host that gets a server after the plan was made, and so is in nobody's inventory.
FORGOTTEN = "attic"
# Servers register again so often that a contract waits for seconds after a host was lost.
REFRESH = "[*]\nrefresh = 5s\n"
_RHEL = {
    "/etc/os-release": 'ID="rhel"\nNAME="Red Hat Enterprise Linux"\nVERSION_ID="9.4"\n',
    "/etc/redhat-release": "Red Hat Enterprise Linux release 9.4 (Plow)\n",
}
# Of a machine that has much else to do; nothing waits for so long where all is well.
_PATIENCE = 900.0


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Wait for what must come, or fail with the sentence."""
    deadline = time.monotonic() + _PATIENCE
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The hosts by name, and the control node."""

    hosts: Mapping[str, Host]
    node: ControlNode
    packaged: Packaged

    def versions(self) -> dict[str, str | None]:
        """What each host of the inventory has of its half."""
        return {
            **{name: self._release(name, DATABASE) for name in SHARDS},
            **{name: self._release(name, SERVER) for name in SERVERS},
        }

    def schemas(self) -> dict[str, str]:
        """What each shard says of itself: its schema and the oldest server that it accepts."""
        ask = "SELECT schema || ' accepts ' || oldest_server FROM interlock.handshake"
        return {name: self.hosts[name].sql("fleetdesk", ask).strip() for name in SHARDS}

    def install(self, name: str, *, server: str = "", database: str = "") -> Result:
        """Let the host's own package manager install just these versions."""
        pair = Pair(
            server=Version.parse(server) if server else None,
            database=Version.parse(database) if database else None,
        )
        return Customer(host=self.hosts[name], packaged=self.packaged).install(pair)

    def serves(self, name: str) -> bool:
        """Whether the web server of the host is up."""
        answer = self.hosts[name].run("systemctl", "is-active", "fleetdesk-web", check=False)
        return answer.stdout.strip() == "active"

    def shards_ini(self) -> str:
        """The shards by address, so that a program outside of the hosts finds them too."""
        return REFRESH + "".join(map(self._shard_ini, SHARDS))

    def _shard_ini(self, name: str) -> str:
        return f"[{name}]\ndsn = host={self.hosts[name].address} dbname=fleetdesk user=fleetdesk\n"

    def plan(self, directory: Path, *options: str) -> Result:
        """Run `interlock plan` on the control node, about what the ledgers say."""
        shards = self.node.home / "shards.ini"
        shards.write_text(self.shards_ini())
        shards.chmod(0o600)
        words = ("plan", str(ROOT / "release-specs/fleetdesk"), "--shards", str(shards))
        export = ("--export", "ansible", "--output", str(directory))
        program = (sys.executable, "-m", "toolchain", *words, *export, *options)
        return self.node.station.run(*program, env={"PYTHONPATH": str(ROOT)})

    def _release(self, name: str, package: str) -> str | None:
        version = self.hosts[name].installed(package)
        return version and version.removesuffix("-1")

    def prepare(self, name: str) -> None:
        """Bring one host to 4.0.0, as an installer leaves it."""
        if name in SHARDS:
            self._prepare_shard(name)
        else:
            self.prepare_server(name)

    def _prepare_shard(self, name: str) -> None:
        host = self.hosts[name]
        host.sql("postgres", "CREATE ROLE fleetdesk LOGIN")
        host.sql("postgres", "CREATE DATABASE fleetdesk OWNER fleetdesk")
        self.install(name, database="4.0.0")
        own = REFRESH + self._shard_ini(name)
        host.write(f"/etc/{DATABASE}/shards.ini", own, mode=0o640)
        done = host.run(DATABASE, "apply", check=False)
        assert done.returncode == 0, done

    def prepare_server(self, name: str) -> None:
        """Install a server 4.0.0 that serves the lab from all shards, now and at each boot."""
        host = self.hosts[name]
        done = self.install(name, server="4.0.0")
        assert host.installed(SERVER) == "4.0.0-1", done
        host.write(f"/etc/{SERVER}/shards.ini", self.shards_ini(), mode=0o640)
        host.run("chgrp", "fleetdesk", f"/etc/{SERVER}/shards.ini")
        settings = "/etc/fleetdesk/fleetdesk.ini"
        host.run("sed", "-i", "s/^#* *address *=.*/address = 0.0.0.0/", settings)
        host.run("systemctl", "enable", "fleetdesk-web", "fleetdesk-worker")
        host.run("systemctl", "restart", "fleetdesk-web", "fleetdesk-worker")
        wait_until(lambda: self.serves(name), f"fleetdesk-web on {name}")
        # What the agent's timer does within minutes.
        sync = (SERVER, "sync")
        wait_until(lambda: host.run(*sync, check=False).returncode == 0, f"the agent of {name}")

    @contextmanager
    def load(self) -> Iterator[Balancer]:
        """Let a client use the servers of the inventory from the control node."""
        servers = {name: self.hosts[name].address for name in SERVERS}
        with balanced(self.node.station, self.node.home / "balancer", servers) as balancer:
            yield balancer


def build_site(lab: Lab, packaged: Packaged, home: Path) -> Site:
    """Boot all hosts, and bring the product to 4.0.0 on all but the forgotten one."""
    names = (*SHARDS, *SERVERS, FORGOTTEN)
    with ThreadPoolExecutor(len(names)) as executor:
        booted = executor.map(partial(boot, lab, packaged), names)
        hosts = dict(zip(names, booted, strict=True))
        node = ControlNode(station=lab.station("control"), home=home)
        node.admit(hosts.values())
        site = Site(hosts=hosts, node=node, packaged=packaged)
        # A server without any shard that answers does not start.
        for group in (SHARDS, SERVERS):
            list(executor.map(site.prepare, group))
    return site


def boot(lab: Lab, packaged: Packaged, name: str) -> Host:
    """Boot one host that knows the packages and that Ansible takes for what it stands for."""
    packaging = {**SHARDS, **SERVERS}.get(name, Packaging.DEB)
    layer, postgres = LAYERS[packaging], name in SHARDS
    host = lab.host(name, tree=TREES[packaging], postgres=postgres, layer=layer)
    if packaging is Packaging.RPM:
        for path, text in _RHEL.items():
            host.write(path, text)
    host.add_repository(packaged.directory)
    return host
