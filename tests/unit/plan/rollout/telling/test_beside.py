"""Hosts with both packages: what a plan says where their package manager refuses one of them."""

from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Interlock

HALF = (
    "  wave 1: on db1 apt and dnf refuse database 4.1.0 beside server 3.9.0: run these phases from"
)


def plan(interlock: Interlock, folder: Path, *options: str, host: str) -> str:
    """The plan of one shard whose phases run on a host, beside a server of 3.9.0 on two others."""
    (folder / "fleet.yaml").write_text(
        'product: fleetdesk\nservers: [{hosts: [db1, db2, web1], version: "3.9.0"}]\n'
        f"shards:\n  - {{name: north, host: {host}, release: 4.0.0}}\n"
        f"  - {{name: south, host: {host.replace('1', '2')}, release: 4.0.0}}\n"
    )
    product = str(REPOSITORY / "release-specs/fleetdesk")
    run = interlock("plan", product, "--inventory", folder / "fleet.yaml", *options)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("options", [(), ("--export", "ansible", "--output", "out")])
def test_a_half_state_that_one_host_cannot_hold(
    interlock: Interlock, tmp_path: Path, options: tuple[str, ...]
):
    told = plan(interlock, tmp_path, "--to", "4.2.0", *options, host="db1")
    assert "On hosts with both packages:\n" + HALF in told
    assert "another host (and on 1 more host)" in told
    assert "refuse server 4.1.1 beside database 4.0.0: install database 4.1.0 in the same" in told


def test_phases_that_run_beside_no_server(interlock: Interlock, tmp_path: Path):
    assert "refuse" not in plan(interlock, tmp_path, "--to", "4.2.0", host="hub1")


def test_the_same_as_json(interlock: Interlock, tmp_path: Path):
    told = plan(interlock, tmp_path, "--to", "4.2.0", "--json", host="db1")
    assert '"clashes": [\n    {\n      "database": "4.1.0",\n      "host": "db1",' in told
