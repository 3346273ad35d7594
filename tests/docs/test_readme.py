"""The README is executed: its commands run as they stand, its table names every command."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from toolchain.cli.main import _COMMANDS

README = (REPOSITORY / "README.md").read_text()
# The one command of the tutorial whose answer is no.
REFUSALS = {"interlock explain release-specs/fleetdesk 4.1.0 11"}


def tutorial() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    lines = (line for block in blocks for line in block.splitlines())
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    (tmp_path / "release-specs").symlink_to(REPOSITORY / "release-specs")
    command = tmp_path / "bin/interlock"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m toolchain "$@"\n')
    command.chmod(0o755)
    return tmp_path


def test_the_tutorial_runs_from_top_to_bottom(workplace: Path):
    commands = tutorial()
    assert len(commands) >= 7
    environment = {
        **os.environ,
        "PATH": f"{workplace / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
    }
    for command in commands:
        run = subprocess.run(
            ("sh", "-c", command),
            cwd=workplace,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == (1 if command in REFUSALS else 0), (command, run.stderr)
    assert len(list((workplace / "dist").glob("*.deb"))) == 2
    assert len(list((workplace / "dist").glob("*.rpm"))) == 2


def test_the_table_names_every_command():
    assert set(re.findall(r"^\| `interlock (\w+)", README, re.MULTILINE)) == set(_COMMANDS)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_to_files_lead_somewhere(page: str):
    text = (REPOSITORY / page).read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (REPOSITORY / target).exists(), target


def test_the_two_commands_exist():
    for name in ("scripts/demo", "scripts/test"):
        assert os.access(REPOSITORY / name, os.X_OK)


def test_nothing_waits_to_be_filled_in():
    pages = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    for page in (*pages, *(REPOSITORY / "docs").rglob("*.md")):
        assert not re.search(r"^[A-Z]+_[A-Z]+$|TODO|FIXME", page.read_text(), re.MULTILINE), page
