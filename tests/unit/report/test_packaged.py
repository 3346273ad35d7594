"""Built packages in a report: their relations by a solver, their sums, and what they say otherwise."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.conftest import run_interlock
from tests.samples import write_product


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product with the packages of specs that let more in than its specs now do."""
    root = tmp_path_factory.mktemp("packaged")
    product = write_product(root / "demo", 3)
    spec = product / "1.2.0.yaml"
    strict = spec.read_text()
    spec.write_text(strict.replace('servers: ">= 1.1.0"', 'servers: ">= 1.0.0"'))
    done = run_interlock(root, "build", "demo", "--output", "packages")
    assert done.returncode == 0, done.stderr
    spec.write_text(strict)
    return root


def test_packages_that_let_in_what_is_refused_are_found(built: Path):
    done = run_interlock(built, "report", "demo", "--packages", "packages", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["views"]["declared"][0] == ["fits", "fits", "no"]
    assert document["views"]["packages"][0] == ["fits", "fits", "fits"]
    assert document["views"]["packages"][1:] == document["views"]["declared"][1:]
    (broken,) = [one for one in document["differences"] if one["kind"] == "broken"]
    assert (broken["server"], broken["release"]) == ("1.0.0", "1.2.0")
    facts = document["reasons"][broken["reason"]]["facts"]
    assert [fact["sentence"] for fact in facts] == [
        "The deb and rpm packages of server 1.0.0 and database 1.2.0 install together, and the specs"
        " refuse the pair."
    ]


def test_each_release_has_its_packages_with_sums_and_relations(built: Path):
    done = run_interlock(
        built, "report", "demo", "--packages", "packages", "--json", "--output", "page.html"
    )
    newest = json.loads(done.stdout)["sections"][0]
    packages = {package["name"]: package for package in newest["packages"]}
    assert len(packages) == 4
    deb = packages["demo-database_1.2.0-1_all.deb"]
    content = (built / "packages/demo-database_1.2.0-1_all.deb").read_bytes()
    assert deb["sha256"] == hashlib.sha256(content).hexdigest()
    assert deb["size"] == len(content)
    assert "Conflicts: demo-server < 1.0.0" in deb["relations"]
    assert deb["says"] == (
        "Its release.json says other windows than the spec: schemas >= 12, servers beside it"
        " >= 1.1.0, schema 12 for servers >= 1.0.0."
    )
    page = (built / "page.html").read_text()
    assert deb["sha256"] in page
    assert "Do not release" in page


def test_a_directory_without_packages_is_no_input(built: Path):
    done = run_interlock(built, "report", "demo", "--packages", "demo", "--output", "x.html")
    assert done.returncode == 2
    assert "holds no deb and no rpm" in done.stderr
    assert not (built / "x.html").exists()
