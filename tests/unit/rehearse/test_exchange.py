"""What counts as missed, of values alone."""

from collections.abc import Mapping
from dataclasses import replace

from tests.unit.rehearse.values import HERE, product_of
from toolchain.matrix.measured.exchange import (
    Look,
    Missed,
    Reader,
    Result,
    unlike_its_own,
    unlike_the_writer,
)
from toolchain.model.change import Phase, Script, Step
from toolchain.model.refactoring import AddColumn, Refactoring, RenameColumn
from toolchain.model.relation_name import RelationName
from toolchain.model.statement import Statement
from toolchain.rehearse.exchange import one_sided

TEXT, NUMBER = 25, 20
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
    assert (missed.after, missed.own) == ("put", True)
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
    assert (missed.reader, missed.own) == (GET, False)
    assert seen(wide, result({"id": "1", "os": "3"}, kind=NUMBER)) == []
    assert seen(wide, result({"name": "n"})) == []


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
