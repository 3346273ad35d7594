"""What an installation from a wheel finds: code, templates, schemas and the runner's SQL."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.conftest import REPOSITORY


def test_the_wheel_carries_everything_that_a_checkout_has(tmp_path: Path):
    subprocess.run(
        (sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path),
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = subprocess.run(
        ("git", "ls-files", "toolchain", "packaging"),
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert len(files) > 100
    expected = {
        name.replace("packaging/", "toolchain/_packaging/", 1)
        if name.startswith("packaging/")
        else name
        for name in files
    }
    assert expected - names == set()
