"""Fixtures for tests that boot hosts; everything below this directory is marked `hosts`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from . import products
from .host import Host
from .lab import Lab, LabUnavailableError, TreeName, require
from .products import Customer, Packaged
from .recipes import Packaging
from .table.fleet import Fleet, Hosts, boot, set_up

TREES: Mapping[Packaging, TreeName] = {Packaging.DEB: "debian", Packaging.RPM: "rpm"}


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


@pytest.fixture(scope="session")
def fleetdesk() -> Packaged:
    """The sample product with the packages of all its releases."""
    return products.fleetdesk()


@pytest.fixture(scope="session")
def procrastinate() -> Packaged:
    """A real product with the packages of all its releases."""
    return products.procrastinate()


@pytest.fixture(scope="session")
def shelf(
    fleetdesk: Packaged, procrastinate: Packaged, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """One directory with the packages of both products."""
    directory = tmp_path_factory.mktemp("shelf")
    for packaged in (fleetdesk, procrastinate):
        shutil.copytree(packaged.directory, directory, dirs_exist_ok=True)
    return directory


@pytest.fixture(
    scope="session",
    # Each package manager's tests on one worker, so that its host boots once.
    params=[
        pytest.param(packaging, marks=pytest.mark.xdist_group(f"pairs-{packaging}"))
        for packaging in Packaging
    ],
)
def pair_host(
    request: pytest.FixtureRequest, new_lab: Callable[[], Lab], shelf: Path
) -> Iterator[Host]:
    """A Debian host, then an rpm host, that is offered the packages of both products."""
    with new_lab() as lab:
        host = lab.host("customer", tree=TREES[request.param])
        host.add_repository(shelf)
        yield host


@pytest.fixture(scope="module")
def newcomer(
    pair_host: Host, new_lab: Callable[[], Lab], shelf: Path, fleetdesk: Packaged
) -> Iterator[Customer]:
    """A second host like it, that has never had the product, with a PostgreSQL for its shards."""
    with new_lab() as lab:
        host = lab.host("newcomer", tree=TREES[pair_host.packaging], postgres=True)
        host.add_repository(shelf)
        yield Customer(host=host, packaged=fleetdesk)


@pytest.fixture
def desk(pair_host: Host, fleetdesk: Packaged) -> Iterator[Customer]:
    """A customer of fleetdesk, without any package of it before and after the test."""
    customer = Customer(host=pair_host, packaged=fleetdesk)
    yield customer
    customer.wipe()
    assert customer.pair() == products.Pair()


@pytest.fixture
def jobs(pair_host: Host, procrastinate: Packaged) -> Iterator[Customer]:
    """A customer of procrastinate, without any package of it before and after the test."""
    customer = Customer(host=pair_host, packaged=procrastinate)
    yield customer
    customer.wipe()
    assert customer.pair() == products.Pair()


@pytest.fixture(
    scope="session",
    # As for `pair_host`: each package manager's tables on one worker.
    params=[
        pytest.param(packaging, marks=pytest.mark.xdist_group(f"tables-{packaging}"))
        for packaging in Packaging
    ],
)
def table_packaging(request: pytest.FixtureRequest) -> Packaging:
    """Each package manager in turn."""
    assert isinstance(request.param, Packaging)
    return request.param


@pytest.fixture(scope="session")
def table_hosts(
    table_packaging: Packaging,
    new_lab: Callable[[], Lab],
    shelf: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Hosts]:
    """A host for all shards and three for servers, which know the packages of both products."""
    with new_lab() as lab:
        yield boot(lab, TREES[table_packaging], shelf, tmp_path_factory.mktemp("bystander"))


@pytest.fixture(scope="session")
def desk_fleet(table_hosts: Hosts, fleetdesk: Packaged) -> Fleet:
    """Three servers of fleetdesk, and its shards in all their states."""
    return set_up(table_hosts, fleetdesk)


@pytest.fixture
def jobs_fleet(table_hosts: Hosts, fleetdesk: Packaged, procrastinate: Packaged) -> Iterator[Fleet]:
    """The same of procrastinate, alone on these hosts for the time of a test."""
    for host in table_hosts.servers:
        Customer(host=host, packaged=fleetdesk).wipe()
    yield set_up(table_hosts, procrastinate)
    for host in table_hosts.servers:
        Customer(host=host, packaged=procrastinate).wipe()
