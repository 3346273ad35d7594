"""The page on planning: its commands run with the inventory that it shows."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, run_interlock

PAGE = (REPOSITORY / "docs/how-to/plan-a-rollout.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> list[list[str]]:
    return [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]


def run(tmp_path: Path, argv: list[str]) -> "subprocess.CompletedProcess[str]":
    (inventory,) = blocks("yaml")
    (tmp_path / "inventory.yaml").write_text(inventory)
    (tmp_path / "release-specs").symlink_to(REPOSITORY / "release-specs")
    return run_interlock(tmp_path, *argv)


@pytest.mark.parametrize("command", commands(), ids=lambda argv: " ".join(argv[4:]))
def test_every_command_runs(command: list[str], tmp_path: Path):
    program, *argv = command
    assert program == "interlock"
    done = run(tmp_path, argv)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_words_of_the_page_are_those_of_the_answer(tmp_path: Path):
    text = run(tmp_path, commands()[0][1:]).stdout
    for word in ("what moves", "from", "to", "notes", "4.1.0 before its contract", "for good"):
        assert word in PAGE
        assert word in text


def test_options_on_the_page_exist(tmp_path: Path):
    known = run_interlock(tmp_path, "plan", "--help").stdout
    for option in set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", PAGE)) - {"--phase"}:
        assert option in known
