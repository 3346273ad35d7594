"""Plans from live ledgers: read from real shards, and carried out by the real phase runner."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.postgres.runner.packages import Package, Server, release, step
from tests.unit.plan.rollout import samples
from tests.unit.plan.rollout.samples import V
from toolchain.edge.ledger import read_ledgers
from toolchain.edge.ledger_config import read_addresses
from toolchain.errors import InterlockError, ToolError
from toolchain.fleet.ledgers import fleet_of
from toolchain.model.release import RolloutPolicy
from toolchain.plan.rollout.planner import plan_rollout
from toolchain.plan.rollout.telling.waves import Part, Plan
from toolchain.plan.rollout.world.facts import Chain
from toolchain.plan.rollout.world.inventory import Side
from toolchain.plan.rollout.world.shard import Stage
from toolchain.render.inventory import inventory_yaml
from toolchain.spec.inventory.check import check_inventory

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

# A column is renamed: both there from 1.1, the old one gone with 1.2; 2.0 goes further.
CHAIN = Chain.of(
    [
        samples.release("1.0.0", 1, 1, "base.expand", peers=">= 1.0.0", servers=">= 1.0.0"),
        samples.release("1.1.0", 2, 2, "mail.expand", peers=">= 1.0.0", servers=">= 1.0.0"),
        samples.release(
            "1.2.0", 3, 3, "mail.contract", schemas=">= 2", peers=">= 1.1.0", servers=">= 1.1.0"
        ),
        samples.release(
            "2.0.0", 4, 4, "note.expand", peers=">= 1.2.0", servers=">= 1.2.0"
        ),
    ]
)  # fmt: skip
SQL = {
    "base.expand": "CREATE TABLE account (id bigint PRIMARY KEY, e_mail text);",
    "mail.expand": "ALTER TABLE account ADD mail text;",
    "mail.contract": "ALTER TABLE account DROP e_mail;",
    "note.expand": "ALTER TABLE account ADD note text;",
}
SHARDS = ("north", "south")


@pytest.fixture
def dsns(make_database: "Callable[[], Database]") -> dict[str, str]:
    return {name: make_database().dsn for name in SHARDS}


@pytest.fixture
def package(tmp_path: Path, dsns: dict[str, str]) -> Package:
    releases = [
        release(
            str(facts.version),
            facts.shard.schema,
            *(step(one.id, SQL[one.id]) for one in facts.steps),
            oldest=str(facts.shard.servers.oldest),
        )
        for facts in CHAIN.releases
    ]
    return Package(tmp_path / "database", releases, dsns)


def server(tmp_path: Path, dsns: dict[str, str], host: str, version: str) -> Server:
    facts = CHAIN.at(V(version))
    return Server(
        tmp_path / f"{host}-{version}",
        version,
        dsns,
        host=host,
        oldest_schema=facts.server.schemas.oldest,
        oldest_peer=str(facts.server.peers.oldest),
    )


def test_a_plan_from_live_ledgers_is_carried_out_and_the_gate_never_blocks(
    tmp_path: Path, dsns: dict[str, str], package: Package
):
    package.done("apply", "--to", "1.0.0", "--phase", "contract", "--create")
    hosts = ("web1", "web2")
    for host in hosts:
        assert server(tmp_path, dsns, host, "1.0.0").run("register").code == 0

    def standing():  # type: ignore[no-untyped-def]
        return fleet_of(read_ledgers(read_addresses(package.config), "fleetdesk"), CHAIN)

    fleet = standing()
    assert [(one.host, str(one.version)) for one in fleet.servers] == [
        ("web1", "1.0.0"),
        ("web2", "1.0.0"),
    ]
    plan = plan_rollout(CHAIN, fleet, V("2.0.0"), RolloutPolicy.DATABASE_FIRST)
    assert isinstance(plan, Plan)
    assert len(plan.waves) == 5
    for wave in plan.waves:
        names = [name for move in wave.moves for name in move.names]
        for name in names:
            if wave.side is Side.SHARDS:
                phase = "migrate" if wave.part is Part.PREPARE else "contract"
                to = ("--to", str(wave.release), "--phase", phase, "--shard", name)
                package.done("apply", *to)
            else:
                run = server(tmp_path, dsns, name, str(wave.release)).run("register")
                assert run.code == 0, run.err
        # What the ledgers say after a wave is what the plan said they would.
        after = plan_rollout(CHAIN, standing(), V("2.0.0"), RolloutPolicy.DATABASE_FIRST)
        assert isinstance(after, Plan)
        assert len(after.waves) == len(plan.waves) - wave.number


def test_half_a_release_is_read_and_written_down(
    tmp_path: Path, dsns: dict[str, str], package: Package
):
    package.done("apply", "--to", "1.1.0", "--create")
    package.done("apply", "--to", "1.2.0", "--shard", "south")
    fleet = fleet_of(read_ledgers(read_addresses(package.config), "fleetdesk"), CHAIN)
    north, south = fleet.shards
    assert (north.state.release, north.state.stage) == (V("1.1.0"), Stage.CLOSED)
    assert (south.state.release, south.state.stage) == (V("1.2.0"), Stage.READY)
    assert str(south.state.handshake.servers) == ">= 1.0.0"
    text = inventory_yaml("fleetdesk", fleet)
    checked = check_inventory("saved.yaml", text.encode(), "fleetdesk", CHAIN)
    assert checked.fleet == fleet


def test_a_server_in_the_middle_of_a_restart_counts_with_its_old_version(
    tmp_path: Path, dsns: dict[str, str], package: Package
):
    package.done("apply", "--to", "1.1.0", "--create")
    north = {"north": dsns["north"]}
    assert server(tmp_path, dsns, "web1", "1.0.0").run("register").code == 0
    assert server(tmp_path / "new", north, "web1", "1.1.0").run("register").code == 0
    fleet = fleet_of(read_ledgers(read_addresses(package.config), "fleetdesk"), CHAIN)
    assert {str(one.version) for one in fleet.servers} == {"1.0.0"}


def test_every_shard_that_cannot_be_read_is_named(
    tmp_path: Path, dsns: dict[str, str], package: Package
):
    with pytest.raises(ToolError, match=r"shard north has no ledger; shard south has no ledger"):
        read_ledgers(read_addresses(package.config), "fleetdesk")
    package.done("apply", "--to", "1.0.0", "--create", "--shard", "north")
    with pytest.raises(ToolError, match="shard south has no ledger"):
        read_ledgers(read_addresses(package.config), "fleetdesk")
    with pytest.raises(ToolError, match="shard north has no ledger of other"):
        read_ledgers(read_addresses(package.config), "other")


def test_a_release_that_the_product_does_not_have_is_an_error(
    dsns: dict[str, str], package: Package
):
    package.done("apply", "--create")
    older = Chain.of(CHAIN.releases[:-1])
    readings = read_ledgers(read_addresses(package.config), "fleetdesk")
    with pytest.raises(InterlockError, match=r"is at release 2\.0\.0, which the product"):
        fleet_of(readings, older)


def test_the_command_reads_saves_and_plans_the_same(
    dsns: dict[str, str], package: Package, tmp_path: Path
):
    from tests.conftest import REPOSITORY, run_interlock

    product = REPOSITORY / "release-specs/fleetdesk"
    releases = [release("3.9.0", 10, step("inventory.expand", "SELECT 1"), oldest="3.9.0")]
    site = Package(tmp_path / "fleetdesk", releases, dsns)
    site.done("apply", "--create", "--phase", "contract")
    saved = tmp_path / "inventory.yaml"
    live = run_interlock(
        tmp_path, "plan", product, "--shards", site.config, "--save-inventory", saved, "--json"
    )
    assert live.returncode == 0, live.stderr
    again = run_interlock(tmp_path, "plan", product, "--inventory", saved, "--json")
    one, other = json.loads(live.stdout), json.loads(again.stdout)
    assert one["waves"] == other["waves"]
    assert saved.read_text().startswith("# Read from the ledgers of ")
