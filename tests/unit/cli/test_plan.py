"""`interlock plan`: answers, exit codes, and what it refuses."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import REPOSITORY, Interlock
from tests.unit.spec.chains import R, chain
from tests.unit.spec.sample import write

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"
OLD = """\
product: fleetdesk
servers: [{hosts: [web1, web2], version: 3.9.0}]
shards: [{name: north, release: 3.9.0}, {name: south, schema: 10}]
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "inventory.yaml"
    path.write_text(OLD)
    return path


def test_the_table_tells_waves_stops_and_the_point_of_no_return(
    interlock: Interlock, inventory: Path
):
    run = interlock("plan", FLEETDESK, "--inventory", inventory)
    assert run.returncode == 0, run.stderr
    assert "fleetdesk to 4.3.0: 5 waves for 2 servers and 2 shards" in run.stdout
    assert "POINT OF NO RETURN" in run.stdout
    assert "run 'fleetdesk-server sync' on its host" in run.stdout
    assert "release-specs/fleetdesk/4.1.0.yaml:" in run.stdout


def test_json_in_both_spellings(interlock: Interlock, inventory: Path):
    one = interlock("plan", FLEETDESK, "--inventory", inventory, "--json")
    other = interlock("plan", FLEETDESK, "--inventory", inventory, "--format", "json")
    assert one.stdout == other.stdout
    answer = json.loads(one.stdout)
    assert [wave["side"] for wave in answer["waves"]][0] == "shards"
    assert answer["fleet"]["servers"][0]["origin"].startswith(str(inventory))
    assert answer["waves"][1]["run_before"] == ["fleetdesk-server", "sync"]


def test_the_picture(interlock: Interlock, inventory: Path):
    run = interlock("plan", FLEETDESK, "--inventory", inventory, "--format", "svg")
    assert ElementTree.fromstring(run.stdout).tag.endswith("svg")  # noqa: S314 - our own text


def test_nothing_to_do(interlock: Interlock, inventory: Path):
    run = interlock("plan", FLEETDESK, "--inventory", inventory, "--to", "3.9.0")
    assert run.returncode == 0
    assert run.stdout.startswith("Nothing to do")


def test_the_point_of_no_return_names_what_has_no_undo(interlock: Interlock, tmp_path: Path):
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",)),
        "1.1.0": R(schema=2, steps=("expand:stamp",), forms={"stamp": "both"}),
        "1.2.0": R(schema=2, withdrawn="Loses cents."),
    }
    write(tmp_path / "demo", chain(releases))
    (tmp_path / "fleet.yaml").write_text(
        "product: demo\nservers: [{host: web1, version: 1.0.0}]\n"
        "shards: [{name: north, release: 1.0.0}]\n"
    )
    run = interlock("plan", "demo", "--inventory", "fleet.yaml")
    assert "for 1.1.0 cannot be undone (no undo: stamp.expand of 1.1.0)." in run.stdout
    refused = interlock("plan", "demo", "--inventory", "fleet.yaml", "--to", "1.2.0")
    assert "1.2.0 is withdrawn: Loses cents; choose among 1.0.0, 1.1.0" in refused.stderr


def test_a_fleet_that_is_not_legal_exits_with_1(interlock: Interlock, inventory: Path):
    inventory.write_text(OLD.replace("schema: 10", "release: 4.2.0"))
    run = interlock("plan", FLEETDESK, "--inventory", inventory)
    assert run.returncode == 1
    assert "server 3.9.0 on web1, web2 does not fit shards south" in run.stdout
    picture = interlock("plan", FLEETDESK, "--inventory", inventory, "--format", "svg")
    assert picture.returncode == 1
    assert picture.stdout == ""
    assert "does not fit" in picture.stderr


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        ((), 2, "give --inventory FILE or --shards FILE"),
        (("--inventory", "gone.yaml"), 2, "the inventory gone.yaml cannot be read"),
        (("--inventory", "inventory.yaml", "--to", "9.9.9"), 2, "has no release 9.9.9"),
        (("--inventory", "inventory.yaml", "--to", "4.1"), 2, "is not a version"),
        (("--inventory", "inventory.yaml", "--shards", "s.ini"), 2, "one of the two"),
        (("--inventory", "inventory.yaml", "--save-inventory", "x"), 2, "give --shards"),
        (("--shards", "gone.ini"), 2, "cannot read the configuration gone.ini"),
    ],
)
def test_refusals(
    interlock: Interlock, inventory: Path, options: tuple[str, ...], code: int, sentence: str
):
    run = interlock("plan", FLEETDESK, *options)
    assert run.returncode == code
    assert sentence in run.stderr
    assert "Traceback" not in run.stderr


def test_problems_of_the_inventory_are_told_at_once(interlock: Interlock, inventory: Path):
    inventory.write_text(OLD.replace("3.9.0}]", "3.9}]").replace("south", "north"))
    run = interlock("plan", FLEETDESK, "--inventory", inventory)
    assert run.returncode == 3
    assert "2 problems" in run.stderr


def test_a_shards_file_that_others_can_read_is_refused(interlock: Interlock, tmp_path: Path):
    shards = tmp_path / "shards.ini"
    shards.write_text("[north]\ndsn = host=localhost password=hunter2\n")
    shards.chmod(0o644)
    run = interlock("plan", FLEETDESK, "--shards", shards)
    assert run.returncode == 2
    assert "readable by others" in run.stderr
    assert "hunter2" not in run.stderr
    shards.chmod(0o622)
    assert "writable by others" in interlock("plan", FLEETDESK, "--shards", shards).stderr


def test_a_shard_that_cannot_be_reached_is_named(interlock: Interlock, tmp_path: Path):
    shards = tmp_path / "shards.ini"
    shards.write_text("[north]\ndsn = host=127.0.0.1 port=1 dbname=x password=hunter2\n")
    shards.chmod(0o600)
    run = interlock("plan", FLEETDESK, "--shards", shards)
    assert run.returncode == 4
    assert "shard north" in run.stderr
    assert "hunter2" not in run.stderr


def test_a_fleet_above_the_target_is_told_so(interlock: Interlock, inventory: Path):
    inventory.write_text(OLD.replace("3.9.0", "4.1.0").replace("schema: 10", "schema: 12"))
    run = interlock("plan", FLEETDESK, "--inventory", inventory, "--to", "4.0.0")
    assert run.returncode == 0
    assert run.stdout == (
        "Nothing to do: no server and no shard is below 4.0.0. Note that all servers are above it,"
        " at 4.1.0 and all shards are above it, at 4.1.0; Interlock plans upgrades only.\n"
    )


def test_a_shard_that_contradicts_itself_is_not_planned_from(interlock: Interlock, inventory: Path):
    inventory.write_text(OLD.replace("release: 3.9.0}", "release: 3.9.0, schema: 12}"))
    run = interlock("plan", FLEETDESK, "--inventory", inventory)
    assert run.returncode == 3
    assert "3:48: a shard at 3.9.0 has schema 10, not 12" in run.stderr
