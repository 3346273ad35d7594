"""Every operation of the spec becomes its refactoring, and SQL for its phases."""

import pytest

from tests.unit.spec.refactoring.product import Specs
from toolchain.model.refactoring import (
    AddColumn,
    AddConstraint,
    AddEnumValue,
    AddIndex,
    ChangeColumns,
    DropColumn,
    DropConstraint,
    DropIndex,
    DropTable,
    ExtractLookup,
    MergeTables,
    MoveColumns,
    NewColumn,
    OldColumn,
    Part,
    Refactoring,
    RenameColumn,
    RenameTable,
    SetDefault,
    SetNotNull,
    SplitTable,
    Strategy,
)
from toolchain.model.relation_name import RelationName

HOST, JOB = RelationName("public", "host"), RelationName("public", "job")

# The operation, what it is to the model, and the later phases that it has.
OPERATIONS: list[tuple[str, Refactoring, str]] = [
    ("split_table: {table: host, into: {hardware: {columns: [cpu, memory]}}}",
     SplitTable(table=HOST, into=(
         Part(table=RelationName("public", "hardware"), columns=("cpu", "memory")),)), "mc"),
    ("split_table: {table: public.host, strategy: copy, into: {hardware:"
     " {columns: [cpu], rename: [host]}}}",
     SplitTable(table=HOST, strategy=Strategy.COPY, into=(
         Part(table=RelationName("public", "hardware"), columns=("cpu",), rename=("host",)),)),
     "mc"),
    ("split_table: {table: host, into: {system: {columns: [os], key: [name]}}}",
     SplitTable(table=HOST, into=(
         Part(table=RelationName("public", "system"), columns=("os",), key=("name",)),)), "mc"),
    ("merge_tables: {tables: [disk], into: host}",
     MergeTables(tables=(RelationName("public", "disk"),), into=HOST), "mc"),
    ("move_columns: {table: job, columns: [host_note], along: [host_id], to: host}",
     MoveColumns(table=JOB, columns=("host_note",), along=("host_id",), to=HOST), "mc"),
    ("rename_table: {table: host, to: machine}", RenameTable(table=HOST, to="machine"), "c"),
    ("rename_column: {table: host, column: os, to: system}",
     RenameColumn(table=HOST, column="os", to="system"), "mc"),
    ("change_columns: {table: host, old: {memory: mb / 2}, new: {mb: {type: bigint,"
     " value: memory * 2}}}",
     ChangeColumns(table=HOST, old=(OldColumn(name="memory", value="mb / 2"),),
                   new=(NewColumn(name="mb", type="bigint", value="memory * 2"),)), "mc"),
    ("add_column: {table: host, column: short, type: text, value: lower(name)}",
     AddColumn(table=HOST, column="short", type="text", value="lower(name)"), "mc"),
    ("set_not_null: {table: host, column: os, fill: name}",
     SetNotNull(table=HOST, column="os", fill="name"), "mc"),
    ("drop_column: {table: host, column: os}", DropColumn(table=HOST, column="os"), "c"),
    ("extract_lookup: {table: host, column: os, into: system, reference: system_id}",
     ExtractLookup(table=HOST, column="os", into=RelationName("public", "system"),
                   reference="system_id"), "mc"),
    ("drop_table: {table: disk}", DropTable(table=RelationName("public", "disk")), "c"),
    ("drop_constraint: {table: host, name: host_cpu_check}",
     DropConstraint(table=HOST, name="host_cpu_check"), ""),
    ("add_index: {table: host, name: by_name, 'on': [lower(name)], where: os IS NULL}",
     AddIndex(table=HOST, name="by_name", on=("(lower(name))",), where="os IS NULL"), ""),
    ("drop_index: {index: job_by_host}",
     DropIndex(index=RelationName("public", "job_by_host")), "c"),
    ("set_default: {table: job, column: priority, default: '0'}",
     SetDefault(table=JOB, column="priority", default="0"), ""),
    ("drop_default: {table: job, column: priority}",
     SetDefault(table=JOB, column="priority", default=None), ""),
    ("add_enum_value: {type: state, value: held, after: new}",
     AddEnumValue(type=RelationName("public", "state"), value="held", after="new"), ""),
    ("add_check: {table: host, name: named, check: name <> ''}\n"
     "      allow: {lint-narrows: Servers of all releases give a host its name.}",
     AddConstraint(table=HOST, name="named", check="name <> ''"), "c"),
    ("add_unique: {table: host, name: host_name_key, columns: [name]}\n"
     "      allow: {lint-narrows: Servers of all releases look for the name first.}",
     AddConstraint(table=HOST, name="host_name_key", unique=("name",)), "c"),
    ("add_foreign_key: {table: disk, name: disk_job, columns: [host_id], references: job}\n"
     "      allow: {lint-narrows: Servers of all releases write a job first.}",
     AddConstraint(table=RelationName("public", "disk"), name="disk_job", columns=("host_id",),
                   references=JOB), "c"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "refactoring", "later"), OPERATIONS, ids=[each[0][:40] for each in OPERATIONS]
)
def test_an_operation(operation: str, refactoring: Refactoring, later: str) -> None:
    specs = Specs(
        expand=operation,
        migrate="change: it" if "m" in later else None,
        contract="change: it" if "c" in later else None,
    )
    checked = specs.check()
    assert checked.product is not None, specs.told()
    steps = [step for release in checked.product.releases for step in release.database.steps]
    expand = next(step for step in steps if step.id == "it.expand")
    assert expand.refactoring == refactoring
    assert [step.id for step in steps if step.change == "it"] == [
        "it.expand", *(["it.migrate"] * ("m" in later)), *(["it.contract"] * ("c" in later)),
    ]  # fmt: skip
    assert all(step.sql.text for step in steps if step.change == "it")
