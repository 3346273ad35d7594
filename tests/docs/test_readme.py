"""README and guides are executed: their commands run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from toolchain.cli.main import _COMMANDS

README = (REPOSITORY / "README.md").read_text()
GUIDES = sorted((REPOSITORY / "docs").rglob("*.md"))
# What stands behind a command whose answer is no.
NO = "# the answer is no"


def commands_of(text: str) -> list[str]:
    """The commands of all console blocks of a page, in order."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
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


def run_all(commands: list[str], workplace: Path) -> None:
    """Run them one after another in one directory, as a reader does."""
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
        assert run.returncode == (1 if command.endswith(NO) else 0), (command, run.stderr)


def test_the_tutorial_runs_from_top_to_bottom(workplace: Path):
    commands = commands_of(README)
    assert len(commands) >= 7
    run_all(commands, workplace)
    assert len(list((workplace / "dist").glob("*.deb"))) == 2
    assert len(list((workplace / "dist").glob("*.rpm"))) == 2


@pytest.mark.parametrize("page", [page for page in GUIDES if "```console" in page.read_text()])
def test_the_guides_run_from_top_to_bottom(page: Path, workplace: Path):
    run_all(commands_of(page.read_text()), workplace)


def test_the_table_names_every_command():
    assert set(re.findall(r"^\| `interlock (\w+)", README, re.MULTILINE)) == set(_COMMANDS)


PAGES = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]


@pytest.mark.parametrize("page", [*PAGES, *sorted((REPOSITORY / "docs").rglob("*.md"))])
def test_links_to_files_lead_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_two_commands_exist():
    for name in ("scripts/demo", "scripts/test"):
        assert os.access(REPOSITORY / name, os.X_OK)


def test_nothing_waits_to_be_filled_in():
    for page in (*PAGES, *(REPOSITORY / "docs").rglob("*.md")):
        assert not re.search(r"^[A-Z]+_[A-Z]+$|TODO|FIXME", page.read_text(), re.MULTILINE), page
