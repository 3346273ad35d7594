"""Pages of the documentation as a reader works through them: files to write, commands to run.

A block ```console holds commands behind `$ `, each followed by lines that its answer has. A block whose
info string names a file after the language (```yaml fleet.yaml) is that file.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"# (?:the answer is no|exits with (\d+))$")


@dataclass(frozen=True, slots=True)
class File:
    """What a page has its reader write."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """What a page has its reader type, and lines that answer it; the exit code stands in a comment."""

    text: str
    answer: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        found = _CODE.search(self.text)
        return 0 if found is None else int(found[1] or 1)


def steps(page: str) -> Iterator[File | Command]:
    """What a reader of the page does, in order."""
    for language, name, text in _BLOCK.findall(page):
        if name:
            yield File(name, text)
        elif language == "console":
            for chunk in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, *answer = chunk.splitlines()
                yield Command(command, tuple(answer))


def make_workplace(directory: Path) -> Path:
    """Where a reader works: the specs of the samples and the command are at hand."""
    (directory / "release-specs").symlink_to(REPOSITORY / "release-specs")
    command = directory / "bin/interlock"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m toolchain "$@"\n')
    command.chmod(0o755)
    return directory


def follow(page: str, workplace: Path) -> int:
    """Do what the page says, and compare; how many commands that were."""
    environment = {
        **os.environ,
        "COLUMNS": "160",
        "PATH": f"{workplace / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
    }
    count = 0
    for step in steps(page):
        if isinstance(step, File):
            target = workplace / step.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(step.text)
            continue
        count += 1
        done = subprocess.run(
            ("sh", "-c", step.text),
            cwd=workplace,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == step.exit_code, (step.text, said)
        for line in step.answer:
            assert line in said, (step.text, line, said)
    return count
