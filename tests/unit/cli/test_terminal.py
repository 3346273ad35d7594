"""What a person sees on a terminal of a given width: whole names, and tables that fit."""

import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import click
import pytest

from tests.conftest import REPOSITORY
from tests.unit.spec.chains import R, chain
from tests.unit.spec.sample import write

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"
FLEET = """\
product: fleetdesk
servers: [{hosts: [web1, web2], version: "4.0.0"}]
shards: [{name: north, release: "4.0.0"}]
"""


def seen(columns: int, *argv: object) -> list[str]:
    """The lines that a command writes to a terminal of so many columns."""
    master, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (40, columns))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    command = (sys.executable, "-m", "toolchain", *map(str, argv))
    with subprocess.Popen(command, stdout=terminal, env=environment):
        os.close(terminal)
        told = b""
        try:
            while chunk := os.read(master, 65536):
                told += chunk
        except OSError:  # the end, as Linux tells it
            pass
    os.close(master)
    return click.unstyle(told.decode()).splitlines()


def tables(lines: list[str]) -> list[str]:
    """The lines of tables alone."""
    return [line for line in lines if line[:1] in tuple("┏┃┡│├└")]


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.yaml"
    path.write_text(FLEET)
    return path


def test_a_plan_fits_a_usual_terminal(fleet: Path):
    lines = seen(80, "plan", FLEETDESK, "--inventory", fleet)
    assert lines[0] == "fleetdesk to 4.3.0: 4 waves for 2 servers and 1 shard"
    rows = tables(lines)
    assert {len(row) for row in rows} == {80}
    assert any("4.1.0 before" in row and "expand and" in row for row in rows)


def test_a_product_is_shown_with_whole_names(tmp_path: Path):
    releases = {
        "1.0.0": R(schema=1, steps=("expand:invoice-table", "expand:customer"), withdrawn="Bad."),
        "1.1.0": R(schema=2, steps=("expand:split-address", "migrate:split-address")),
    }
    lines = seen(80, "show", write(tmp_path / "demo", chain(releases)))
    rows = tables(lines)
    assert {len(row) for row in rows} == {80}
    text = "\n".join(rows)
    for whole in ("invoice-table", "split-address", "(withdrawn)", "(derived)", "2026-01-31"):
        assert whole in text


def test_a_title_is_one_line_above_its_table():
    assert seen(80, "matrix", FLEETDESK)[0] == "fleetdesk: which servers run on which schemas"
