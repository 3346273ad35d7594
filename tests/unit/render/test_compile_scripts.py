"""The parts of the server package's scripts that compile its command, and take that away."""

import os
import subprocess
from pathlib import Path

import pytest

from toolchain.edge.resources import template_reader
from toolchain.render.templates import Templates

PYTHON = "/usr/bin/python3"


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A package of two directories, whose modules print a word when they are imported."""
    runner = tmp_path / "a runner"
    (runner / "core").mkdir(parents=True)
    for name in ("__init__.py", "core/__init__.py"):
        (runner / name).write_text("")
    (runner / "core/law.py").write_text("print('old')\n")
    return runner


def script(name: str, runner: Path, tmp_path: Path) -> None:
    """Run a part as dpkg and rpm run it: it says nothing, and never fails."""
    templates = Templates(template_reader(tmp_path))
    text = templates.render(f"common/{name}.j2", rooms=(str(runner), str(runner / "core")))
    run = subprocess.run(
        ("sh", "-e", "-c", text), capture_output=True, text=True, check=False, cwd="/"
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def imported(runner: Path, *options: str) -> str:
    """What the module prints, for a command that writes no bytecode itself."""
    program = f"import sys; sys.path.insert(0, {str(runner)!r}); import core.law"
    command = (PYTHON, "-I", "-B", *options, "-c", program)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def compiled(runner: Path) -> list[Path]:
    return sorted(runner.rglob("*.pyc"))


def test_every_module_is_compiled_and_used(runner: Path, tmp_path: Path):
    script("compile", runner, tmp_path)
    assert [path.name.split(".")[0] for path in compiled(runner)] == [
        *("__init__", "__init__", "law")
    ]
    # Flags 1 and 2 (PEP 552): by a hash, which is compared with the source's.
    assert {path.read_bytes()[4:8] for path in compiled(runner)} == {b"\3\0\0\0"}
    program = f"import sys; sys.path.insert(0, {str(runner)!r}); import core.law"
    loud = subprocess.run(
        (PYTHON, "-I", "-B", "-v", "-c", program), capture_output=True, text=True, check=True
    )
    law = next(path for path in compiled(runner) if path.name.startswith("law"))
    assert f"code object from '{law}'" in loud.stderr


def test_a_source_that_has_changed_is_run_and_not_what_was_made_of_it(runner: Path, tmp_path: Path):
    script("compile", runner, tmp_path)
    law = runner / "core/law.py"
    before = law.stat()
    # As a downgrade may leave it: of the same size, and all times are the release's.
    law.write_text("print('new')\n")
    os.utime(law, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert law.stat().st_size == before.st_size
    left = {path: path.read_bytes() for path in compiled(runner)}
    assert imported(runner) == "new\n"
    assert {path: path.read_bytes() for path in compiled(runner)} == left


@pytest.mark.parametrize("fault", ["syntax", "directory", "missing"])
def test_what_cannot_be_compiled_fails_no_installation(runner: Path, tmp_path: Path, fault: str):
    match fault:
        case "syntax":
            (runner / "core/law.py").write_text("this is no Python\n")
        case "directory":
            # Stands in for a file system that takes no write, which root does not meet otherwise.
            (runner / "core/__pycache__").write_text("")
        case "missing":
            runner = tmp_path / "nowhere"
    script("compile", runner, tmp_path)
    if fault == "directory":
        assert imported(runner) == "old\n"


def test_clearing_takes_every_python_s_bytecode_and_nothing_else(runner: Path, tmp_path: Path):
    before = sorted(runner.rglob("*"))
    script("clear", runner, tmp_path)
    assert sorted(runner.rglob("*")) == before
    script("compile", runner, tmp_path)
    law = next(path for path in compiled(runner) if path.name.startswith("law"))
    law.with_name("law.cpython-39.pyc").write_bytes(b"")
    law.with_name("gone.cpython-39.opt-1.pyc").write_bytes(b"")
    script("clear", runner, tmp_path)
    assert sorted(runner.rglob("*")) == before
