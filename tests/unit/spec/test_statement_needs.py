"""A statement that needs what a shard does not have, where the windows let its server run there."""

import pytest

from tests.unit.spec.memory import Memory
from tests.unit.spec.refactoring.product import Specs
from toolchain.spec.codes import Code
from toolchain.spec.load import check_product

UPSERT = (
    "-- name: put\nINSERT INTO host (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING;\n"
)
BY_NAME = UPSERT.replace("(name) DO", "ON CONSTRAINT host_name_key DO")
UNIQUE = "ALTER TABLE public.host ADD CONSTRAINT host_name_key UNIQUE (name);\n"
INDEX = "CREATE UNIQUE INDEX host_name_key ON public.host (name);\n"
DROP_KEY = "drop_constraint: {table: host, name: host_name_key}"
DROP_INDEX = "drop_index: {index: host_name_key}"
ADD_KEY = (
    "add_unique: {table: host, name: host_name_key, columns: [name]}\n"
    "      allow: {lint-narrows: Servers of all releases look for the name first.}"
)


def told(
    expand: str, raw: str, first: str = "", second: str = "", contract: str | None = "change: it"
) -> list[str]:
    return Specs(
        expand=expand,
        migrate=None,
        contract=contract,
        before="sql: b.sql",
        raw=raw,
        statements=first,
        second_statements=second,
    ).told()


@pytest.mark.parametrize(
    ("expand", "raw", "statement", "need"),
    [
        (DROP_KEY, UNIQUE, UPSERT, "a unique key (name) of public.host for its ON CONFLICT"),
        (DROP_INDEX, INDEX, UPSERT, "a unique key (name) of public.host for its ON CONFLICT"),
        (DROP_KEY, UNIQUE, BY_NAME, "the constraint host_name_key of public.host"),
        ("drop_column: {table: host, column: os}", "SELECT 1;\n",
         "-- name: put\nUPDATE host SET os = NULL;\n", "the column os of public.host"),
        ("drop_table: {table: disk}", "SELECT 1;\n",
         "-- name: put\nSELECT * FROM disk WHERE host_id = $1;\n", "the table public.disk"),
    ],
)  # fmt: skip
def test_a_server_of_the_new_form_that_needs_the_old(
    expand: str, raw: str, statement: str, need: str
) -> None:
    """1.1.0 says that it does without; 1.2.0 removes it, and accepts servers from 1.1.0 on."""
    (problem,) = told(expand, raw, second=statement)
    assert problem == (
        f"two.sql:2 statement-need: the statement put needs {need}, which shards of 1.2.0 do not"
        " have, and the server of 1.1.0 may run on them; write the statement without it, or say so"
        " in 1.1.0.yaml (server.forms: {it: old}), or move it.contract to a later release"
    )
    # A server of the old form is kept away, and the last one that needs it may say so.
    assert told(expand, raw, first=statement) == []
    assert told(expand, raw, second=statement, contract=None) == []


def test_the_window_ends_where_the_key_goes() -> None:
    """What the first cure does: the contract's shards refuse the server that needs the key."""
    files = Specs(
        expand=DROP_KEY, migrate=None, before="sql: b.sql", raw=UNIQUE, second_statements=UPSERT
    ).files()
    files["1.1.0.yaml"] += b"  forms: {it: old}\n"
    (problem,) = check_product(Memory(files), {}).problems
    assert problem.code is Code.WINDOW_TOO_NARROW  # the product promises to reach back by one
    files["product.yaml"] = files["product.yaml"].replace(b"skew: 1", b"skew: 0")
    product = check_product(Memory(files), {}).product
    assert product is not None
    assert str(product.releases[2].database.servers) == ">= 1.2.0"


def test_a_server_that_the_window_keeps_away_may_need_it() -> None:
    files = Specs(
        expand=DROP_KEY, migrate=None, before="sql: b.sql", raw=UNIQUE, second_statements=UPSERT
    ).files()
    files["product.yaml"] = files["product.yaml"].replace(b"skew: 1", b"skew: 0")
    assert len(check_product(Memory(files), {}).problems) == 1
    files["1.2.0.yaml"] += b"compatibility: {database: {servers: '>= 1.2.0'}}\n"
    assert check_product(Memory(files), {}).problems == ()


def test_a_key_that_is_not_there_yet() -> None:
    """1.0.0 would need what 1.1.0 makes; the server of 1.1.0 is kept from shards without it."""
    (problem,) = told(ADD_KEY, "SELECT 1;\n", first=UPSERT)
    assert "which shards of 1.0.0 do not have" in problem
    assert problem.endswith("; write the statement without it")
    assert told(ADD_KEY, "SELECT 1;\n", second=UPSERT) == []


def test_a_key_that_the_own_release_removes() -> None:
    files = Specs(expand=DROP_KEY, migrate=None, before="sql: b.sql", raw=UNIQUE).files()
    files["1.2.0.yaml"] += b"  statements: put.sql\n"
    files["put.sql"] = UPSERT.encode()
    (problem,) = check_product(Memory(files), {}).problems
    assert problem.cure == "write the statement without it, or move it.contract to a later release"


def test_a_server_of_both_forms_may_ask_first() -> None:
    files = Specs(
        expand=DROP_KEY, migrate=None, before="sql: b.sql", raw=UNIQUE, second_statements=UPSERT
    ).files()
    files["1.1.0.yaml"] += b"  forms: {it: both}\n"
    assert check_product(Memory(files), {}).problems == ()


@pytest.mark.parametrize(
    "raw",
    [
        f"{UNIQUE}DO $$ BEGIN EXECUTE 'CREATE UNIQUE INDEX later ON host (name)'; END $$;\n",
        "CREATE SCHEMA other;\nCREATE TABLE other.host (name text UNIQUE);\n",
    ],
    ids=["SQL that nobody follows", "another table"],
)
def test_what_is_not_known_is_not_told(raw: str) -> None:
    expand = DROP_KEY if "host_name_key" in raw else "drop_table: {table: disk}"
    assert told(expand, raw, second=UPSERT) == []


def test_a_name_of_a_with_clause_is_no_table() -> None:
    query = "-- name: put\nWITH disk AS (SELECT 1) SELECT * FROM disk;\n"
    assert told("drop_table: {table: disk}", "SELECT 1;\n", second=query) == []
