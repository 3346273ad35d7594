"""A real project's chain rehearsed: the named queries of sixteen releases on every schema state."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import REPOSITORY, run_interlock
from tests.postgres.test_procrastinate import opened  # noqa: F401  (the fixture that fetches it)
from toolchain.build.product import OpenProduct
from toolchain.matrix.compatibility import matrix

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster


@pytest.fixture(scope="module")
def answer(opened: OpenProduct, cluster: "Cluster") -> dict[str, Any]:  # noqa: F811
    place = cluster.database("postgres").dsn
    run = run_interlock(REPOSITORY, "rehearse", opened.root, "--dsn", place, "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_no_window_is_false_and_no_server_is_left_out(answer: dict[str, Any]) -> None:
    assert answer["false_promises"] == answer["broken"] == answer["not_measured"] == []
    assert len(answer["pairs"]) == 16 * len(answer["states"])
    assert [each["differences"] for each in answer["fresh_installs"]] == [[]]


def test_where_the_windows_are_narrower_than_what_works(answer: dict[str, Any]) -> None:
    """All of it was known from real workers, whose notes stand in the specs' comments.

    Servers of 2.x work on the schema of 3.0.0, but for a job of a 3.x worker that one of them
    aborts, which no statement tells. 2.6.0, 2.15.1 and 3.3.0 would work without what their release
    adds. Nothing that 3.2.2 and 3.3.0 use is removed in 3.4.0 and 3.5.3, and the documents promise
    the servers of the release before alone.
    """
    wider = {each["server"]: each["releases"] for each in answer["could_be_wider"]}
    assert wider == {
        **{one: ["3.0.0"] for one in ("2.0.0", "2.0.3", "2.5.0", "2.8.0", "2.9.2", "2.14.1")},
        "2.6.0": ["2.5.0", "3.0.0"],
        "2.15.1": ["2.9.2", "2.14.1"],
        "3.2.2": ["3.4.0", "3.5.3", "3.10.0"],
        "3.3.0": ["3.2.2", "3.5.3", "3.10.0"],
    }


def test_every_other_pair_is_as_declared(opened: OpenProduct, answer: dict[str, Any]) -> None:  # noqa: F811
    declared = matrix(opened.product)
    wider = {(w["server"], r) for w in answer["could_be_wider"] for r in w["releases"]}
    ends = {n: state for n, state in enumerate(answer["states"]) if not state["half_way"]}
    measured = {
        (pair["server"], ends[pair["state"]]["release"]): pair["measured"]
        for pair in answer["pairs"]
        if pair["state"] in ends
    }
    for server, row in zip(declared.servers, declared.fits, strict=True):
        for state, fits in zip(declared.states, row, strict=True):
            for release in state.releases:
                pair = str(server), str(release)
                assert measured[pair] == (fits or pair in wider), pair
