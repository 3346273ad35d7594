"""The steps of a declared change: which there must be, what each carries, and when it is ready."""

import pytest

from tests.unit.spec.refactoring.product import SPLIT, Specs
from toolchain.matrix.chain import product_chain
from toolchain.matrix.policies import compare_policies
from toolchain.model.change import Form
from toolchain.model.release import Product

RENAME = "rename_table: {table: host, to: machine}"
INDEX = "add_index: {table: host, name: by_name, 'on': [name]}"


def product(specs: Specs) -> Product:
    checked = specs.check()
    assert checked.product is not None, specs.told()
    return checked.product


def test_a_view_is_ready_before_anything_is_moved() -> None:
    built = product(Specs(expand=SPLIT, migrate_with="1.2.0"))
    held = product_chain(built).held
    assert [sorted(each.ready) for each in held] == [["tables"], ["it", "tables"], ["it", "tables"]]
    (migrate,) = [step for step in built.releases[2].database.steps if step.id == "it.migrate"]
    assert not migrate.readies
    assert migrate.batch is not None
    assert (migrate.batch.table, migrate.batch.key) == ("public.host", "id")
    assert migrate.batch.begin > 0
    assert built.releases[1].server.schemas.oldest == 2


def test_copies_are_ready_when_they_are_filled() -> None:
    copied = SPLIT.replace("{table: host,", "{table: host, strategy: copy,")
    built = product(Specs(expand=copied))
    (migrate,) = [step for step in built.releases[1].database.steps if step.id == "it.migrate"]
    assert migrate.readies
    late = Specs(expand=copied, migrate_with="1.2.0", contract=None)
    assert sorted(product_chain(product(late)).held[1].ready) == ["tables"]


def test_an_index_asks_nothing_of_a_server() -> None:
    built = product(Specs(expand=INDEX, migrate=None, contract=None))
    assert product_chain(built).form(2, "it") is Form.BOTH
    assert [cost.change for cost in compare_policies(built)] == ["tables"]
    assert built.releases[1].server.schemas.oldest == 1


@pytest.mark.parametrize(
    ("specs", "told"),
    {
        "no migrate": (Specs(expand=SPLIT, migrate=None),
                       "1.2.0.yaml:8 refactoring-steps: it would be contracted before its data"
                       " are moved"),
        "migrate too much": (Specs(expand=RENAME),
                             "1.1.0.yaml:11 refactoring-steps: the refactoring of it moves no"),
        "contract too much": (Specs(expand=INDEX, migrate=None),
                              "1.2.0.yaml:8 refactoring-steps: the refactoring of it leaves"),
        "no operation": (Specs(expand=RENAME, migrate=None, contract="change: tables"),
                         "1.2.0.yaml:8 operation: the step tables.contract has no SQL"),
        "two operations": (Specs(expand=f"{RENAME}\n      {SPLIT}"),
                           "1.1.0.yaml:8 operation: the step names the operations split_table and"
                           " rename_table"),
        "a dollar quote": (Specs(expand="set_not_null: {table: host, column: os, fill: \"'$function$'\"}"),
                           "1.1.0.yaml:9 refactoring-sql: ''$function$'' holds a dollar quote"),
        "a default of a column": (Specs(expand="set_default: {table: host, column: os, default: name}",
                                        migrate=None, contract=None),
                                  "1.1.0.yaml:9 refactoring-sql: 'name' is not a default: it reads"),
        "a function of the chain": (Specs(expand="set_not_null: {table: host, column: os, fill: f(name)}"),
                                    "1.1.0.yaml:9 refactoring-sql: f is a function of the chain"),
        "a type of the chain": (Specs(expand="set_not_null: {table: host, column: os,"
                                             " fill: \"CAST('new' AS state)\"}"),
                                "1.1.0.yaml:9 refactoring-sql: state is a type of the chain"),
        "an undo of its own": (Specs(expand=f"{INDEX}\n      undo: nope.sql", migrate=None, contract=None),
                              "1.1.0.yaml:10 unknown-key: the step it.expand has no SQL of its own"
                              " that 'undo' could be about; delete it"),
        "a batch of its own": (Specs(expand=SPLIT, migrate="change: it\n      batch: {table: host,"
                                     " key: id}"),
                               "1.1.0.yaml:12 unknown-key: the step it.migrate has no SQL"),
        "SQL of its own": (Specs(expand=SPLIT, contract="change: it\n      sql: b.sql"),
                           "1.2.0.yaml:9 refactoring-steps: the change it is a refactoring"),
        "unknown table": (Specs(expand=SPLIT.replace("host,", "hosts,")),
                          "1.1.0.yaml:9 refactoring: there is no table public.hosts"),
        "no expression": (Specs(expand="set_not_null: {table: host, column: os, fill: 'a; b'}"),
                          "1.1.0.yaml:9 refactoring-sql: 'a; b' is not an expression"),
        "unknown key": (Specs(expand="rename_table: {table: host, to: machine, too: b}"),
                        "1.1.0.yaml:9 unknown-key: there is no key 'too' here; write to"),
        "hostile name": (Specs(expand="rename_table: {table: host, to: 'a; DROP TABLE host'}"),
                         "1.1.0.yaml:9 name: 'a; DROP TABLE host' is not a name in a database"),
    }.values(),
)  # fmt: skip
def test_refusals(specs: Specs, told: str) -> None:
    (found,) = specs.told()
    assert found.startswith(told)


def test_findings_in_generated_sql_point_at_the_step() -> None:
    narrowing = "add_check: {table: host, name: named, check: name <> ''}"
    (found,) = Specs(expand=narrowing, migrate=None).told()
    assert found.startswith("1.1.0.yaml:8 lint-narrows: ")
    assert "of the generated it.expand" in found


def test_the_same_specs_give_the_same_bytes() -> None:
    first, second = (Specs(expand=SPLIT).sql("it.migrate") for _ in range(2))
    assert first == second
