"""What the distributions' own linters say of built packages, and shellcheck of their scripts."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Interlock
from tests.samples import write_product

SCRIPTS = ("preinst", "postinst", "prerm", "postrm")


@pytest.fixture(params=["demo", "fleetdesk"])
def dist(request: pytest.FixtureRequest, tmp_path: Path, interlock: Interlock) -> Path:
    root = REPOSITORY / "release-specs/fleetdesk"
    if request.param == "demo":
        root = write_product(tmp_path / "demo")
    run = interlock("build", root)
    assert run.returncode == 0, run.stderr
    return tmp_path / "dist"


def test_lintian_finds_nothing(dist: Path):
    debs = sorted(str(path) for path in dist.glob("*.deb"))
    run = subprocess.run(
        ("lintian", "--allow-root", "--fail-on", "error,warning", "--no-tag-display-limit", *debs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == ""
    assert run.returncode == 0, run.stderr


def test_rpmlint_finds_nothing(dist: Path):
    rpms = sorted(str(path) for path in dist.glob("*.rpm"))
    config = REPOSITORY / "packaging/rpm/rpmlint.toml"
    run = subprocess.run(
        ("rpmlint", "--config", str(config), *rpms), capture_output=True, text=True, check=False
    )
    assert "0 errors, 0 warnings" in run.stdout, run.stdout
    assert run.returncode == 0, run.stderr


def test_maintainer_scripts_are_posix_and_clean(dist: Path, tmp_path: Path):
    scripts = []
    for deb in dist.glob("*.deb"):
        control = tmp_path / deb.stem
        subprocess.run(("dpkg-deb", "-e", deb, control), check=True)
        scripts += [control / name for name in SCRIPTS if (control / name).exists()]
    for rpm in dist.glob("*.rpm"):
        for tag in ("PREIN", "POSTIN", "PREUN", "POSTUN", "POSTTRANS"):
            text = subprocess.run(
                ("rpm", "-qp", "--nosignature", "--queryformat", f"%{{{tag}}}", rpm),
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            if text != "(none)":
                path = tmp_path / f"{rpm.stem}.{tag}"
                path.write_text(f"#!/bin/sh\n{text}\n")
                scripts.append(path)
    assert scripts
    run = subprocess.run(
        ("shellcheck", "--shell=sh", *map(str, scripts)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
