"""The page about verification is executed, and names every kind of finding and every option."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.conftest import REPOSITORY
from toolchain.cli.verify import command as verify
from toolchain.verify.finding import Kind

PAGE = (REPOSITORY / "docs/how-to/verify.md").read_text()


def test_the_commands_of_the_page_run(tmp_path: Path):
    (tmp_path / "release-specs").symlink_to(REPOSITORY / "release-specs")
    program = tmp_path / "bin/interlock"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m toolchain "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    commands = [line[2:] for block in blocks for line in block.splitlines() if line[:2] == "$ "]
    assert len(commands) >= 4
    for command in commands:
        run = subprocess.run(
            ("sh", "-c", command),
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, (command, run.stdout, run.stderr)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_finding_has_a_row(kind: Kind):
    assert f"| `{kind.value}` |" in PAGE


def test_every_option_of_its_own_is_explained():
    known = {"--json", "--verbose"}
    for option in verify.params:
        if isinstance(option, click.Option) and not known & set(option.opts):
            assert any(name in PAGE for name in (*option.opts, *option.secondary_opts)), option
