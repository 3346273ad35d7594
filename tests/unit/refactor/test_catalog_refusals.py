"""Catalogue changes that would break somebody are refused, each with a cure."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from toolchain.model.refactoring import (
    AddConstraint,
    AddEnumValue,
    AddIndex,
    DropConstraint,
    DropIndex,
    DropTable,
    SetDefault,
)
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Check, Column, ForeignKey, Index, Key, Schema, TableSchema
from toolchain.refactor.catalog import (
    add_constraint,
    add_enum_value,
    add_index,
    drop_constraint,
    drop_index,
    drop_table,
    set_default,
)
from toolchain.refactor.phases import Phases, UnableError

HOST = RelationName("public", "host")
JOB = RelationName("public", "job")
EVENT = RelationName("public", "event")
STATE = RelationName("public", "state")

SCHEMA = Schema(
    tables={
        HOST: TableSchema(
            name=HOST,
            columns=(
                Column(name="id", type="bigint", not_null=True, identity="always"),
                Column(name="name", type="text", not_null=True),
                Column(name="os", type="text", default="''"),
                Column(name="code", type="uuid"),
            ),
            keys=(
                Key(name="host_pkey", columns=("id",), primary=True),
                Key(name="host_name_key", columns=("name",)),
            ),
            checks=(Check(name="host_os", expression="os <> 'x'", columns=frozenset({"os"})),),
            indexes=(
                Index(
                    name=HOST.beside("host_code"),
                    columns=("code",),
                    definition="CREATE UNIQUE INDEX host_code ON public.host (code)",
                    unique=True,
                ),
            ),
            views=(RelationName("public", "hosts"),),
        ),
        JOB: TableSchema(
            name=JOB,
            columns=(
                Column(name="host", type="text", not_null=True),
                Column(name="code", type="uuid"),
            ),
            foreign_keys=(
                ForeignKey(name="job_host", columns=("host",), table=HOST, references=("name",)),
                ForeignKey(name="job_code", columns=("code",), table=HOST, references=("code",)),
            ),
        ),
        EVENT: TableSchema(name=EVENT, columns=(Column(name="at", type="date"),), children=True),
    },
    views=frozenset({RelationName("public", "hosts")}),
    enums={STATE: ("waiting", "done")},
)

A_REFERENCE = AddConstraint(
    table=JOB, name="job_host_again", columns=("host",), references=HOST, referenced=("name",)
)

REFUSALS: list[tuple[Callable[[], Phases], str]] = [
    (lambda: index(table=RelationName("public", "nothing")), "there is no table public.nothing"),
    (lambda: index(on=("nothing",)), "public.host has no column nothing"),
    (lambda: index(table=EVENT, on=("at",)), "public.event is partitioned"),
    (lambda: index(name="host_name_key"), "has a relation host_name_key already"),
    (lambda: index(name="host_code"), "has a relation host_code already"),
    (lambda: index(name="job"), "has a relation job already"),
    (lambda: index(name="hosts"), "has a relation hosts already"),
    (lambda: index(name="x" * 64), "more than 63 bytes"),
    (lambda: index(unique=True, using="hash"), "only a btree"),
    (lambda: without_index("host_name_key"), "belongs to a constraint"),
    (lambda: without_index("host_code"), "job_code of public.job needs"),
    (lambda: without_index("nothing"), "public.nothing is not known"),
    (lambda: constraint(name="job_host"), "has a constraint job_host already"),
    (lambda: constraint(references=None), "neither a check, nor unique, nor a reference"),
    (lambda: constraint(references=RelationName("public", "nothing")), "no table public.nothing"),
    (lambda: constraint(references=EVENT, referenced=()), "no primary key"),
    (lambda: constraint(referenced=("os",)), "os of public.host are no unique key"),
    (lambda: constraint(referenced=("id",)), "host of public.job is text, and id"),
    (lambda: constraint(columns=("host", "code")), "has 2 columns and refers to 1"),
    (lambda: constraint(on_delete="set null"), "would refuse every delete"),
    (lambda: constraint(on_delete="explode"), "nothing that a foreign key does"),
    (lambda: constraint(references=None, unique=("nothing",)), "no column nothing"),
    (lambda: without_constraint("nothing"), "no constraint nothing"),
    (lambda: without_constraint("host_pkey"), "primary key"),
    (lambda: without_constraint("host_name_key"), "job_host of public.job refers to name"),
    (lambda: default("id", "1"), "an identity column"),
    (lambda: default("name", None), "has no default"),
    (lambda: label("done"), "has the label done already"),
    (lambda: label("late", before="nothing"), "has no label nothing"),
    (lambda: label("late", before="done", after="waiting"), "before another or after it"),
    (lambda: label("x" * 64), "1 to 63 bytes"),
    (lambda: label("late", type=HOST), "public.host is not known"),
    (lambda: without_table(HOST), "job_host of public.job refers to public.host"),
    (lambda: without_table(JOB), "could not delete there"),
    (lambda: without_table(EVENT), "is partitioned"),
]


@pytest.mark.parametrize(("refused", "because"), REFUSALS, ids=[why for _, why in REFUSALS])
def test_each_refusal_has_a_sentence_and_a_cure(
    refused: Callable[[], Phases], because: str
) -> None:
    with pytest.raises(UnableError, match=re.escape(because)) as caught:
        refused()
    assert caught.value.cure


def test_a_view_on_the_table_keeps_it() -> None:
    alone = replace(SCHEMA, tables={HOST: SCHEMA.tables[HOST]})
    with pytest.raises(UnableError, match=r"the view public\.hosts reads public\.host"):
        drop_table.phases("change", DropTable(table=HOST), alone)


def test_a_plain_index_is_seen_by_no_server_and_a_unique_one_is() -> None:
    assert not index().two_forms
    assert index(unique=True).two_forms


def test_expressions_stay_and_names_are_quoted() -> None:
    sql = index(name="Odd", on=("os", "(lower(name))"), where="os IS NOT NULL").expand.sql
    assert 'CREATE INDEX CONCURRENTLY "Odd"' in sql
    assert "USING btree (os, (lower(name)))\n    WHERE os IS NOT NULL;" in sql


@pytest.mark.parametrize(("one", "other"), [("integer", "bigint"), ("varchar(20)", "text")])
def test_a_reference_may_cross_types_that_compare(one: str, other: str) -> None:
    target = TableSchema(
        name=HOST,
        columns=(Column(name="id", type=other),),
        keys=(Key(name="host_pkey", columns=("id",), primary=True),),
    )
    source = TableSchema(name=JOB, columns=(Column(name="host", type=one),))
    wanted = AddConstraint(table=JOB, name="job_host", columns=("host",), references=HOST)
    found = add_constraint.phases("c", wanted, Schema(tables={HOST: target, JOB: source}))
    assert "REFERENCES public.host (id)" in found.expand.sql


def index(**more: object) -> Phases:
    wanted = replace(AddIndex(table=HOST, name="host_os_index", on=("os",)), **more)  # type: ignore[arg-type]
    return add_index.phases("change", wanted, SCHEMA)


def without_index(name: str) -> Phases:
    return drop_index.phases("change", DropIndex(index=HOST.beside(name)), SCHEMA)


def constraint(**more: object) -> Phases:
    return add_constraint.phases("change", replace(A_REFERENCE, **more), SCHEMA)  # type: ignore[arg-type]


def without_constraint(name: str) -> Phases:
    return drop_constraint.phases("change", DropConstraint(table=HOST, name=name), SCHEMA)


def default(column: str, value: str | None) -> Phases:
    wanted = SetDefault(table=HOST, column=column, default=value)
    return set_default.phases("change", wanted, SCHEMA)


def label(value: str, **more: object) -> Phases:
    wanted = replace(AddEnumValue(type=STATE, value=value), **more)  # type: ignore[arg-type]
    return add_enum_value.phases("change", wanted, SCHEMA)


def without_table(table: RelationName) -> Phases:
    return drop_table.phases("change", DropTable(table=table), SCHEMA)
