"""What becomes of a normalised statement: kept, mended, dropped, named and added to a file."""

import pytest

from toolchain.edge.postgres.statistics import Counted
from toolchain.rehearse.capture import by_group, file_text, statements_to_keep
from toolchain.spec.statements.annotations import annotations_of
from toolchain.spec.statements.written import take_apart


def kept(*queries: str):
    return statements_to_keep(Counted(query=query, role="app", calls=1) for query in queries)


@pytest.mark.parametrize(
    "query",
    [
        "BEGIN",
        "SET search_path = $1",
        "CREATE TABLE a (b int)",
        "VACUUM",
        "SELECT interlock.check_in($1, $2)",
        "UPDATE interlock.steps SET cursor = $1",
        "SELECT oid FROM pg_catalog.pg_class WHERE relname = $1",
        "SELECT typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace",
        "SELECT query FROM pg_stat_statements",
        "SELECT this is not SQL at all",
        "SELECT 1; SELECT 2",
        "SELECT pg_catalog.set_config($1, $2, $3)",
        "SELECT pg_advisory_lock($1)",
    ],
)
def test_what_no_server_issues_is_dropped(query: str):
    assert kept(query) == ()


@pytest.mark.parametrize(
    ("query", "group", "verb"),
    [
        ("SELECT * FROM host WHERE id = $1", "host", "select"),
        ("INSERT INTO app.job (a) SELECT b FROM host", "job", "insert"),
        ('UPDATE "Wei rd/Name" SET a = $1', "wei-rd-name", "update"),
        ("DELETE FROM job USING host WHERE job.id = host.id", "job", "delete"),
        ("WITH x AS (SELECT $1) SELECT * FROM host", "host", "select"),
        ("MERGE INTO job USING host ON true WHEN MATCHED THEN DELETE", "job", "merge"),
        ("SELECT now()", "other", "select"),
        ("CALL refresh($1)", "other", "call"),
        ("/* trace=1 */ -- name: x\n SELECT 1 FROM host", "host", "select"),
    ],
)
def test_a_statement_belongs_to_the_file_of_its_table(query: str, group: str, verb: str):
    (captured,) = kept(query)
    assert captured.group == group
    assert captured.name.startswith(f"{verb}-{group}-")


def test_typed_constants_are_mended():
    (captured,) = kept("SELECT now() - INTERVAL $1, date  $2 FROM host")
    assert captured.sql == "SELECT now() - $1::INTERVAL, $2::date FROM host"
    assert captured.parameters == 2


def test_the_order_depends_on_the_statements_alone():
    queries = ["SELECT 1 FROM a", "SELECT 2 FROM b", "SELECT c FROM a", "DELETE FROM a"]
    assert kept(*queries) == kept(*reversed(queries), *queries)
    assert list(by_group(kept(*queries))) == ["a", "b"]


def test_a_file_says_what_it_is_read_as():
    captured = kept("SELECT * FROM host WHERE id = $1 AND name LIKE '50%'", "DELETE FROM host")
    taken = take_apart(file_text("", captured)).statements
    assert [written.sql for written in taken] == [each.sql for each in captured]
    assert [annotations_of(written).name for written in taken] == [each.name for each in captured]


def test_a_file_keeps_what_it_holds_and_gains_what_it_does_not():
    first = file_text("", kept("SELECT a FROM host WHERE id = $1"))
    own = '-- name: mine\n-- sample: {"id": 1}\nSELECT  a FROM host\n WHERE id = %(id)s;\n'
    assert file_text(own, kept("SELECT a FROM host WHERE id = $1")) == own
    more = file_text(own, kept("SELECT a FROM host WHERE id = $1", "SELECT b FROM host"))
    assert more.startswith(own)
    assert more.count("-- name: ") == 2
    assert file_text(first, kept("SELECT a FROM host WHERE id = $1")) == first
