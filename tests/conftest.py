"""Fixtures that every test may use."""

import functools
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.samples import write_product
from tests.signing import Keys, gpg_home

# A shell starts what it runs in the background with SIGINT ignored, and children inherit that;
# tests that interrupt a child mean a child as a terminal starts it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Thousands of tests keep much and leave few cycles: looking for these is a tenth of a worker's time.
gc.set_threshold(200_000, 20, 20)

# On a busy machine an example, or the making of one, may take its time.
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

REPOSITORY = Path(__file__).parent.parent
# What boots hosts or starts clusters begins; thousands of quick tests fill the gaps at the end.
LONGEST_FIRST = ("hosts", "postgres", "docs", "real", "solver", "golden", "properties")
Interlock = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a module on one worker, so that what it shares is made once; begin with what is long."""
    places = {item: item.path.relative_to(REPOSITORY / "tests") for item in items}
    for item, place in places.items():
        # A page's commands share nothing with another's.
        if item.get_closest_marker("xdist_group") is None and place.parts[0] != "docs":
            item.add_marker(pytest.mark.xdist_group(str(place)))
    rank = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(places[item].parts[0], len(rank)))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: every worker must find the same tests, archives carry dates."""
    return argname if isinstance(val, bytes) else None


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
