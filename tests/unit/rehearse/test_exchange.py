"""What counts as missed, of values alone."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.unit.rehearse.values import HERE, product_of
from toolchain.matrix.measured.exchange import Missed, unlike_its_own, unlike_the_writer
from toolchain.matrix.measured.looks import Look, Reader, Result
from toolchain.model.change import Phase, Script, Step
from toolchain.model.refactoring import AddColumn, Refactoring, RenameColumn
from toolchain.model.relation_name import RelationName
from toolchain.model.statement import Statement
from toolchain.rehearse.exchange import one_sided

TEXT, NUMBER = 25, 20
NUMERIC, FLOAT, MOMENT, NUMERICS, JSONB = 1700, 701, 1184, 1231, 3802
GET = Reader(
    statement=Statement(name="get", sql="SELECT", text="SELECT", samples=((),), origin=HERE),
    sample=0,
)
THEIR_GET = Reader(statement=GET.statement, sample=0)
PUT = frozenset({"put"})
NONE: frozenset[str] = frozenset()


def result(*rows: Mapping[str, str | None], kind: int = TEXT) -> Result:
    columns = tuple(rows[0]) if rows else ("id", "os")
    return Result(
        columns=columns,
        types=(kind,) * len(columns),
        rows=tuple(tuple(row[column] for column in columns) for row in rows),
    )


def look(after: str, *rows: Mapping[str, str | None]) -> Look:
    return Look(after=after, results={GET: result(*rows)})


def own(
    theirs: list[Look],
    ours: list[Look],
    again: list[Look] | None = None,
    common: frozenset[str] = PUT,
    ignored: frozenset[str] = NONE,
) -> list[Missed]:
    return list(unlike_its_own(theirs, ours, again or ours, common, ignored))


def test_a_lost_value_is_missed_with_both_rows() -> None:
    (missed,) = own([look("put", {"id": "1", "os": None})], [look("put", {"id": "1", "os": "x"})])
    assert (missed.wrote, missed.own) == (("put",), ("put",))
    assert missed.found == '{"id": "1", "os": null}'
    assert missed.expected == '{"id": "1", "os": "x"}'


def test_a_missing_row_and_one_too_many_are_missed() -> None:
    one, none = look("put", {"id": "1", "os": "x"}), look("put")
    assert own([none], [one])[0].found == "no such row"
    assert own([one], [none])[0].expected == "no such row"


def test_what_two_runs_do_not_agree_on_tells_nothing() -> None:
    theirs = [look("put", {"id": "9", "os": "x"})]
    ours, again = [look("put", {"id": "1", "os": "x"})], [look("put", {"id": "2", "os": "x"})]
    assert own(theirs, ours, again) == []
    assert own([look("put", {"id": "9", "os": "y"})], ours, again)


def test_the_order_of_rows_tells_nothing() -> None:
    one, other = {"id": "1", "os": "x"}, {"id": "2", "os": "y"}
    assert own([look("put", one, other)], [look("put", other, one)]) == []


def test_a_column_that_one_side_cannot_know_is_ignored() -> None:
    theirs, ours = [look("put", {"id": "1", "os": None})], [look("put", {"id": "1", "os": "x"})]
    assert own(theirs, ours, ignored=frozenset({"os"})) == []


def test_a_statement_of_one_server_alone_may_belong_to_the_operation_before_it() -> None:
    theirs = [look("put", {"id": "1", "os": "x"})]
    ours = [look("put", {"id": "1", "os": None}), look("put-os", {"id": "1", "os": "x"})]
    assert own(theirs, ours) == []
    assert own(ours, theirs) == []
    assert own([look("put", {"id": "1", "os": "y"})], ours)


def test_what_only_the_writer_has_is_named_as_what_wrote() -> None:
    theirs = [look("put", {"id": "1", "os": None}), look("put-os", {"id": "1", "os": None})]
    ours = [look("put", {"id": "1", "os": "x"})]
    (missed,) = own(theirs, ours)
    assert (missed.wrote, missed.own) == (("put", "put-os"), ("put",))


def test_a_statement_after_which_all_was_well_is_not_named() -> None:
    """What is missing was written before the next operation that both have."""
    theirs = [look("put"), look("put-address"), look("put-invoice"), look("tag")]
    ours = [look("put"), look("address"), look("put-invoice", {"id": "1"}), look("tag")]
    common = frozenset({"put", "put-invoice", "tag"})
    missed, *_ = own(theirs, ours, common=common)
    assert missed.wrote == ("put-address", "put-invoice")
    missed, *_ = unlike_its_own(theirs, ours, ours, common, NONE, frozenset({"put-invoice"}))
    assert (missed.wrote, missed.own) == (("put-address",), ("address",))


def test_a_reader_that_could_not_look_before_tells_all_that_was_written() -> None:
    """Its value comes from the last statement, and what it does not see from any."""

    def late(row: Mapping[str, str | None]) -> list[Look]:
        return [Look(after="put", results={}), Look(after="put-os", results={}), look("end", row)]

    (missed,) = own(
        late({"id": "1", "os": None}), late({"id": "1", "os": "x"}), common=frozenset({"end"})
    )
    assert missed.wrote == ("put", "put-os", "end")


def test_servers_that_did_other_things_before_are_not_compared() -> None:
    theirs = [look("a", {"id": "1", "os": "a"}), look("b", {"id": "1", "os": "b"})]
    ours = [look("b", {"id": "1", "os": "B"}), look("a", {"id": "1", "os": "b"})]
    assert own(theirs, ours, common=frozenset({"a", "b"})) == []


def test_two_servers_see_the_same_under_the_same_name() -> None:
    def seen(theirs: Result, ours: Result) -> list[Missed]:
        both = Look(after="put", results={THEIR_GET: theirs, GET: ours})
        return list(unlike_the_writer([both], [(THEIR_GET, GET)]))

    wide = result({"id": "1", "os": "x", "old": "o"})
    assert seen(wide, result({"id": "1", "os": "x"})) == []
    (missed,) = seen(wide, result({"id": "1", "os": None}))
    assert (missed.reader, missed.own) == (GET, ())
    assert seen(wide, result({"id": "1", "os": "3"}, kind=NUMBER)) == []
    assert seen(wide, result({"name": "n"})) == []


def test_the_writer_is_the_statement_after_which_the_same_rows_are_seen_differently() -> None:
    def both(after: str, theirs: str, ours: str) -> Look:
        return Look(
            after=after, results={THEIR_GET: result({"os": theirs}), GET: result({"os": ours})}
        )

    unseen = Look(after="put-address", results={})
    looks = [both("put", "x", "x"), unseen, both("put-invoice", "y", "x")]
    (missed,) = unlike_the_writer(looks, [(THEIR_GET, GET)])
    assert missed.wrote == ("put-address", "put-invoice")


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        (NUMERIC, "19.99", "19.9900000000000000", True),
        (NUMERIC, "20", "20.00", True),
        (NUMERIC, "200", "2", False),
        (NUMERIC, "NaN", "0", False),
        (NUMERIC, f"0.{'1' * 40}", f"0.{'1' * 41}", False),
        (TEXT, "19.99", "19.990", False),
        (FLOAT, "-0", "0", True),
        (FLOAT, "1e-05", "0.00001", True),
        (FLOAT, "0.1", "0.10000000000000002", False),
        (MOMENT, "2026-01-01 12:00:00.5+01", "2026-01-01 16:30:00.50+05:30", True),
        (MOMENT, "2026-01-01 12:00:00+01", "2026-01-01 12:00:00+00", False),
        (MOMENT, "infinity", "-infinity", False),
        (NUMERICS, "{1.0,NULL,{2.50}}", "{1,NULL,{2.5}}", True),
        (NUMERICS, "{1.0,2}", "{1.0,20}", False),
        (JSONB, '{"a": 1.0, "b": [2.50]}', '{"a": 1.00, "b": [2.5]}', True),
        (JSONB, '{"a": "1.0"}', '{"a": "1.00"}', False),
        (JSONB, '{"a": 1}', '{"a": "1"}', False),
    ],
)
def test_values_are_compared_by_their_type(kind: int, one: str, other: str, same: bool) -> None:
    theirs, ours = result({"price": one}, kind=kind), result({"price": other}, kind=kind)
    looks = [[Look(after="put", results={GET: each})] for each in (theirs, ours)]
    missed = own(*looks)
    assert (missed == []) == same
    if missed:
        assert json.loads(missed[0].found) == {"price": one}


def test_a_declared_new_column_is_one_that_old_servers_cannot_know() -> None:
    host = RelationName("public", "host")
    added: Refactoring = AddColumn(table=host, column="priority", type="integer")
    renamed: Refactoring = RenameColumn(table=host, column="os", to="os_name")
    steps = tuple(
        Step(
            change=f"c{number}",
            phase=Phase.EXPAND,
            sql=Script(name="x"),
            refactoring=refactoring,
            origin=HERE,
        )
        for number, refactoring in enumerate((added, renamed, None))
    )
    product = product_of({"1.0.0": 0})
    (first,) = product.releases
    with_steps = replace(first, database=replace(first.database, steps=steps))
    assert one_sided(replace(product, releases=(with_steps,))) == {"priority"}
