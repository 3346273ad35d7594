"""Splits and renamings that would break somebody are refused, each with a cure."""

from dataclasses import replace

import pytest

from toolchain.model.refactoring import Part, RenameTable, SplitTable, Strategy
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Schema
from toolchain.refactor import rename_table
from toolchain.refactor.expressions import inputs, is_constant
from toolchain.refactor.phases import UnableError
from toolchain.refactor.split import table
from toolchain.spec.schema.replay import Replay

HOST = RelationName("public", "host")
TABLE = """
CREATE TABLE vendor (id bigint PRIMARY KEY);
CREATE TABLE host (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    cpu text,
    sockets integer
);
"""
BOTH = (
    "ALTER TABLE host ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY own ON host USING (name = current_user)",
    "CREATE RULE never AS ON DELETE TO host DO INSTEAD NOTHING",
    "CREATE PUBLICATION changes FOR TABLE host",
)
REFUSED = {
    "ALTER TABLE host ADD UNIQUE (name, cpu)": "the key host_name_cpu_key needs cpu",
    "ALTER TABLE host ADD CHECK (cpu <> name)": "the check host_check needs cpu",
    "CREATE INDEX two ON host (id, sockets)": "the index two needs sockets",
    "CREATE INDEX partly ON host (cpu) WHERE name <> ''": "the index partly needs cpu",
    "ALTER TABLE host ADD UNIQUE (cpu) DEFERRABLE": "host_cpu_key is deferrable",
    "ALTER TABLE host ADD CHECK (sockets > 0) NOT VALID": "host_sockets_check is NOT VALID",
    "ALTER TABLE host ADD FOREIGN KEY (sockets) REFERENCES vendor ON DELETE CASCADE":
        "deletes a row of public.host with one of public.vendor",
    "ALTER TABLE host ADD full_name text GENERATED ALWAYS AS (name || cpu) STORED":
        "the generated column public.host.full_name is computed from cpu",
    "ALTER TABLE host ALTER sockets SET NOT NULL,"
    " ALTER sockets ADD GENERATED ALWAYS AS IDENTITY": "sockets is an identity column",
    "ALTER TABLE host DROP cpu, ADD cpu text GENERATED ALWAYS AS (upper(name)) STORED":
        "cpu is a generated column",
    "ALTER TABLE host ALTER sockets SET DEFAULT random()": "has the default random()",
    "ALTER TABLE host ALTER cpu SET DEFAULT 'now'::timestamptz::text": "has the default",
    "ALTER TABLE host ADD UNIQUE (cpu); CREATE TABLE job (cpu text REFERENCES host (cpu))":
        "the foreign key job_cpu_fkey of public.job refers to public.host",
    "CREATE TRIGGER t BEFORE UPDATE OF cpu ON host FOR EACH ROW EXECUTE FUNCTION f()":
        "the trigger t is fired by an update of cpu",
    "CREATE VIEW names AS SELECT name FROM host": "the view public.names reads public.host",
    "ALTER TABLE host DROP CONSTRAINT host_pkey": "has no primary key",
    "ALTER TABLE host DROP CONSTRAINT host_pkey, ADD PRIMARY KEY (id, name)": "has no unique",
    "ALTER TABLE host DROP CONSTRAINT host_pkey, ADD PRIMARY KEY (id) DEFERRABLE": "is deferrable",
    "ALTER TABLE host DROP CONSTRAINT host_pkey, ADD PRIMARY KEY (id, sockets)":
        "sockets is in the primary key",
    "CREATE TABLE child () INHERITS (host)": "is partitioned, or inherits",
    "ALTER TABLE host DROP cpu": "has no column cpu",
    "CREATE TABLE hardware (id int)": "public.hardware is there already",
    "CREATE SEQUENCE hardware": "public.hardware is there already",
    "ALTER TABLE host RENAME TO machine": "there is no table public.host",
}  # fmt: skip


def schema(*statements: str) -> Schema:
    replay = Replay()
    for statement in (TABLE, *statements):
        replay.apply(statement)
    return replay.schema


def hardware(*columns: str, rename: tuple[str, ...] = ()) -> Part:
    return Part(table=RelationName.parse("hardware"), columns=columns, rename=rename)


SPLIT = SplitTable(table=HOST, into=(hardware("cpu", "sockets"),))


@pytest.mark.parametrize("strategy", [None, Strategy.VIEW, Strategy.COPY])
def test_a_plain_table_can_be_split(strategy: Strategy | None) -> None:
    phases = table.phases("split", replace(SPLIT, strategy=strategy), schema())
    assert phases.strategy is (strategy or Strategy.VIEW)
    assert phases.ready_at_expand is (strategy is not Strategy.COPY)


@pytest.mark.parametrize(("statement", "message"), REFUSED.items())
@pytest.mark.parametrize("strategy", [None, Strategy.COPY])
def test_a_split_is_refused(statement: str, message: str, strategy: Strategy | None) -> None:
    with pytest.raises(UnableError) as refused:
        table.phases("split", replace(SPLIT, strategy=strategy), schema(statement))
    assert message in refused.value.message
    assert refused.value.cure


@pytest.mark.parametrize("statement", BOTH)
def test_neither_a_split_nor_a_new_name_may_pass_these_by(statement: str) -> None:
    rename = RenameTable(table=HOST, to="machine")
    with pytest.raises(UnableError):
        table.phases("split", SPLIT, schema(statement))
    with pytest.raises(UnableError):
        rename_table.phases("rename", rename, schema(statement))


@pytest.mark.parametrize(
    ("into", "message"),
    [
        ((), "is split into nothing"),
        ((hardware(),), "has no columns"),
        ((hardware("cpu"), hardware("sockets")), "two parts are called public.hardware"),
        ((hardware("cpu", "cpu"),), "cpu would move to two parts"),
        ((hardware("cpu", rename=("a", "b")),), "renames 2 columns"),
        ((hardware("cpu", rename=("cpu",)),), "would have two columns cpu"),
    ],
)
def test_parts_that_make_no_sense_are_refused(into: tuple[Part, ...], message: str) -> None:
    with pytest.raises(UnableError, match=message):
        table.phases("split", replace(SPLIT, into=into), schema())


def test_only_a_view_can_bear_a_default() -> None:
    known = schema("ALTER TABLE host ALTER sockets SET DEFAULT 1")
    assert table.phases("split", SPLIT, known).strategy is Strategy.VIEW
    with pytest.raises(UnableError, match="has a default"):
        table.phases("split", replace(SPLIT, strategy=Strategy.COPY), known)


@pytest.mark.parametrize("strategy", [Strategy.ROW, Strategy.CATALOG])
def test_there_are_two_ways_to_split(strategy: Strategy) -> None:
    with pytest.raises(UnableError, match=f"by the strategy {strategy.value}"):
        table.phases("split", replace(SPLIT, strategy=strategy), schema())


@pytest.mark.parametrize("name", ["vendor", "host_pkey", "host"])
def test_a_new_name_must_be_free(name: str) -> None:
    with pytest.raises(UnableError, match="is there already"):
        rename_table.phases("rename", RenameTable(table=HOST, to=name), schema())


@pytest.mark.parametrize(
    "text",
    ["1", "-1.5", "'a'", "'it''s'", "true", "CAST('{}' AS text[])", "'x'::character varying(10)",
     "CAST(CAST('1' AS text) AS numeric(6,2))", "NULL", "array[]::text[]"],
)  # fmt: skip
def test_a_constant_is_one(text: str) -> None:
    assert is_constant(text)


@pytest.mark.parametrize(
    "text", ["now()", "CURRENT_TIMESTAMP", "nextval('s')", "CAST(now() AS text)", "'a' || f()",
             "CAST('now' AS timestamptz)", "1 + 1", "CAST(f('x') AS text)"],
)  # fmt: skip
def test_what_may_differ_is_no_constant(text: str) -> None:
    assert not is_constant(text)


def test_an_expression_mentions_a_column_by_its_name_only() -> None:
    assert inputs("lower(name) || cpu") == {"name", "cpu"}
    assert inputs('"the cpu" + 1') == {"the cpu"}
    assert inputs("cpu_count + 1") == {"cpu_count"}
    assert inputs("'cpu' || name") == {"name"}
