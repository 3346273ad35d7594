"""`interlock explain stop`, on the sample product."""

import json
from pathlib import Path

from tests.conftest import REPOSITORY, Interlock
from tests.unit.spec.chains import R, chain

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"


def test_a_stop_has_its_reasons_with_lines(interlock: Interlock):
    run = interlock("explain", "stop", FLEETDESK, "4.0.0", "--from", "3.9.0")
    assert run.returncode == 0
    assert run.stdout.startswith("A rollout from 3.9.0 to 4.3.0 stops at 4.0.0:\n")
    assert "servers rest there before" in run.stdout
    assert "and 3.9.0 is not among them" in run.stdout
    assert ".yaml:" in run.stdout
    answer = interlock("explain", "stop", FLEETDESK, "4.0.0", "--from", "3.9.0", "--json")
    document = json.loads(answer.stdout)
    assert document["is_stop"] is True
    (wave,) = document["waves"]
    assert wave["moves"] == "servers"
    assert all(reason["origin"] for reason in wave["reasons"])


def test_a_release_that_is_passed_by(interlock: Interlock):
    run = interlock("explain", "stop", FLEETDESK, "4.2.0", "--from", "3.9.0")
    assert run.returncode == 1
    assert "needs no stop at 4.2.0: it stops at 4.1.0" in run.stdout
    run = interlock("explain", "stop", FLEETDESK, "4.1.0", "--from", "4.1.0", "--to", "4.1.1")
    assert run.returncode == 1
    assert "it stops nowhere" in run.stdout


def test_it_agrees_with_the_plan(interlock: Interlock, tmp_path):
    """Whatever the plan of such a fleet calls a stop is one here, and nothing else."""
    inventory = tmp_path / "fleet.yaml"
    inventory.write_text(
        'product: fleetdesk\nservers: [{host: web1, version: "3.9.0"}]\n'
        'shards: [{name: north, release: "3.9.0"}]\n'
    )
    plan = json.loads(interlock("plan", FLEETDESK, "--inventory", inventory, "--json").stdout)
    stops = {wave["release"] for wave in plan["waves"] if wave["stop_before"]}
    for version in ("3.9.0", "4.0.0", "4.1.0", "4.1.1", "4.2.0", "4.3.0"):
        run = interlock("explain", "stop", FLEETDESK, version, "--from", "3.9.0")
        assert (run.returncode == 0) == (version in stops), version


def test_unknown_releases(interlock: Interlock):
    for argv in (("9.9.9", "--from", "3.9.0"), ("4.0.0", "--from", "9.9.9"), ("4.0.0",)):
        run = interlock("explain", "stop", FLEETDESK, *argv)
        assert run.returncode == 2
        assert "Traceback" not in run.stderr


def test_down_is_no_rollout(interlock: Interlock):
    run = interlock("explain", "stop", FLEETDESK, "4.1.0", "--from", "4.2.0", "--to", "4.0.0")
    assert run.returncode == 2
    assert "4.0.0 is below 4.2.0; Interlock plans upgrades only" in run.stderr
    assert run.stdout == ""


def test_where_there_is_no_way_the_json_is_that_of_plan(interlock: Interlock, tmp_path: Path):
    files = chain(
        {
            "1.0.0": R(schema=1, steps=("expand:a",)),
            "1.1.0": R(schema=1, day=30),
            "1.0.1": R(schema=1, steps=("expand:fix",), day=45, forms={"fix": "both"}),
            "1.2.0": R(schema=2, steps=("expand:fix",), day=60),
        }
    )
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    argv = ("explain", "stop", tmp_path, "1.1.0", "--from", "1.0.1", "--to", "1.1.0")
    run = interlock(*argv, "--json")
    assert run.returncode == 1, run.stderr
    answer = json.loads(run.stdout)
    assert (answer["result"], answer["target"]) == ("no way", "1.1.0")
    assert answer["exclusion"]
    plain = interlock(*argv)
    assert plain.returncode == 1
    assert "There is no way" in plain.stderr
