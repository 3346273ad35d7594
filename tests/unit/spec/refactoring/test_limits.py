"""A statement that a form cannot bear is told, for servers that may meet the form."""

import pytest

from tests.unit.spec.refactoring.product import SPLIT, Specs
from toolchain.model.relation_name import RelationName
from toolchain.refactor.phases import Act
from toolchain.spec.problem import Problem
from toolchain.spec.refactoring.acts import Done, acts_of
from toolchain.spec.sql.parser import parse

HOST = RelationName("public", "host")
UPSERT = """\
-- name: put-hardware
INSERT INTO hardware (host_id, cpu) VALUES ($1, $2)
ON CONFLICT (host_id) DO UPDATE SET cpu = excluded.cpu;
"""


@pytest.mark.parametrize(
    ("sql", "done"),
    [
        ("INSERT INTO host (id, os) VALUES (1, 'a')",
         [Done(Act.INSERT, HOST, frozenset({"id", "os"}))]),
        ("INSERT INTO public.host (id) VALUES (1) ON CONFLICT DO NOTHING",
         [Done(Act.INSERT, HOST, frozenset({"id"})), Done(Act.ON_CONFLICT, HOST, frozenset({"id"}))]),
        ("UPDATE host SET os = 'a' WHERE id = 1", [Done(Act.UPDATE, HOST, frozenset({"os"}))]),
        ("DELETE FROM host", [Done(Act.DELETE, HOST)]),
        ("TRUNCATE host, other.disk",
         [Done(Act.TRUNCATE, HOST), Done(Act.TRUNCATE, RelationName("other", "disk"))]),
        ("MERGE INTO host USING disk ON host.id = disk.id WHEN MATCHED THEN DELETE",
         [Done(Act.MERGE, HOST)]),
        ("INSERT INTO host (id) VALUES (1) ON CONFLICT ON CONSTRAINT host_pkey DO NOTHING",
         [Done(Act.INSERT, HOST, frozenset({"id"})), Done(Act.ON_CONFLICT, HOST, frozenset({"id"})),
          Done(Act.ON_CONSTRAINT, HOST, frozenset({"id"}))]),
        ("COPY host FROM STDIN", [Done(Act.COPY, HOST)]),
        ("COPY host TO STDOUT", [Done(Act.COPY_OUT, HOST)]),
        ("COPY (SELECT * FROM host) TO STDOUT", []),
        ("SELECT * FROM host", []),
        ("SELECT * FROM host FOR UPDATE", [Done(Act.LOCK, HOST)]),
        ("WITH gone AS (DELETE FROM host RETURNING id) SELECT * FROM gone", [Done(Act.DELETE, HOST)]),
    ],
)  # fmt: skip
def test_acts(sql: str, done: list[Done]) -> None:
    parsed = parse("", sql)
    assert not isinstance(parsed, Problem)
    assert list(acts_of(parsed[0])) == done


def test_an_upsert_of_a_view_is_told_at_its_line() -> None:
    (told,) = Specs(expand=SPLIT, second_statements=f"-- statements\n{UPSERT}").told()
    assert told.startswith("two.sql:3 statement-limit: the statement put-hardware meets")


def test_copies_bear_it() -> None:
    copied = SPLIT.replace("{table: host,", "{table: host, strategy: copy,")
    assert Specs(expand=copied, second_statements=UPSERT).told() == []


def test_other_statements_are_left_alone() -> None:
    fine = UPSERT.split("\nON", maxsplit=1)[0] + ";\n"
    assert (
        Specs(expand=SPLIT, statements="-- name: a\nSELECT 1;\n", second_statements=fine).told()
        == []
    )


LOOKUP = "extract_lookup: {table: host, column: os, into: system, reference: system_id}"


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("INSERT INTO system (name) VALUES ($1)", False),
        ("INSERT INTO system (name) VALUES ($1) ON CONFLICT (name) DO UPDATE"
         " SET name = excluded.name RETURNING id", False),
        ("UPDATE system SET name = $1 WHERE id = $2", True),
        ("DELETE FROM system WHERE id = $1", True),
    ],
)  # fmt: skip
def test_values_of_a_lookup_may_be_added_only(sql: str, told: bool) -> None:
    specs = Specs(expand=LOOKUP, second_statements=f"-- name: it\n{sql};\n")
    assert bool(specs.told()) is told, specs.told()
