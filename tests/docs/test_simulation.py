"""The page about the simulation: its commands run, and it names every gate and assumption."""

import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, run_interlock
from toolchain.simulate.commands import Assumption, Gate

PAGE = (REPOSITORY / "docs/explanation/simulation.md").read_text()
COMMANDS = re.findall(r"^\$ interlock (.*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs(command: str, tmp_path: Path):
    (tmp_path / "release-specs").symlink_to(REPOSITORY / "release-specs")
    done = run_interlock(tmp_path, *shlex.split(command))
    assert done.returncode == 0, done.stderr
    assert "no illegal state was reached" in done.stdout


def test_every_gate_and_assumption_has_its_row():
    for name in (*Gate, *Assumption):
        assert f"| `{name.value}` |" in PAGE
