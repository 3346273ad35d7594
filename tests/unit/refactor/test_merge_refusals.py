"""Merges that would break somebody are refused, each with a cure."""

import re
from dataclasses import replace

import pytest

from toolchain.model.refactoring import MergeTables
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import (
    Check,
    Column,
    ForeignKey,
    Index,
    Key,
    Schema,
    TableSchema,
    Trigger,
)
from toolchain.refactor.merge.tables import phases
from toolchain.refactor.phases import UnableError

HOST = RelationName("public", "host")
PART = RelationName("public", "hardware")
OTHER = RelationName("public", "other")
REFERENCE = ForeignKey(
    name="hardware_fkey", columns=("host",), table=HOST, references=("id",), on_delete="cascade"
)
INTO = TableSchema(
    name=HOST,
    columns=(Column(name="id", type="bigint", not_null=True), Column(name="name", type="text")),
    keys=(Key(name="host_pkey", columns=("id",), primary=True),),
)
HARDWARE = TableSchema(
    name=PART,
    columns=(Column(name="host", type="bigint", not_null=True), Column(name="cpu", type="text")),
    keys=(Key(name="hardware_pkey", columns=("host",), primary=True),),
    foreign_keys=(REFERENCE,),
)
EACH_UPDATE = Trigger(name="touch", timing="before", events=frozenset({"update"}), each_row=True)


def merge(into: TableSchema, part: TableSchema, *others: TableSchema) -> None:
    schema = Schema(tables={table.name: table for table in (into, part, *others)})
    phases("merge", MergeTables(tables=(PART,), into=HOST), schema)


def test_a_plain_merge_is_not_refused() -> None:
    merge(INTO, HARDWARE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"foreign_keys": ()}, "does not refer to the primary key of public.host"),
        ({"foreign_keys": (replace(REFERENCE, on_delete="no action"),)}, "from being deleted"),
        ({"triggers": (EACH_UPDATE,)}, "has the trigger touch"),
        ({"rules": ("quiet",)}, "has the rule quiet"),
        ({"row_security": True}, "row level security"),
        ({"policies": ("own",)}, "row level security"),
        ({"views": (OTHER,)}, "the view public.other reads"),
        ({"publications": ("news",)}, "published by news"),
        ({"children": True}, "partitioned"),
        ({"columns": HARDWARE.columns[:1]}, "no column to merge"),
        (
            {"keys": (*HARDWARE.keys, Key(name="hardware_cpu_key", columns=("cpu",)))},
            "hardware_cpu_key keeps the values of cpu unique",
        ),
        (
            {"indexes": (Index(name=OTHER, columns=("cpu",), definition="", unique=True),)},
            "public.other keeps values unique",
        ),
        (
            {"checks": (Check(name="odd", expression="host > 1", columns=frozenset({"host"})),)},
            "the check odd reads host",
        ),
        (
            {
                "foreign_keys": (
                    REFERENCE,
                    replace(REFERENCE, name="cpu_fkey", columns=("cpu",), table=OTHER),
                )
            },
            "cpu_fkey is ON DELETE CASCADE",
        ),
        (
            {
                "foreign_keys": (
                    REFERENCE,
                    ForeignKey(
                        name="cpu_fkey",
                        columns=("cpu",),
                        table=OTHER,
                        references=("id",),
                        on_update="cascade",
                    ),
                )
            },
            "cpu_fkey is ON UPDATE CASCADE",
        ),
        (
            {"columns": (HARDWARE.columns[0], Column(name="name", type="text"))},
            "public.host would have two columns name",
        ),
        (
            {"columns": (HARDWARE.columns[0], Column(name="x", type="int", generated="1"))},
            "x of public.hardware is generated",
        ),
        (
            {"columns": (HARDWARE.columns[0], Column(name="x", type="int", identity="always"))},
            "x of public.hardware is an identity",
        ),
    ],
)
def test_a_part_that_cannot_be_a_view_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(UnableError, match=re.escape(message)) as refusal:
        merge(INTO, replace(HARDWARE, **change))  # type: ignore[arg-type]
    assert refusal.value.cure


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"triggers": (EACH_UPDATE,)}, "the trigger touch of public.host fires at each UPDATE"),
        ({"rules": ("quiet",)}, "has rules"),
        ({"row_security": True}, "public.host has row level security"),
        ({"children": True}, "partitioned"),
        ({"keys": ()}, "no plain primary key of one column"),
    ],
)
def test_a_table_that_cannot_take_the_columns_is_refused(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(UnableError, match=re.escape(message)) as refusal:
        merge(replace(INTO, **change), HARDWARE)  # type: ignore[arg-type]
    assert refusal.value.cure


def test_a_trigger_on_other_columns_is_no_reason() -> None:
    merge(replace(INTO, triggers=(replace(EACH_UPDATE, columns=("name",)),)), HARDWARE)


def test_a_part_that_others_refer_to_is_refused() -> None:
    other = TableSchema(
        name=OTHER,
        foreign_keys=(replace(REFERENCE, name="other_fkey", table=PART, references=("host",)),),
    )
    with pytest.raises(UnableError, match="other_fkey of public.other refers to public.hardware"):
        merge(INTO, HARDWARE, other)


def test_a_table_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnableError, match="there is no table public.hardware"):
        phases("merge", MergeTables(tables=(PART,), into=HOST), Schema(tables={HOST: INTO}))
