"""An exported rollout, run by real ansible-core on stub hosts: it stops, resumes, and asks a yes.

tests/hosts runs the same on booted hosts, with real packages.
"""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.unit.fleet.ansible_site import Site, add_host, make_site

INVENTORY = """\
product: fleetdesk
servers: [{hosts: [web1, web2, web3], version: 4.1.1}]
shards:
  - {name: north, host: db1, release: 4.1.0, contracted: false}
  - {name: south, host: db1, release: 4.1.0, contracted: false}
"""
SERVERS, CONTRACT = "waves/01-servers-4.2.0.yml", "waves/02-shards-4.2.0-contract.yml"
ONE_OF_EACH = ("--limit", "web1,db1")
WEB = {"fleetdesk-web.service": True, "fleetdesk-worker.service": True}
DATABASE = {"fleetdesk-database": "4.2.0-1"}
SERVER = {"fleetdesk-server": "4.2.0-1"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Every package is there already, so that neither apt nor dnf is needed."""
    root = tmp_path_factory.mktemp("site")
    product = shutil.copytree(REPOSITORY / "release-specs/fleetdesk", root / "fleetdesk")
    spec = product / "4.2.0.yaml"
    canary = f"{{{{ lookup('pipe', 'touch {root}/canary') }}}}"
    health = f'health: {{command: [/bin/true, "{canary}"], timeout: 1}}'
    text = re.sub(r"health: \{[^}]*\}", health, spec.read_text(), count=1)
    assert text != spec.read_text()
    spec.write_text(text)
    site = make_site(root, product, INVENTORY, "--to", "4.2.0")
    add_host(site, "db1", packages=DATABASE)
    for host in ("web1", "web2", "web3"):
        add_host(site, host, packages=SERVER, active=WEB)
    return site


def changed(recap: str) -> list[str]:
    return re.findall(r"^(\S+) .*changed=[1-9]", recap, re.MULTILINE)


def test_the_first_failure_stops_all_that_comes_after(site: Site):
    site.set("web2", active={**WEB, "fleetdesk-web.service": False})
    one_by_one = ("-e", "interlock_serial=1", "-e", "interlock_health_timeout=1")
    run = site.play(*one_by_one, book=SERVERS)
    assert run.returncode != 0
    assert "fleetdesk-web.service does not run on web2" in run.stdout
    assert site.ran("web1", "systemctl show")
    assert not site.ran("web3", "systemctl show")
    site.set("web2", active=WEB)


def test_the_law_stops_a_wave_before_any_host_of_it_moves(site: Site):
    # It fits where it is: the shards refuse only the release to come.
    site.set("web3", refused="south: it has schema 11", packages={"fleetdesk-server": "4.1.1-1"})
    before = len(site.ran("web1", "systemctl"))
    run = site.play("--limit", "web1,web3", book=SERVERS)
    assert run.returncode != 0
    assert "web3 may not go to fleetdesk-server 4.2.0-1: south: it has schema 11" in run.stdout
    assert len(site.ran("web1", "systemctl")) == before
    site.set("web3", refused="", packages=SERVER)


def test_check_changes_nothing(site: Site):
    run = site.play("--check", *ONE_OF_EACH)
    assert run.returncode == 0, run.stdout
    assert not changed(run.stdout)
    assert not site.ran("db1", "fleetdesk-database apply")


def test_a_contract_wants_a_yes_and_a_second_run_changes_nothing(site: Site):
    # The play is for good for two releases; a yes to one of them is none.
    run = site.play("-e", "confirm_contract=4.1.0", book=CONTRACT)
    assert run.returncode != 0
    assert "run the same command again with -e confirm_contract=yes" in run.stdout
    assert not site.ran("db1", "fleetdesk-database apply")
    run = site.play("-e", "confirm_contract=yes", book=CONTRACT)
    assert run.returncode == 0, run.stdout
    (apply,) = site.ran("db1", "fleetdesk-database apply")
    assert "--to 4.2.0 --phase contract --shard north --shard south" in apply
    assert changed(run.stdout) == ["db1"]
    run = site.play(*ONE_OF_EACH)
    assert run.returncode == 0, run.stdout
    assert not changed(run.stdout)


def test_a_blocked_contract_names_the_server(site: Site):
    site.set("db1", done=[], blocked=["web 4.0.0 on web9 (seen 1min ago)"])
    run = site.play("-e", "confirm_contract=yes", book=CONTRACT)
    assert run.returncode != 0
    assert "is blocked by web 4.0.0 on web9" in run.stdout


def test_an_inventory_of_another_plan_is_refused(site: Site, tmp_path: Path):
    other = tmp_path / "inventory.yml"
    text = (site.export / "inventory.yml").read_text()
    other.write_text(re.sub(r"interlock_inventory: .*", "interlock_inventory: x", text))
    run = site.play("-i", str(other))
    assert run.returncode != 0
    assert "export the plan again" in run.stdout


def test_no_text_of_a_spec_is_taken_for_a_template(site: Site):
    # Run last: every play of this module has seen the spec's health check.
    assert "touch" in (site.export / "waves/01-servers-4.2.0.yml").read_text()
    assert not (site.root / "canary").exists()
    assert json.loads((site.root / "web1.json").read_text())["log"]
