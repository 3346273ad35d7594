"""Fixtures that every test may use."""

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.samples import write_product
from tests.signing import Keys, gpg_home

# A shell starts what it runs in the background with SIGINT ignored, and children inherit that;
# tests that interrupt a child mean a child as a terminal starts it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).parent.parent
Interlock = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """The directory of a small product with two releases."""
    return write_product(tmp_path / "demo")


def run_interlock(
    directory: Path, *argv: object, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command in a directory, as a user does."""
    return subprocess.run(
        (sys.executable, "-m", "toolchain", *map(str, argv)),
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "160", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def interlock(tmp_path: Path) -> Interlock:
    """Run the command as a user does, in a directory of its own."""
    return functools.partial(run_interlock, tmp_path)


@pytest.fixture(scope="session")
def signing() -> Iterator[Keys]:
    """Throw-away gpg keys."""
    with gpg_home() as keys:
        yield keys
