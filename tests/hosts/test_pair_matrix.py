"""Every pair of the matrix on real hosts: the legal ones install, the illegal ones are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from toolchain.matrix.compatibility import matrix

from .commands import Result
from .host import Host
from .products import Customer, Pair
from .recipes import Packaging

# Asks for `wanted`, of which each would make a pair of `illegal`, on a host that has `before`.
Refused = Callable[[Customer, Sequence[Pair], Sequence[Pair], Pair], None]
Scene = Callable[[Customer, Sequence[Pair], Refused], None]
# Debian's way to say that no package may start a service here; other tests run them.
POLICY = "/usr/sbin/policy-rc.d"


@pytest.fixture(autouse=True)
def _no_service_starts(pair_host: Host) -> Iterator[None]:
    """Leave the services out of it, which takes half the time that an installation takes."""
    pair_host.write(POLICY, "#!/bin/sh\nexit 101\n", mode=0o755)
    yield
    pair_host.run("rm", POLICY)


def installs(customer: Customer, pair: Pair, *options: str) -> None:
    done = customer.install(pair, *options)
    assert customer.pair() == pair, done
    assert done.returncode == 0, done
    assert customer.damage() == ""


def refused_alone(
    customer: Customer, illegal: Sequence[Pair], wanted: Sequence[Pair], before: Pair
) -> None:
    """A run for each, after which nothing has changed; its exit status tells, and its words."""
    for pair, asked in zip(illegal, wanted, strict=True):
        answer = customer.install(asked)
        assert customer.pair() == before, f"{pair} was not refused\n{answer}"
        assert answer.returncode != 0, answer
        assert_named(customer, pair, answer)


def refused_in_a_row(
    customer: Customer, illegal: Sequence[Pair], wanted: Sequence[Pair], before: Pair
) -> None:
    """Each answer has its words, and in the end nothing has changed."""
    answers = customer.install_each(wanted)
    for pair, answer in zip(illegal, answers, strict=True):
        assert_named(customer, pair, answer)
    assert customer.pair() == before, answers


def assert_named(customer: Customer, pair: Pair, answer: Result) -> None:
    conflict = customer.packaged.conflict(pair)
    assert conflict.is_named(answer.output, customer.host.packaging), f"{conflict}\n{answer}"


def together(customer: Customer, illegal: Sequence[Pair], refused: Refused) -> None:
    """Both packages in one run, on a host that has neither."""
    refused(customer, illegal, illegal, Pair())


def beside_a_server(customer: Customer, illegal: Sequence[Pair], refused: Refused) -> None:
    """A database package on a host whose server is held at the version that it has."""
    for server in customer.packaged.versions:
        with_it = [pair for pair in illegal if pair.server == server]
        wanted = [Pair(database=pair.database) for pair in with_it]
        installs(customer, Pair(server=server))
        with customer.held(customer.server):
            refused(customer, with_it, wanted, Pair(server=server))


def beside_a_database(customer: Customer, illegal: Sequence[Pair], refused: Refused) -> None:
    """A server package on a host whose database package is held at the version that it has."""
    for database in sorted({pair.database for pair in illegal if pair.database}):
        with_it = [pair for pair in illegal if pair.database == database]
        wanted = [Pair(server=pair.server) for pair in with_it]
        installs(customer, Pair(database=database))
        with customer.held(customer.database):
            refused(customer, with_it, wanted, Pair(database=database))


scenes = pytest.mark.parametrize("scene", [together, beside_a_server, beside_a_database])


@scenes
def test_illegal_pairs_of_fleetdesk(desk: Customer, scene: Scene) -> None:
    scene(desk, desk.packaged.pairs(legal=False), refused_alone)
    assert desk.damage() == ""


@scenes
def test_illegal_pairs_of_procrastinate(jobs: Customer, scene: Scene) -> None:
    scene(jobs, jobs.packaged.cells(legal=False), refused_in_a_row)
    assert jobs.damage() == ""


def test_legal_pairs_of_fleetdesk(desk: Customer) -> None:
    for server in desk.packaged.versions:
        # A clean host for each, which then gets one database package after another.
        for pair in desk.packaged.pairs(legal=True):
            if pair.server == server:
                installs(desk, pair)
        desk.wipe()
        assert desk.pair() == Pair()


def test_legal_pairs_of_procrastinate(jobs: Customer) -> None:
    # One after another without a clean host between, which takes half the time.
    options = ("--allow-downgrades",) if jobs.host.packaging is Packaging.DEB else ()
    for pair in jobs.packaged.cells(legal=True):
        installs(jobs, pair, *options)


def test_the_pairs_are_those_of_the_matrix(desk: Customer, jobs: Customer) -> None:
    for packaged in (desk.packaged, jobs.packaged):
        table = matrix(packaged.product)
        cells = {
            Pair(server=server, database=state.releases[-1]): fits
            for server, row in zip(table.servers, table.fits, strict=True)
            for state, fits in zip(table.states, row, strict=True)
        }
        assert {pair for pair, fits in cells.items() if fits} == set(packaged.cells(legal=True))
        illegal = packaged.cells(legal=False)
        assert {pair for pair, fits in cells.items() if not fits} == set(illegal)
        too_new, too_old = packaged.product.server_package, packaged.product.database_package
        assert {packaged.conflict(pair).holder for pair in illegal} == {too_new, too_old}
