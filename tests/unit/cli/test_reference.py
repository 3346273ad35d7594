"""The reference of the commands says what the commands say; `--update-golden` rewrites it."""

import re

import pytest

from tests.conftest import REPOSITORY
from toolchain.cli.main import _COMMANDS, interlock
from toolchain.cli.reference import commands_page

PAGE = REPOSITORY / "docs/reference/commands.md"


def test_the_page_is_that_of_the_commands(request: pytest.FixtureRequest):
    text = commands_page(interlock)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text


def test_it_tells_of_every_command():
    told = re.findall(r"^## interlock (\w+)", commands_page(interlock), re.MULTILINE)
    assert set(told) == set(_COMMANDS)
