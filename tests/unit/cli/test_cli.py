"""The command line: help, answers in every form, exit codes, and no traceback anywhere."""

import json
import re
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY, Interlock
from toolchain.cli.main import _COMMANDS

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"


@pytest.mark.parametrize("command", ["", *_COMMANDS])
def test_every_command_has_help(interlock: Interlock, command: str):
    run = interlock(*command.split(), "--help")
    assert run.returncode == 0
    assert "Usage:" in run.stdout


def test_help_imports_nothing_heavy():
    """The time of `--help` is what it imports: no YAML, no templates, no tables."""
    heavy = ["yaml", "jinja2", "jsonschema", "rich", "pglast", "debian", "solv"]
    code = (
        "import sys\nsys.argv = ['interlock', '--help']\n"
        "from toolchain.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n"
        f"    print([name for name in {heavy!r} if name in sys.modules])\n"
    )
    run = subprocess.run(
        (sys.executable, "-c", code), cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"


def test_show_tells_windows_and_steps(interlock: Interlock):
    answer = json.loads(interlock("show", FLEETDESK, "--json").stdout)
    assert [row["release"] for row in answer["releases"]][0] == "3.9.0"
    assert answer["rollout"] == "database-first"
    text = interlock("show", FLEETDESK)
    assert text.returncode == 0
    for row in answer["releases"]:
        assert row["release"] in text.stdout


def test_show_of_a_release_tells_packages_and_relations(interlock: Interlock):
    answer = json.loads(interlock("show", FLEETDESK, "4.1.0", "--json").stdout)
    files = {package["file"]: package for package in answer["packages"]}
    server = files["fleetdesk-server_4.1.0-1_all.deb"]
    assert any(line.startswith("conflicts fleetdesk-schema < ") for line in server["relations"])
    assert "/usr/bin/fleetdesk-web" in server["contents"]


def test_the_matrix_has_the_same_cells_in_every_form(interlock: Interlock):
    answer = json.loads(interlock("matrix", FLEETDESK, "--json").stdout)
    cells = [cell for row in answer["fits"] for cell in row]
    assert True in cells
    assert False in cells
    markdown = interlock("matrix", FLEETDESK, "--format", "markdown").stdout
    html = interlock("matrix", FLEETDESK, "--format", "html").stdout
    text = interlock("matrix", FLEETDESK).stdout
    assert html.count(">no<") == cells.count(False)
    assert html.count(">fits<") == cells.count(True)
    for form in (markdown, text):
        words = re.findall(r"\b(?:fits|no)\b", form)
        assert (words.count("fits"), words.count("no")) == (cells.count(True), cells.count(False))
    assert html.startswith("<!doctype html>")
    assert "http" not in html


def test_explain_gives_reasons_with_lines_and_what_would_fit(interlock: Interlock):
    refused = interlock("explain", FLEETDESK, "4.1.0", "11", "--json")
    assert refused.returncode == 1
    answer = json.loads(refused.stdout)
    assert answer["fits"] is False
    assert all(reason["origin"] for reason in answer["reasons"])
    assert answer["servers_that_fit"]
    text = interlock("explain", FLEETDESK, "4.1.0", "11").stdout
    assert text.startswith("Server 4.1.0 may not run on schema 11:\n")
    assert "4.1.0.yaml:" in text
    fits = interlock("explain", FLEETDESK, "4.1.0", "12")
    assert fits.returncode == 0
    assert fits.stdout.startswith("Server 4.1.0 may run on schema 12:")


def test_explain_names_the_contract_behind_a_refusal(interlock: Interlock):
    run = interlock("explain", FLEETDESK, "4.0.0", "13")
    assert run.returncode == 1
    assert "contracts 'split-host'" in run.stdout


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("explain", FLEETDESK, "9.9.9", "11"), "has no release 9.9.9"),
        (("explain", FLEETDESK, "4.1.0", "99"), "no release of fleetdesk leaves a shard at"),
        (("explain", FLEETDESK, "4.1.0", "eleven"), "'eleven' is not a valid integer"),
        (("show", FLEETDESK, "latest"), "'latest' is not a version"),
        (("build", "nowhere"), "'nowhere' does not exist"),
        (("matrix",), "Missing argument"),
        (("frobnicate",), "No such command 'frobnicate'"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(interlock: Interlock, argv, words: str):
    run = interlock(*argv)
    assert run.returncode == 2
    assert words in run.stderr
    assert "Traceback" not in run.stderr


def test_check_of_a_good_product_says_so(interlock: Interlock):
    run = interlock("check", FLEETDESK)
    assert run.returncode == 0
    assert run.stdout == ""
    assert json.loads(interlock("check", FLEETDESK, "--json").stdout)["problems"] == []


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_check_reports_every_problem_in_every_form(interlock: Interlock, product, form: str):
    for number in (0, 1):
        path = product / f"1.{number}.0.yaml"
        path.write_text(path.read_text().replace("revision:", "revision:") + "unknwon: 1\n")
    run = interlock("check", product, "--format", form)
    assert run.returncode == 1
    assert run.stdout.count("unknwon") >= 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_command(interlock: Interlock, shell: str):
    run = interlock("completion", shell)
    assert run.returncode == 0
    assert "_INTERLOCK_COMPLETE" in run.stdout


def test_a_closed_pipe_is_no_error(interlock: Interlock):
    code = f"{sys.executable} -m toolchain matrix {FLEETDESK} --format html | head -c 10"
    run = subprocess.run(
        ("bash", "-o", "pipefail", "-c", code),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in run.stderr
