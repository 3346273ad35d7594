"""What a refactoring holds fast until its contract, and what others may do meanwhile."""

import pytest

from tests.unit.spec.refactoring.product import SPLIT, Specs

RENAME = "rename_table: {table: host, to: machine}"
COLUMN = "rename_column: {table: host, column: os, to: system}"


def codes(specs: Specs) -> list[str]:
    return [told.split(":")[1].split()[1] for told in specs.told()]


@pytest.mark.parametrize(
    ("expand", "raw"),
    [
        (RENAME, "ALTER TABLE host ADD COLUMN extra text;"),
        (RENAME, "CREATE INDEX CONCURRENTLY host_os ON host (os);"),
        (SPLIT, "ALTER TABLE host ADD CHECK (cpu < 1000) NOT VALID;"),
        (SPLIT, "ALTER TABLE host ENABLE ROW LEVEL SECURITY;"),
        (SPLIT, "CREATE VIEW wide AS SELECT * FROM host;"),
        (COLUMN, "ALTER TABLE host ADD CHECK (os <> '') NOT VALID;"),
    ],
)
def test_a_raw_step_that_moves_what_is_held(expand: str, raw: str) -> None:
    migrate = None if expand == RENAME else "change: it"
    once = "\n      transaction: false" if "CONCURRENTLY" in raw else ""
    specs = Specs(
        expand=expand, migrate=migrate, contract=None, raw=raw,
        later=f"sql: b.sql{once}\n      allow: {{lint-narrows: Servers of all releases obey it.}}"
        if "CHECK" in raw else f"sql: b.sql{once}",
    )  # fmt: skip
    (told,) = [each for each in specs.told() if "refactoring-under-way" in each]
    assert told.startswith(
        "1.2.0.yaml:8 refactoring-under-way: the step later.expand changes public.host"
    )
    assert "move it before the expand of it" in told


@pytest.mark.parametrize(
    ("expand", "raw"),
    [
        (SPLIT, "ALTER TABLE host ADD COLUMN extra text;"),
        (SPLIT, "CREATE INDEX CONCURRENTLY host_os ON host (os);"),
        (SPLIT, "ALTER TABLE job ADD COLUMN extra text;"),
        (COLUMN, "CREATE INDEX CONCURRENTLY host_system ON host (system);"),
        (COLUMN, "ALTER TABLE host ADD COLUMN extra text;"),
    ],
)
def test_a_raw_step_beside_what_is_held(expand: str, raw: str) -> None:
    once = "\n      transaction: false" if "CONCURRENTLY" in raw else ""
    specs = Specs(expand=expand, contract=None, raw=raw, later=f"sql: b.sql{once}")
    assert "refactoring-under-way" not in codes(specs)


@pytest.mark.parametrize(
    ("first", "second", "meet"),
    [
        (SPLIT, "rename_column: {table: host, column: cpu, to: cores}", True),
        (SPLIT, "split_table: {table: host, into: {system: {columns: [os]}}}", False),
        (RENAME, "add_column: {table: host, column: extra, type: text}", True),
        (COLUMN, "change_columns: {table: host, old: {os: s}, new: {s: {type: text, value: os}}}",
         True),
        (COLUMN, "rename_column: {table: host, column: memory, to: mb}", False),
        ("drop_table: {table: disk}", "rename_table: {table: disk, to: volume}", True),
        ("drop_index: {index: job_by_host}", "drop_column: {table: job, column: host_id}", True),
        ("drop_index: {index: job_by_host}", "drop_column: {table: job, column: host_note}", False),
        ("drop_default: {table: job, column: priority}",
         "rename_column: {table: job, column: priority, to: urgency}", True),
        ("drop_table: {table: disk}", "add_foreign_key: {table: job, name: k, columns: [id],"
         " references: disk, referenced: [host_id]}", True),
        (COLUMN, "rename_column: {table: job, column: priority, to: urgency}", False),
    ],
)  # fmt: skip
def test_two_refactorings(first: str, second: str, meet: bool) -> None:
    specs = Specs(
        expand=first,
        beside=second,
        migrate=None if first == RENAME else "change: it",
        contract=None,
    )
    assert ("refactoring-under-way" in codes(specs)) is meet


def test_a_contract_comes_after_the_expands_of_its_release() -> None:
    second = "rename_column: {table: host, column: os, to: os_name}"
    assert "refactoring-under-way" in codes(Specs(expand=COLUMN, later=second))


@pytest.mark.parametrize(
    ("on", "told"),
    [("(os); CREATE INDEX b ON host (system)", False), ("(system)", True), ("(cpu)", False)],
)
def test_an_index_on_the_shadow_of_a_renamed_column_ends_with_it(on: str, told: bool) -> None:
    allow = "{lint-index-lock: The table has four rows today., lint-index-drop: It has four rows.}"
    specs = Specs(
        expand=COLUMN,
        beside=f"sql: b.sql\n      allow: {allow}",
        raw=f"CREATE INDEX a ON host {on};",
    )
    told_now = [each for each in specs.told() if "with the shadow column" in each]
    assert bool(told_now) is told


def test_a_refusal_names_what_is_under_way_on_the_table() -> None:
    """The trigger in the way is generated, so its name alone would tell a developer nothing."""
    second = "split_table: {table: host, into: {hardware: {columns: [cpu]}}}"
    (told,) = Specs(
        expand=SPLIT.replace("hardware", "parts"),
        beside=second.replace("cpu", "name"),
        contract=None,
    ).told()
    assert "(it of product/1.1.0.yaml:8:7 is under way on public.host)" in told
    assert "move it behind the contract of it, or " in told
