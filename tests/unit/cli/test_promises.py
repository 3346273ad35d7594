"""`check --policy`, `check --published` and `explain change`, on the sample and its packages."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Interlock, run_interlock
from tests.unit.spec.chains import R, chain
from tests.unit.spec.sample import write

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's packages in both formats, as customers have them."""
    dist = tmp_path_factory.mktemp("published")
    built = run_interlock(dist.parent, "build", FLEETDESK, "--output", dist)
    assert built.returncode == 0, built.stderr
    return dist


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FLEETDESK, tmp_path / "fleetdesk"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_what_is_published_is_what_the_specs_say(interlock: Interlock, packages: Path):
    run = interlock("check", FLEETDESK, "--published", packages)
    assert (run.returncode, run.stdout) == (0, "")


def test_a_spec_that_differs_from_its_package(interlock: Interlock, packages: Path, copy: Path):
    change(copy / "4.1.1.yaml", '>= 4.0.0"}', '>= 4.1.0"}')
    change(copy / "4.0.0.yaml", 'peers: ">= 3.9.0"', 'peers: ">= 3.8.0"')
    change(copy / "sql/11-os-name.sql", "-- os becomes", "-- The column os becomes")
    run = interlock("check", copy, "--published", packages, "--json")
    assert run.returncode == 1
    found = {
        (Path(problem["file"]).name, problem["code"]): problem
        for problem in json.loads(run.stdout)["problems"]
    }
    assert sorted(found) == [
        ("4.0.0.yaml", "published-differs"),
        ("4.0.0.yaml", "published-step"),
        ("4.1.1.yaml", "published-differs"),
    ]
    # Both formats are named; they say the same.
    endings = [place["file"][-4:] for place in found["4.1.1.yaml", "published-differs"]["related"]]
    assert sorted(endings) == [".deb", ".rpm"]


def test_a_release_whose_spec_is_gone_is_still_a_fact(
    interlock: Interlock, packages: Path, copy: Path, tmp_path: Path
):
    """Without 4.1.1's spec, its published pair keeps 4.2.0 from leaving it out."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for package in packages.glob("*4.1.1*"):
        shutil.copy(package, shelf)
    (copy / "4.1.1.yaml").unlink()
    change(copy / "4.2.0.yaml", 'peers: ">= 4.1.0"', 'peers: ">= 4.1.2"')
    run = interlock("check", copy, "--published", shelf)
    assert run.returncode == 1
    assert "leaves out server 4.1.1, and 4.1.1 and 4.2.0 meet in an upgrade" in run.stdout


def test_packages_of_strangers_do_not_matter(
    interlock: Interlock, packages: Path, tmp_path: Path, stranger: Path
):
    shelf = Path(shutil.copytree(packages, tmp_path / "shelf"))
    shutil.copy(stranger, shelf)
    assert interlock("check", FLEETDESK, "--published", shelf).returncode == 0


@pytest.mark.parametrize(
    ("conflicts", "release", "words"),
    [
        ("fleetdesk-schema (<< 9), fleetdesk-schema (>= 3)", "{}", "conflicts with every"),
        ("fleetdesk-schema", "{}", "conflicts with every fleetdesk-schema"),
        ("fleetdesk-schema (<= 9)", "{}", "conflicts with fleetdesk-schema <= 9"),
        ("fleetdesk-schema (<< 1.5)", "{}", "'1.5' is not a schema version"),
        ("fleetdesk-schema (<< 9)", "[" * 100_000, "recursion"),
        ("fleetdesk-schema (<< 9)", "{}", "release.json"),
    ],
)
def test_odd_packages_are_one_sentence(
    interlock: Interlock, tmp_path: Path, conflicts: str, release: str, words: str
):
    shelf = tmp_path / "shelf"
    odd_deb(shelf, "fleetdesk-server", conflicts, release)
    run = interlock("check", FLEETDESK, "--published", shelf)
    assert run.returncode == 2
    assert words in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_an_odd_manifest_is_one_sentence(interlock: Interlock, tmp_path: Path):
    shelf = tmp_path / "shelf"
    odd_deb(
        shelf, "fleetdesk-database", "fleetdesk-server (<< 4.0.0)", None,
        manifest="[" * 100_000, provides="fleetdesk-schema (= 12)",
    )  # fmt: skip
    run = interlock("check", FLEETDESK, "--published", shelf)
    assert run.returncode == 2
    assert "has a manifest that can't be read" in run.stderr


def odd_deb(
    shelf: Path,
    name: str,
    conflicts: str,
    release: str | None,
    *,
    manifest: str | None = None,
    provides: str = "",
    version: str = "4.1.0-1",
) -> Path:
    """A package by dpkg-deb that no builder would make."""
    tree = shelf.parent / f"tree-{name}"
    (tree / "DEBIAN").mkdir(parents=True)
    fields = [
        f"Package: {name}", f"Version: {version}", "Architecture: all", "Maintainer: X <x@y.z>",
        "Description: odd", *([f"Provides: {provides}"] if provides else []),
        *([f"Conflicts: {conflicts}"] if conflicts else []),
    ]  # fmt: skip
    (tree / "DEBIAN/control").write_text("\n".join(fields) + "\n")
    share = tree / f"usr/share/{name}"
    share.mkdir(parents=True)
    for file, text in (("release.json", release), ("manifest.json", manifest)):
        if text is not None:
            (share / file).write_text(text)
    shelf.mkdir(exist_ok=True)
    target = shelf / f"{name}_{version}_all.deb"
    subprocess.run(
        ("dpkg-deb", "--root-owner-group", "--build", str(tree), str(target)),
        check=True,
        capture_output=True,
    )
    return target


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    return odd_deb(tmp_path / "strangers", "geo-database", "", None, version="1.2.3")


def test_a_repository_of_another_product(interlock: Interlock, packages: Path, tmp_path: Path):
    demo = write(tmp_path / "demo", chain({"1.0.0": R(schema=1, steps=("expand:start",))}))
    run = interlock("check", demo, "--published", packages)
    assert run.returncode == 2
    assert "holds no package of demo; name the one" in run.stderr


def test_damaged_and_foreign_packages(interlock: Interlock, packages: Path, tmp_path: Path):
    whole = next(packages.glob("fleetdesk-database_4.1.0*.deb"))
    (tmp_path / whole.name).write_bytes(whole.read_bytes()[:900])
    run = interlock("check", FLEETDESK, "--published", tmp_path)
    assert run.returncode == 2
    assert "is damaged" in run.stderr
    assert "Traceback" not in run.stderr
    (tmp_path / whole.name).unlink()
    run = interlock("check", FLEETDESK, "--published", tmp_path)
    assert run.returncode == 2
    assert "holds no deb and no rpm" in run.stderr


def test_policies_in_both_forms(interlock: Interlock):
    answer = json.loads(interlock("check", FLEETDESK, "--policy", "--json").stdout)
    split = next(row for row in answer["changes"] if row["change"] == "split-host")
    assert split["policies"]["database-first"]["both_forms"] == []
    assert split["policies"]["any-order"]["both_forms"] == ["4.1.0"]
    assert split["policies"]["any-order"]["single_form"] == "4.1.1"
    text = interlock("check", FLEETDESK, "--policy")
    assert text.returncode == 0
    assert "database-first: no server carries two forms" in text.stdout
    assert "split-host" in text.stdout
    assert interlock("check", FLEETDESK, "--policy", "--format", "sarif").returncode == 2


def test_problems_come_before_policies(interlock: Interlock, copy: Path):
    change(copy / "4.1.0.yaml", 'schema: ">= 12"', 'schema: ">= 11"')
    run = interlock("check", copy, "--policy")
    assert run.returncode == 1
    assert "window-too-wide" in run.stdout


def test_why_an_old_form_may_not_go_yet(interlock: Interlock, tmp_path: Path):
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",)),
        "2.0.0": R(schema=2, steps=("expand:split",)),
    }
    demo = write(tmp_path, chain(releases, skew=2))
    run = interlock("explain", "change", demo, "split")
    assert run.returncode == 1
    assert "may not be dropped by the next release, which must bear (skew 2):" in run.stdout
    assert "server 1.0.0 uses the old form alone (" in run.stdout
    assert "1.0.0.yaml:10:" in run.stdout
    assert "after one more release" in run.stdout
    answer = json.loads(interlock("explain", "change", demo, "split", "--json").stdout)
    assert answer["releases_to_wait"] == 1
    assert [use["server"] for use in answer["blocking"]] == ["1.0.0"]
    gone = interlock("explain", "change", FLEETDESK, "split-host")
    assert gone.returncode == 0
    assert "Its old form is gone from shards at 4.2.0 or later" in gone.stdout
    unknown = interlock("explain", "change", FLEETDESK, "split-hots")
    assert unknown.returncode == 2
    assert "has no change 'split-hots'; its changes are" in unknown.stderr


def test_a_hint_is_told_and_no_problem(interlock: Interlock, copy: Path):
    change(copy / "4.2.0.yaml", 'schema: ">= 12"', 'schema: ">= 13"')
    run = interlock("check", copy)
    assert run.returncode == 0
    assert "hint: the window '>= 13' could begin at '>= 12'" in run.stdout
    assert run.stdout.endswith("1 hint\n")


def test_derived_windows_left_out_packages_and_withdrawn_releases(
    interlock: Interlock, tmp_path: Path
):
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",)),
        "1.0.1": R(schema=1, package=False),
        "1.1.0": R(schema=2, steps=("expand:split",), withdrawn="Loses jobs."),
        "1.1.1": R(schema=2),
    }
    demo = write(tmp_path / "demo", chain(releases))
    shown = interlock("show", demo)
    assert "(derived)" in shown.stdout
    assert "(withdrawn)" in shown.stdout
    assert "(no package)" in shown.stdout
    dist = tmp_path / "dist"
    assert interlock("build", demo, "--output", dist).returncode == 0
    assert sorted(path.name for path in dist.glob("*.deb")) == [
        "demo-database_1.0.0-1_all.deb", "demo-database_1.1.1-1_all.deb",
        "demo-server_1.0.0-1_all.deb", "demo-server_1.0.1-1_all.deb",
        "demo-server_1.1.1-1_all.deb",
    ]  # fmt: skip
    assert interlock("build", demo, "1.1.0", "--output", tmp_path / "old").returncode == 0
    assert len(list((tmp_path / "old").glob("*.deb"))) == 2
