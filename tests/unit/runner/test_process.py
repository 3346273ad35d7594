"""Two doors to a host's tools, the builder's and the island's: the same is shut out at both."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

import toolchain.runner
from toolchain.edge.process import Command, Processes
from toolchain.edge.resources import packaging_directory
from toolchain.runner.packages import process

ISLAND = Path(toolchain.runner.__file__).parent
LEADS_TOOLS_ASTRAY = (
    "DPKG_ADMINDIR", "DPKG_ROOT", "GNUPGHOME", "HOME", "LANG", "LC_MESSAGES", "LD_LIBRARY_PATH",
    "LD_PRELOAD", "PERL5LIB", "PERL5OPT", "PYTHONPATH", "RPM_CONFIGDIR", "TAPE", "TAR_OPTIONS",
)  # fmt: skip


def by_ask() -> str:
    return process.ask("env").output


def by_change() -> str:
    return process.change(("env",)).output


def by_reading() -> str:
    with process.reading("env") as stream:
        return stream.read().decode()


def by_builder() -> str:
    return Processes().run(Command(argv=("env",)))


def met(door: Callable[[], str]) -> dict[str, str]:
    """The environment that a tool meets behind a door."""
    return dict(line.split("=", 1) for line in door().splitlines())


@pytest.fixture(autouse=True)
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment and a directory that lead astray whoever lets them in."""
    for name in LEADS_TOOLS_ASTRAY:
        monkeypatch.setenv(name, str(tmp_path))
    false = tmp_path / "env"
    false.write_text("#!/bin/sh\necho false=env\n")
    false.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("door", [by_ask, by_change, by_reading])
def test_a_tool_of_the_island_meets_its_environment_alone(door: Callable[[], str]) -> None:
    assert met(door) == process.ENVIRONMENT


def test_both_doors_shut_out_the_same() -> None:
    """What is let in may differ in these four, each for a reason."""
    builder, island = met(by_builder), met(by_ask)
    # A build's times are its packages'; dpkg's log on a customer's host is in that host's time.
    assert (builder.pop("TZ"), "TZ" in island) == ("UTC", False)
    # A build installs nothing; a maintainer script that dpkg triggers must ask nobody.
    assert (island.pop("DEBIAN_FRONTEND"), "DEBIAN_FRONTEND" in builder) == (
        "noninteractive",
        False,
    )
    # An account that builds may have nothing of its own read; scripts of root's want a directory.
    assert (builder.pop("HOME"), island.pop("HOME")) == ("/nonexistent", "/")
    # Tools may be a developer's own; root on a customer's host runs those of the distribution.
    system = [place for place in builder.pop("PATH").split(":") if "/local/" not in place]
    assert island.pop("PATH").split(":") == system
    assert builder == island


def test_the_shell_of_a_hook_finds_the_same_tools() -> None:
    scripts = [path.read_text() for path in packaging_directory().rglob("*hook.j2")]
    paths = [line for text in scripts for line in text.splitlines() if line.startswith("PATH=")]
    assert len(scripts) == 3
    assert set(paths) == {f"PATH={process.ENVIRONMENT['PATH']}"}


def test_the_island_has_no_third_door() -> None:
    """Whoever starts a process or a shell on its own would choose an environment of its own."""
    starting = {"subprocess", "pty", "posix", "multiprocessing", "shlex"}
    found = {
        str(path.relative_to(ISLAND))
        for path in ISLAND.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and starting & {alias.name for alias in node.names})
        or (isinstance(node, ast.ImportFrom) and node.module in starting)
        or (isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.system", "os.popen"})
    }
    assert found == {"packages/process.py"}
