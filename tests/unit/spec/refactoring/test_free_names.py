"""Names that the phases of a refactoring make, and that something else has already."""

import pytest

from tests.unit.spec.refactoring.product import SPLIT, Specs

COPY = SPLIT.replace("into", "strategy: copy, into")
LOOKUP = "extract_lookup: {table: host, column: os, into: systems, reference: system_id}"
RENAME = "rename_column: {table: host, column: os, to: system}"


def told(operation: str, before: str) -> list[str]:
    return Specs(expand=operation, raw=before, before="sql: b.sql").told()


@pytest.mark.parametrize(
    ("operation", "before", "what"),
    [
        (SPLIT, "CREATE TABLE public.hardware_next (id int);", "public.hardware_next"),
        (SPLIT, "CREATE SEQUENCE public.hardware_next;", "public.hardware_next"),
        (SPLIT, "CREATE DOMAIN public.hardware_next AS int;", "public.hardware_next"),
        (COPY, "CREATE TABLE public.other (id int CONSTRAINT hardware_pkey PRIMARY KEY);",
         "public.hardware_pkey"),
        (SPLIT, "CREATE FUNCTION public.hardware_insert() RETURNS trigger LANGUAGE plpgsql"
         " AS 'BEGIN RETURN NEW; END';", "the function public.hardware_insert"),
        (LOOKUP, "CREATE TABLE public.other (id int CONSTRAINT systems_pkey PRIMARY KEY);",
         "public.systems_pkey"),
        (RENAME, "CREATE FUNCTION public.interlock_it() RETURNS trigger LANGUAGE plpgsql"
         " AS 'BEGIN RETURN NEW; END';", "the function public.interlock_it"),
    ],
)  # fmt: skip
def test_a_name_that_is_taken_is_told_at_the_expand(operation: str, before: str, what: str) -> None:
    (sentence,) = told(operation, before)
    assert sentence.startswith("1.1.0.yaml:9 refactoring: it makes")
    assert f"it makes {what}, and there is one of that name already; " in sentence


@pytest.mark.parametrize(
    ("operation", "before"),
    [
        (SPLIT, "CREATE TABLE public.other (id int); DROP TABLE public.other;"),
        (SPLIT, "CREATE FUNCTION public.hardware_insert(int) RETURNS int LANGUAGE sql AS 'SELECT 1';"),
        (SPLIT, "CREATE SCHEMA other; CREATE TABLE other.hardware_next (id int);"),
        (COPY, "CREATE DOMAIN public.hardware_pkey AS int;"),
    ],
)  # fmt: skip
def test_a_name_that_is_free(operation: str, before: str) -> None:
    assert told(operation, before) == []


def test_two_parts_of_one_split() -> None:
    both = "split_table: {table: host, into: {hw: {columns: [cpu]}, hw_next: {columns: [memory]}}}"
    (sentence,) = Specs(expand=both).told()
    assert "it makes public.hw_next, and there is one" in sentence


def test_a_name_that_is_taken_between_the_phases() -> None:
    specs = Specs(
        expand=SPLIT,
        migrate_with="1.2.0",
        contract=None,
        raw="CREATE TABLE public.hardware_next (id int);",
        later="sql: b.sql",
    )
    (sentence,) = specs.told()
    assert sentence.startswith("1.2.0.yaml:")
    assert "it makes public.hardware_next, and there is one" in sentence
