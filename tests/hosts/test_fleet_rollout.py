"""A rollout that Ansible carries out: from 4.0.0 to 4.2.0, with all that goes wrong on the way.

Ansible runs on this machine and reaches Debian and rpm hosts over ssh. A client asks the servers
all the time, each request once: whatever happens, none fails and none has to be asked again.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .balancer import Balancer
from .commands import Result
from .control import as_yaml, changes
from .lab import Lab
from .products import Packaged
from .rollout_site import FORGOTTEN, SERVERS, SHARDS, Site, build_site, wait_until

pytestmark = pytest.mark.xdist_group("fleet-rollout")

YES = ("-e", "confirm_contract=yes")
# Of three servers one always serves; shards need not wait for each other.
BY_TWO = ("-e", "interlock_serial=2")
# Debian's scripts ask this program before they start a service. Here they stop for ever, once:
# that is when the power of the host fails.
TRAP = """\
#!/bin/sh
if [ "$DPKG_MAINTSCRIPT_NAME" = postinst ] && rm /srv/trap; then
    touch /srv/middle
    exec sleep infinity
fi
"""
BROKEN = "/etc/systemd/system/fleetdesk-web.service.d/broken.conf"


class Rollout:
    """The exported directory, as an operator has completed it."""

    def __init__(self, site: Site, directory: Path, balancer: Balancer) -> None:
        self.site = site
        self.directory = directory
        done = site.plan(directory, "--to", "4.2.0")
        assert done.returncode == 0, done
        hosts = {name: site.node.connection(site.hosts[name]) for name in (*SHARDS, *SERVERS)}
        drain, undrain = (self._write(f"{name}.yml", tasks) for name, tasks in hooks(balancer))
        everywhere = {
            "interlock_drain": drain,
            "interlock_undrain": undrain,
            "interlock_progress_seconds": 1,
        }
        self._write("group_vars/all.yml", everywhere)
        for name, values in hosts.items():
            self._write(f"host_vars/{name}.yml", values)

    def run(self, *options: str, playbook: str = "rollout.yml") -> Result:
        """Run it to its end."""
        return self.site.node.run(self.directory, *self.words(playbook), *options)

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Run it in the background."""
        return self.site.node.start(self.directory, log, *self.words("rollout.yml"))

    def words(self, playbook: str) -> tuple[str, ...]:
        return ("ansible-playbook", "-i", "inventory.yml", playbook)

    def wave(self, number: int) -> str:
        """The playbook of one wave."""
        (path,) = (self.directory / "waves").glob(f"{number:02}-*.yml")
        return str(path.relative_to(self.directory))

    def _write(self, name: str, value: object) -> str:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(as_yaml(value))
        return str(path)


def hooks(balancer: Balancer) -> Iterator[tuple[str, object]]:
    """The task files that take a host out of the balance and put it back."""
    drained, seen = (
        f"{path}/{{{{ inventory_hostname }}}}" for path in (balancer.drained, balancer.seen)
    )
    for name, state, waited in (("drain", "touch", "present"), ("undrain", "absent", "absent")):
        tasks = (
            {"ansible.builtin.file": {"path": drained, "state": state}},
            {"ansible.builtin.wait_for": {"path": seen, "state": waited}},
        )
        here = {"delegate_to": "localhost", "vars": {"ansible_connection": "local"}}
        yield name, [{**task, **here} for task in tasks]


@pytest.fixture
def site(lab: Lab, fleetdesk: Packaged, tmp_path_factory: pytest.TempPathFactory) -> Site:
    # A short path, for ssh has sockets below it.
    return build_site(lab, fleetdesk, tmp_path_factory.mktemp("site"))


def everything(site: Site) -> dict[str, str]:
    """Whatever an upgrade could change on the hosts, and what the shards say."""
    look = (
        "find /etc /usr/bin /usr/lib/fleetdesk* -type f -exec sha256sum {} + | sort;"
        " dpkg --get-selections; rpm --query --all | sort"
    )
    hosts = {name: site.hosts[name].run("sh", "-c", look).stdout for name in (*SHARDS, *SERVERS)}
    return {**hosts, **{f"shard {name}": said for name, said in site.schemas().items()}}


def at(shards: str, **servers: str | None) -> dict[str, str | None]:
    return {**dict.fromkeys(SHARDS, shards), **servers}


def each(version: str) -> dict[str, str | None]:
    return dict.fromkeys(SERVERS, version)


def test_a_rollout_stops_by_itself_and_goes_on(site: Site) -> None:
    with site.load() as balancer:
        rollout = Rollout(site, site.node.home / "rollout", balancer)
        only_looked_at(rollout)
        out_of_order(rollout)
        loses_a_host(rollout)
        finds_a_forgotten_server(rollout)
        meets_a_server_that_does_not_start(rollout)
        asks_before_it_removes(rollout)
        comes_to_its_end(rollout)
        tally = balancer.tally()
        assert list(balancer.drained.iterdir()) == []
    assert (tally.failed, tally.retried) == ((), ())
    assert tally.done > 100


def only_looked_at(rollout: Rollout) -> None:
    before = everything(rollout.site)
    done = rollout.run("--check")
    assert done.returncode == 0, done
    assert everything(rollout.site) == before


def out_of_order(rollout: Rollout) -> None:
    """A wave of servers before the shards have gone: the ledgers say no."""
    done = rollout.run(playbook=rollout.wave(2))
    assert done.returncode == 2, done
    assert "schema" in done.stdout, done
    assert rollout.site.versions() == at("4.0.0", **each("4.0.0")), done


def loses_a_host(rollout: Rollout) -> None:
    """In the middle of a package's scripts the power fails; no other host goes on."""
    site = rollout.site
    host = site.hosts["web2"]
    host.write("/usr/sbin/policy-rc.d", TRAP, mode=0o755)
    host.write("/srv/trap", "")
    log = site.node.home / "log"
    with rollout.start(log) as run:
        wait_until(lambda: host.exists("/srv/middle") or run.poll() is not None, "web2 is upgraded")
        host.kill()
        assert run.wait(1800) != 0, log.read_text()
    told = log.read_text()
    assert changes(told)["web2"]["unreachable"] == 1, told
    host.start()
    assert host.run("dpkg", "--audit").stdout != ""
    assert site.versions() == at("4.1.0", web1="4.1.1", web2=None, web3="4.0.0"), told
    assert site.serves("web3")


def finds_a_forgotten_server(rollout: Rollout) -> None:
    """The same command goes on; a server that came after the plan keeps out what it does not fit."""
    site = rollout.site
    site.prepare_server(FORGOTTEN)
    done = rollout.run(*BY_TWO)
    assert done.returncode == 2, done
    for word in (FORGOTTEN, "4.0.0"):
        assert word in done.stdout.partition("Wave 3")[2], done
    assert site.versions() == at("4.1.0", **each("4.1.1")), done
    assert site.hosts["web2"].run("dpkg", "--audit").stdout == ""
    # A server that is stopped takes its leave of the shards.
    site.hosts[FORGOTTEN].poweroff()


def meets_a_server_that_does_not_start(rollout: Rollout) -> None:
    """It is the first of its wave, and stays the only one."""
    site = rollout.site
    host = site.hosts["web1"]
    host.write(BROKEN, "[Service]\nExecStartPre=/bin/false\n")
    host.run("systemctl", "daemon-reload")
    done = rollout.run("-e", "interlock_health_timeout=3", playbook=rollout.wave(3))
    assert done.returncode == 2, done
    assert changes(done.stdout)["web1"]["failed"] == 1, done
    assert "fleetdesk-web.service does not run on web1" in done.stdout, done
    assert site.versions() == at("4.1.0", web1="4.2.0", web2="4.1.1", web3="4.1.1"), done
    host.run("rm", BROKEN)
    host.run("systemctl", "daemon-reload")


def asks_before_it_removes(rollout: Rollout) -> None:
    """A run of the waves that are left ends this one; what cannot be undone waits for a yes."""
    site, before = rollout.site, rollout.site.schemas()
    done = rollout.run(*BY_TWO, "--tags", "wave-3,wave-4")
    assert done.returncode == 2, done
    assert "confirm_contract=yes" in done.stdout, done
    assert {name: site.versions()[name] for name in SERVERS} == each("4.2.0"), done
    assert site.schemas() == before, done


def comes_to_its_end(rollout: Rollout) -> None:
    """The last wave removes what nobody uses; after that there is nothing to do."""
    site = rollout.site
    done = rollout.run(*YES, playbook=rollout.wave(4))
    assert done.returncode == 0, done
    assert set(site.schemas().values()) == {"13 accepts 4.1.0"}, done
    assert site.versions() == at("4.2.0", **each("4.2.0")), done
    assert all(site.serves(name) for name in SERVERS)
    again = rollout.run(*BY_TWO)
    assert again.returncode == 0, again
    changed = {name: counts["changed"] for name, counts in changes(again.stdout).items()}
    assert changed == dict.fromkeys((*SHARDS, *SERVERS), 0), again
