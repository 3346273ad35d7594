"""Fixtures for tests that boot hosts; everything below this directory is marked `hosts`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .host import Host
from .lab import Lab, LabUnavailableError, require
from .recipes import Packaging


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "hosts: boots whole test hosts (root, systemd-nspawn)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.hosts)


@pytest.fixture(scope="session")
def new_lab() -> Iterator[Callable[[], Lab]]:
    """Make labs that are closed with the test run; each has names and addresses of its own."""
    try:
        require()
    except LabUnavailableError as problem:
        pytest.fail(str(problem), pytrace=False)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Lab())


@pytest.fixture(scope="module")
def lab(new_lab: Callable[[], Lab]) -> Iterator[Lab]:
    """One lab for the tests of a module."""
    with new_lab() as made:
        yield made


@pytest.fixture(scope="module")
def apt_host(lab: Lab) -> Host:
    """A Debian host of the module's lab, with PostgreSQL open to the lab."""
    return lab.host("apt1", tree="debian", postgres=True)


@pytest.fixture(scope="module")
def dnf_host(lab: Lab) -> Host:
    """An rpm host of the module's lab."""
    return lab.host("dnf1", tree="rpm")


@pytest.fixture(params=list(Packaging))
def client(request: pytest.FixtureRequest, apt_host: Host, dnf_host: Host) -> Host:
    """Each of the two hosts in turn."""
    return apt_host if request.param is Packaging.DEB else dnf_host
