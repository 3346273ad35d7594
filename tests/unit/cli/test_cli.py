"""The command line: help, answers in every form, exit codes, and no traceback anywhere."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pglast.parser import split as split_sql

from tests.conftest import REPOSITORY, Interlock
from tests.samples import write_product
from tests.unit.spec.chains import R, chain
from tests.unit.spec.sample import write
from toolchain.cli.main import _COMMANDS

FLEETDESK = REPOSITORY / "release-specs/fleetdesk"


@pytest.mark.parametrize("command", ["", *_COMMANDS])
def test_every_command_has_help(interlock: Interlock, command: str):
    run = interlock(*command.split(), "-h")
    assert run.returncode == 0
    assert "Usage:" in run.stdout
    assert "-h, --help" in run.stdout


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


def test_show_tells_how_a_refactoring_was_written_and_why(interlock: Interlock):
    answer = json.loads(interlock("show", FLEETDESK, "4.1.0", "--json").stdout)
    split = {step["id"]: step for step in answer["steps"]}["split-host.expand"]
    assert (split["sql"], split["strategy"]) == (None, "view")
    text = interlock("show", FLEETDESK, "4.1.0").stdout
    assert "step split-host.expand: generated, strategy view (" in text
    assert f"\n  {split['why']}\n" in text
    assert "step os-present.expand: sql/12-os-present.sql (" in text


def test_show_writes_the_sql_of_steps(interlock: Interlock):
    run = interlock("show", FLEETDESK, "--sql", "--change", "split-host", "--json")
    steps = json.loads(run.stdout)["steps"]
    assert [(step["release"], step["id"]) for step in steps] == [
        ("4.1.0", "split-host.expand"), ("4.1.0", "split-host.migrate"),
        ("4.2.0", "split-host.contract"),
    ]  # fmt: skip
    assert [step["batch"] for step in steps] == [None, "public.host(id)", None]
    text = interlock("show", FLEETDESK, "4.1.0", "--sql").stdout
    assert "-- 4.1.0 split-host.expand (generated), in one transaction\n" in text
    assert "-- 4.1.0 split-host.migrate (generated), in batches over public.host(id)\n" in text
    assert "-- 4.1.0 undo of os-present.expand (sql/12-os-present.undo.sql)\n" in text
    assert steps[0]["sql"] in text
    for step in steps:
        assert len(split_sql(step["sql"])) > 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--change", "split-host"), "--change chooses what --sql shows; add --sql"),
        (("--sql", "--change", "nix"), "fleetdesk has no step of a change 'nix'; it has audit-by"),
        (("4.1.1", "--sql", "--change", "os-name"), "no step of a change 'os-name' in 4.1.1"),
    ],
)
def test_show_refuses(interlock: Interlock, arguments: tuple[str, ...], told: str):
    run = interlock("show", FLEETDESK, *arguments)
    assert run.returncode == 2
    assert told in run.stderr
    assert run.stdout == ""


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
    refused = interlock("explain", "pair", FLEETDESK, "4.1.0", "11", "--json")
    assert refused.returncode == 1
    answer = json.loads(refused.stdout)
    assert answer["fits"] is False
    (state,) = answer["states"]
    assert state["database"] == "4.0.0"
    assert all(reason["origin"] for reason in state["reasons"])
    assert state["servers_that_fit"]
    text = interlock("explain", "pair", FLEETDESK, "4.1.0", "11").stdout
    assert text.startswith("Server 4.1.0 may not run on schema 11:\n")
    assert "4.1.0.yaml:" in text
    fits = interlock("explain", "pair", FLEETDESK, "4.1.0", "12")
    assert fits.returncode == 0
    assert fits.stdout.startswith("Server 4.1.0 may run on schema 12:")


def test_a_schema_of_two_releases_is_explained_for_both(interlock: Interlock, tmp_path: Path):
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",)),
        "1.1.0": R(schema=2, steps=("expand:split",)),
        "1.2.0": R(schema=2, servers=">= 1.1.0"),
    }
    demo = write(tmp_path, chain(releases))
    run = interlock("explain", "pair", demo, "1.0.0", "2")
    assert run.returncode == 1
    assert "Server 1.0.0 may run on schema 2 of database 1.1.0:" in run.stdout
    assert "Server 1.0.0 may not run on schema 2 of database 1.2.0:" in run.stdout
    assert "Schemas that fit server 1.0.0: 1.\n" in run.stdout
    answer = json.loads(interlock("explain", "pair", demo, "1.0.0", "2", "--json").stdout)
    assert [state["fits"] for state in answer["states"]] == [True, False]
    matrix = interlock("matrix", demo).stdout
    assert "2 (1.1.0)" in matrix
    assert "2 (1.2.0)" in matrix


def test_a_need_is_told_by_the_step_that_makes_it_ready(interlock: Interlock, tmp_path: Path):
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",)),
        "1.1.0": R(schema=2, steps=("expand:split",)),
        "1.2.0": R(schema=3, steps=("migrate:split",)),
        "1.3.0": R(schema=4, steps=("contract:split",)),
    }
    run = interlock("explain", "pair", write(tmp_path, chain(releases)), "1.3.0", "1")
    assert run.returncode == 1
    assert "release 1.2.0 migrates 'split'" in run.stdout
    assert "expands 'split'" not in run.stdout
    assert "contracts" not in run.stdout


def test_a_large_matrix_is_plain_and_the_same(interlock: Interlock, tmp_path: Path):
    releases = {"1.0.0": R(schema=1, steps=("expand:start",))} | {
        f"1.{at}.0": R(schema=at + 1, steps=(f"expand:c{at}",)) for at in range(1, 60)
    }
    demo = write(tmp_path, chain(releases))
    fits = json.loads(interlock("matrix", demo, "--json").stdout)["fits"]
    lines = interlock("matrix", demo).stdout.splitlines()
    rows = [line.split()[1:] for line in lines if line.startswith("1.")]
    assert rows == [["fits" if cell else "no" for cell in row] for row in fits]


def test_explain_names_the_contract_behind_a_refusal(interlock: Interlock):
    run = interlock("explain", "pair", FLEETDESK, "4.0.0", "13")
    assert run.returncode == 1
    assert "contracts 'split-host'" in run.stdout


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("explain", "pair", FLEETDESK, "9.9.9", "11"), "has no release 9.9.9"),
        (
            ("explain", "pair", FLEETDESK, "4.1.0", "99"),
            "no release of fleetdesk leaves a shard at",
        ),
        (("show", FLEETDESK, "latest"), "'latest' is not a version"),
        (("matrix",), "PRODUCT is missing; write: interlock matrix [OPTIONS] PRODUCT"),
        (("check", ""), "an argument is empty; give it"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(interlock: Interlock, argv, words: str):
    run = interlock(*argv)
    assert run.returncode == 2
    assert words in run.stderr
    assert run.stderr.count("\n") == 1


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


_MUCH = """
import sys, click
from toolchain.cli import main, schema

@click.command()
def much():
    click.echo("x" * (1 << 20))

schema.command = much
sys.argv = ["interlock", "schema"]
main()
"""


def _in_shell(script: str, *argv: object) -> "subprocess.CompletedProcess[str]":
    """Run a script in bash, with its arguments, from the checkout; pipes fail as they should."""
    return subprocess.run(
        ("bash", "-o", "pipefail", "-c", script, "bash", *map(str, argv)),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("reader", ["true", "head -c 10"])
def test_a_closed_pipe_is_no_error(reader: str):
    run = _in_shell(f'"$1" -c "$2" | {reader}', sys.executable, _MUCH)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("options", ["", "--format html", "--json"])
def test_the_same_for_every_form(options: str):
    script = f'(sleep 0.1; "$1" -m toolchain matrix "$2" {options}) | true'
    run = _in_shell(script, sys.executable, FLEETDESK)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_closed_pipe_does_not_change_the_answer():
    run = _in_shell(
        '"$1" -m toolchain explain pair "$2" 4.1.0 11 | true', sys.executable, FLEETDESK
    )
    assert (run.returncode, run.stderr) == (1, "")


@pytest.mark.parametrize(
    "argv", ["--help", "matrix $2", "matrix $2 --json", "show $2", "check $2 --json"]
)
def test_a_full_disk_behind_stdout_is_one_sentence_and_exit_code_5(argv: str):
    run = _in_shell(f'"$1" -m toolchain {argv} >/dev/full', sys.executable, FLEETDESK)
    assert run.returncode == 5
    assert run.stderr == (
        "interlock: the answer can't be written to stdout: No space left on device;"
        " send it somewhere else, or make room there\n"
    )


def test_a_story_that_nobody_can_read_changes_nothing():
    run = _in_shell('"$1" -m toolchain check "$2" 2>/dev/full', sys.executable, FLEETDESK)
    assert run.returncode == 0


def test_ctrl_c_while_python_reads_the_command_is_no_traceback():
    code = (
        "import sys\n"
        "from toolchain.__main__ import main\n"
        "class Pressed:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'click':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "main()\n"
    )
    run = subprocess.run(
        (sys.executable, "-c", code), cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    said = "interlock: interrupted; nothing was changed\n"
    assert (run.returncode, run.stderr) == (130, said)


def test_an_internal_error_is_one_sentence_and_exit_code_70():
    script = _MUCH.replace('click.echo("x" * (1 << 20))', 'raise RuntimeError("a slip")')
    run = _in_shell('"$1" -c "$2"', sys.executable, script)
    assert run.returncode == 70
    assert run.stderr == "interlock: internal error: RuntimeError: a slip; please report it\n"


def test_the_help_tells_the_exit_codes(interlock: Interlock):
    text = interlock("--help").stdout
    codes = text[text.index("Exit codes:") :]
    sentence = " ".join(codes[: codes.index("130 interrupted.")].split())
    assert re.findall(r"(?:: |; )(\d+) ", sentence) == ["0", "1", "2", "3", "4", "5", "70"]


def test_nohup_keeps_a_closed_terminal_from_ending_it():
    script = _MUCH.replace('click.echo("x" * (1 << 20))', "os.kill(os.getpid(), signal.SIGHUP)")
    ignoring = "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    assert _in_shell('"$1" -c "$2"', sys.executable, ignoring + script).returncode == 0
    handling = "import os, signal"
    assert (
        _in_shell(
            'env --default-signal=HUP "$1" -c "$2"', sys.executable, handling + script
        ).returncode
        == 130
    )


def test_a_narrow_terminal_cuts_no_table(tmp_path: Path, interlock: Interlock):
    root = write_product(tmp_path / "wide", releases=13)
    narrow, wide = (
        {
            command: interlock(command, root, COLUMNS=columns).stdout
            for command in ("matrix", "show")
        }
        for columns in ("40", "2000")
    )
    assert narrow == wide
    assert "…" not in narrow["matrix"]
    heading = next(
        line for line in narrow["matrix"].splitlines() if "server" in line and "10" in line
    )
    assert re.findall(r"\b\d+\b", heading)[-13:] == [str(10 + number) for number in range(13)]
    (row,) = [line for line in narrow["show"].splitlines() if "1.12.0" in line]
    assert "table-12" in row


@pytest.mark.parametrize(
    ("command", "form"), [("check", "text"), ("check", "sarif"), ("matrix", "html")]
)
def test_json_and_another_format_contradict_each_other(
    interlock: Interlock, command: str, form: str
):
    run = interlock(command, FLEETDESK, "--json", "--format", form)
    sentence = f"--json and --format {form} contradict each other; give one of them"
    assert (run.returncode, run.stdout, run.stderr) == (2, "", f"interlock: {sentence}\n")
    assert interlock(command, FLEETDESK, "--json", "--format", "json").returncode == 0
