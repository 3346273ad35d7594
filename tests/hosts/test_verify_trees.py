"""`interlock verify` with the apt of Debian's next release, both of its solvers, and on a host."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from .commands import Result, run
from .next_release import next_release_tree
from .products import ROOT, Packaged
from .trees import Trees

pytestmark = pytest.mark.xdist_group("verify-trees")
NEXT_APTS = ("with its 3.0 solver", "with its internal solver")


@pytest.fixture(scope="module")
def next_release() -> Path:
    """A directory tree with apt 3.0."""
    return next_release_tree(Trees.from_environment(os.environ))


def verify(*words: str | Path, check: bool = True) -> Result:
    command = (sys.executable, "-m", "toolchain", "verify", *map(str, words), "--json")
    return run(*command, check=check, timeout=300, env={"PYTHONPATH": str(ROOT)})


def debs(packaged: Packaged, target: Path) -> Path:
    target.mkdir()
    for package in packaged.directory.glob("*.deb"):
        shutil.copy(package, target)
    return target


def test_every_apt_agrees_about_pairs_and_upgrades(
    fleetdesk: Packaged, next_release: Path, tmp_path: Path
) -> None:
    before = sorted(str(path) for path in next_release.rglob("*"))
    answer = json.loads(
        verify(debs(fleetdesk, tmp_path / "debs"), "--apt-root", next_release).stdout
    )
    assert answer["findings"] == []
    labels = {row["label"]: row for row in answer["asked"]}
    assert any(label.startswith("apt 2.") and " with " not in label for label in labels)
    for solver in NEXT_APTS:
        (label,) = (label for label in labels if label.endswith(solver))
        assert label.startswith("apt 3.")
        assert labels[label]["questions"] >= 70
        assert labels[label]["commands"] >= 400
    # The tree's apt is started by its own loader; nothing is written there.
    assert sorted(str(path) for path in next_release.rglob("*")) == before


def test_every_apt_sees_a_tampered_package(
    fleetdesk: Packaged, next_release: Path, tmp_path: Path
) -> None:
    directory = debs(fleetdesk, tmp_path / "debs")
    package = directory / "fleetdesk-server_4.1.0-1_all.deb"
    tree = tmp_path / "tree"
    run("dpkg-deb", "-R", str(package), str(tree))
    control = tree / "DEBIAN/control"
    text = control.read_text()
    control.write_text(text.replace("Conflicts: fleetdesk-schema", "Suggests: fleetdesk-schema"))
    run("dpkg-deb", "--root-owner-group", "--build", str(tree), str(package))
    result = verify(directory, "--apt-root", next_release, check=False)
    assert result.returncode == 1
    findings = json.loads(result.stdout)["findings"]
    installed = [one for one in findings if one["kind"] == "would-install"]
    assert installed
    told = {label for one in installed for label in one["asked"]}
    for solver in ("", *NEXT_APTS):
        assert any(label.startswith("apt ") and label.endswith(solver) for label in told)
    relation = "Conflicts: fleetdesk-schema < 12"
    assert any(one["relation"] == relation for one in findings if one["kind"] == "relation")


def test_a_real_product_of_sixteen_releases_is_proved(procrastinate: Packaged) -> None:
    answer = json.loads(verify(procrastinate.directory).stdout)
    assert answer["findings"] == []
    assert answer["pairs"] == 2 * 16 * 16
    assert sum(row["commands"] for row in answer["asked"]) > 10_000
