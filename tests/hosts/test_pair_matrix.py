"""Every pair of the matrix on real hosts: the legal ones install, the illegal ones are refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from .commands import Result
from .products import Customer, Packaged, Pair
from .recipes import Packaging

# Asks for `wanted`, of which each would make a pair of `illegal`, on a host that has `before`.
Refused = Callable[[Customer, Sequence[Pair], Sequence[Pair], Pair], None]


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


def together(customer: Customer, refused: Refused) -> None:
    """Both packages in one run, on a host that has neither."""
    illegal = customer.packaged.pairs(legal=False)
    refused(customer, illegal, illegal, Pair())


def beside_a_server(customer: Customer, refused: Refused) -> None:
    """A database package on a host whose server is held at the version that it has."""
    for server in customer.packaged.versions:
        installs(customer, Pair(server=server))
        illegal = [pair for pair in customer.packaged.pairs(legal=False) if pair.server == server]
        wanted = [Pair(database=pair.database) for pair in illegal]
        with customer.held(customer.server):
            refused(customer, illegal, wanted, Pair(server=server))


def beside_a_database(customer: Customer, refused: Refused) -> None:
    """A server package on a host whose database package is held at the version that it has."""
    for database in customer.packaged.versions:
        installs(customer, Pair(database=database))
        illegal = [
            pair for pair in customer.packaged.pairs(legal=False) if pair.database == database
        ]
        wanted = [Pair(server=pair.server) for pair in illegal]
        with customer.held(customer.database):
            refused(customer, illegal, wanted, Pair(database=database))


scenes = pytest.mark.parametrize("scene", [together, beside_a_server, beside_a_database])


@scenes
def test_illegal_pairs_of_fleetdesk(
    desk: Customer, scene: Callable[[Customer, Refused], None]
) -> None:
    scene(desk, refused_alone)
    assert desk.damage() == ""


@scenes
def test_illegal_pairs_of_procrastinate(
    jobs: Customer, scene: Callable[[Customer, Refused], None]
) -> None:
    scene(jobs, refused_in_a_row)
    assert jobs.damage() == ""


def test_legal_pairs_of_fleetdesk(desk: Customer) -> None:
    for pair in desk.packaged.pairs(legal=True):
        installs(desk, pair)
        desk.purge()
        assert desk.pair() == Pair()


def test_legal_pairs_of_procrastinate(jobs: Customer) -> None:
    # One after another without a clean host between, which takes half the time.
    options = ("--allow-downgrades",) if jobs.host.packaging is Packaging.DEB else ()
    for pair in jobs.packaged.pairs(legal=True):
        installs(jobs, pair, *options)


def test_the_matrices_have_servers_that_are_too_old_and_too_new(
    fleetdesk: Packaged, procrastinate: Packaged
) -> None:
    for packaged in (fleetdesk, procrastinate):
        illegal = packaged.pairs(legal=False)
        assert {packaged.conflict(pair).holder for pair in illegal} == {
            packaged.product.server_package,
            packaged.product.database_package,
        }
        assert set(illegal).isdisjoint(packaged.pairs(legal=True))
