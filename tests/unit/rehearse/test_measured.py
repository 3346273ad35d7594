"""Ways, verdicts and differences, of values alone."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.unit.rehearse.values import cell, failure, product_of, state
from toolchain.matrix.measured import sentences
from toolchain.matrix.measured.differences import differences
from toolchain.matrix.measured.schemas import compare_schemas
from toolchain.matrix.measured.values import Broken, Cell, Exchange, Measured, SchemaComparison
from toolchain.matrix.measured.verdict import Verdict, overall, verdict
from toolchain.matrix.measured.ways import name_of, ways
from toolchain.model.version import Version
from toolchain.render.rehearsal import rehearsal_json
from toolchain.render.rehearsal_html import rehearsal_html


def spelled(product) -> list[list[str]]:
    return [[str(release.version) for release in way] for way in ways(product)]


# Ways ---------------------------------------------------------------------------------------------


def test_a_line_is_one_way():
    product = product_of({"1.0.0": 0, "1.1.0": 1, "1.2.0": 2})
    assert spelled(product) == [["1.0.0", "1.1.0", "1.2.0"]]


def test_a_hotfix_is_a_branch_and_a_way_back():
    product = product_of({"1.0.0": 0, "1.0.1": 20, "1.1.0": 10, "1.2.0": 30, "1.3.0": 40})
    assert spelled(product) == [
        ["1.0.0", "1.1.0", "1.2.0", "1.3.0"],
        ["1.0.0", "1.0.1"],
        ["1.0.0", "1.0.1", "1.2.0", "1.3.0"],
    ]
    main, _, back = ways(product)
    assert name_of(main, main) == ""
    assert name_of(back, main) == "by way of 1.0.1"


def test_a_release_without_a_database_package_is_on_no_way():
    product = product_of({"1.0.0": 0, "1.0.1": 1, "1.1.0": 2}, unpackaged=("1.0.1",))
    assert spelled(product) == [["1.0.0", "1.1.0"]]


# Verdicts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "works", "ends", "wanted"),
    [
        (True, True, True, Verdict.FITS),
        (True, True, False, Verdict.FITS),
        (True, False, True, Verdict.FALSE_PROMISE),
        (True, False, False, Verdict.FALSE_PROMISE),
        (False, False, True, Verdict.REFUSED),
        (False, True, True, Verdict.COULD_BE_WIDER),
        (False, True, False, Verdict.REFUSED),
        (True, None, True, Verdict.PROMISED),
        (False, None, False, Verdict.NOT_PROMISED),
    ],
)
def test_every_cell_has_one_verdict(
    declared: bool, works: bool | None, ends: bool, wanted: Verdict
):
    failures = None if works is None else () if works else (failure(),)
    at = state("1.0.0", ends=ends)
    found = Cell(server=Version(1, 0, 0), state=at, declared=declared, failures=failures)
    assert verdict(found) is wanted
    assert wanted.meaning


def test_one_false_promise_colours_the_whole_release():
    half_way = cell("1.0.0", state("1.1.0", ends=False), declared=True, fails=True)
    end = cell("1.0.0", state("1.1.0"), declared=True)
    assert overall((half_way, end)) is Verdict.FALSE_PROMISE
    assert overall((end,)) is Verdict.FITS


# Differences --------------------------------------------------------------------------------------

PRODUCT = product_of({"1.0.0": 0, "1.1.0": 1, "1.2.0": 2})


def measured(*cells: Cell, **more: object) -> Measured:
    values = {"comparisons": (), "broken": (), **more}
    return Measured(
        postgresql="15.1",
        source="here",
        states=tuple(dict.fromkeys(each.state for each in cells)),
        cells=cells,
        **values,  # type: ignore[arg-type]
    )


def test_a_statement_that_fails_in_many_states_is_told_once():
    states = [state("1.1.0", action=f"step-{n}", ends=n == 5) for n in range(6)]
    found = differences(
        PRODUCT, measured(*(cell("1.0.0", at, declared=True, fails=True) for at in states))
    )
    (promise,) = found.promises
    assert found.any
    assert promise.states == tuple(states)
    assert sentences.promise_sentence(promise) == (
        "the server 1.0.0 fails on a shard at 1.1.0 half-way, after step-0, 1.1.0 half-way, after"
        " step-1, 1.1.0 half-way, after step-2 and 3 more states, and the windows let it run there"
    )
    assert "the shard says schema 1, servers >= 1.0.0" in sentences.windows_sentence(promise)


def test_rows_in_details_make_no_second_difference():
    """Every state and every sample has rows of its own, and one of them is shown."""
    states = [state("1.1.0", action=f"step-{n}", ends=n == 3) for n in range(4)]
    rows = iter(range(8))
    cells = [
        replace(
            cell("1.0.0", at, declared=True),
            failures=tuple(
                replace(failure("no kind"), detail=f"Failing row contains ({next(rows)}).")
                for _ in ("one sample", "another")
            ),
        )
        for at in states
    ]
    found = measured(*cells)
    told = differences(PRODUCT, found)
    (promise,) = told.promises
    assert promise.states == tuple(states)
    assert "step-2 and 1 more state, and" in sentences.promise_sentence(promise)
    (document,) = rehearsal_json("demo", found, told)["false_promises"]
    assert (document["answer"], document["detail"]) == ("no kind", "Failing row contains (0).")
    page = rehearsal_html("demo", found, told)
    assert "no kind (SQLSTATE 42703); for example: Failing row contains (0)." in page
    assert "contains (1)" not in page
    alone = differences(PRODUCT, measured(replace(cells[0], failures=cells[0].failures[:1])))
    assert not alone.promises[0].varies


def test_another_message_or_sqlstate_is_another_difference():
    at = state("1.1.0")
    failures = (failure("one"), failure("other"), replace(failure("one"), code="42P01"))
    found = measured(replace(cell("1.0.0", at, declared=True), failures=failures))
    assert len(differences(PRODUCT, found).promises) == 3


def test_many_writers_are_counted():
    exchange = Exchange(
        writer=Version(1, 0, 0), wrote=("a", "b", "c"), expected="x", found="y", own=()
    )
    said = sentences.missed_sentence(exchange, Version(1, 1, 0))
    assert said == "sees y after a, b and c of 1.0.0; where 1.0.0 itself sees x"
    said = sentences.missed_sentence(
        replace(exchange, wrote=("a", "b", "c", "d"), own=("b",)), Version(1, 1, 0)
    )
    assert said == (
        "sees y after d of 1.0.0 and 3 statements before it; after b of 1.1.0 itself it sees x"
    )


def test_a_wider_window_needs_every_way_to_a_release():
    one, other = state("1.2.0"), state("1.2.0", way="by way of 1.0.1")
    works = cell("1.0.0", one, declared=False)
    fails = cell("1.0.0", other, declared=False, fails=True)
    assert [w.releases for w in differences(PRODUCT, measured(works)).wider] == [
        (Version(1, 2, 0),)
    ]
    assert differences(PRODUCT, measured(works, fails)).wider == ()
    assert not differences(PRODUCT, measured(works)).any


def test_schemas_differ_by_object():
    found = compare_schemas({"a": "1", "b": "2"}, {"b": "3", "c": "4"})
    assert [(each.name, each.upgraded, each.fresh) for each in found] == [
        ("a", "1", None), ("b", "2", "3"), ("c", None, "4"),
    ]  # fmt: skip
    assert compare_schemas({"a": "1"}, {"a": "1"}) == ()


def test_every_difference_stands_in_every_report():
    at = state("1.2.0")
    hostile = "<b>&'\"{{ x }}"
    comparison = SchemaComparison(
        release=Version(1, 2, 0),
        way=(Version(1, 0, 0), Version(1, 2, 0)),
        differences=compare_schemas({f"column {hostile}": hostile}, {}),
    )
    found = measured(
        cell("1.0.0", at, declared=True, fails=True, message=hostile),
        cell("1.1.0", at, declared=False),
        Cell(server=Version(1, 2, 0), state=at, declared=True, failures=None),
        comparisons=(comparison,),
        broken=(Broken(release=Version(1, 2, 0), way="", sentence=hostile),),
    )
    told = differences(PRODUCT, found)
    document = json.loads(json.dumps(rehearsal_json(hostile, found, told)))
    assert not document["agrees"]
    assert document["false_promises"][0]["answer"] == hostile
    assert document["could_be_wider"] == [{"server": "1.1.0", "releases": ["1.2.0"]}]
    assert document["not_measured"] == ["1.2.0"]
    assert document["broken"][0]["message"] == hostile
    assert document["fresh_installs"][0]["differences"][0]["upgraded"] == hostile
    page = rehearsal_html(hostile, found, told)
    assert "<b>&'" not in page
    text = Text()
    text.feed(page)
    assert text.told.count(hostile) >= 5
    assert "1.0.0 → 1.2.0" in text.told


class Text(HTMLParser):
    """What a page says, its markup away."""

    def __init__(self) -> None:
        super().__init__()
        self.told = ""

    def handle_data(self, data: str) -> None:
        self.told += data
