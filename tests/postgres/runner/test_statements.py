"""Recognising what a statement does to an index, whatever its spelling."""

import pytest

from toolchain.runner.ledger.indexes import concurrent_index, dropped_index, identifier, waits_alone


@pytest.mark.parametrize(
    ("sql", "name", "table"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "i", "t"),
        ("create unique index\n concurrently if not exists I_2 on only s.t using btree (a);",
         "I_2", "s.t"),
        ("-- why\n/* CREATE INDEX CONCURRENTLY no ON no */ CREATE INDEX CONCURRENTLY \"i \"\"x\" ON"
         ' "S".t (a)', '"i ""x"', '"S".t'),
        ("CREATE INDEX CONCURRENTLY ON t (a)", None, "t"),
        ("CREATE INDEX CONCURRENTLY onions ON t (a)", "onions", "t"),
    ],
)  # fmt: skip
def test_created(sql: str, name: str | None, table: str) -> None:
    found = concurrent_index(sql)
    assert found is not None
    assert (found.name, found.table) == (name, table)
    assert waits_alone(sql)


@pytest.mark.parametrize(
    "sql",
    ["CREATE INDEX i ON t (a)", "SELECT 'CREATE INDEX CONCURRENTLY i ON t (a)'", "VACUUM t", ""],
)
def test_not_created(sql: str) -> None:
    assert concurrent_index(sql) is None
    assert not waits_alone(sql)


def test_dropped() -> None:
    assert dropped_index("DROP INDEX CONCURRENTLY IF EXISTS public.i;") == "public.i"
    assert dropped_index('drop index concurrently "A b" restrict -- bye') == '"A b"'
    assert dropped_index("DROP INDEX CONCURRENTLY a, b") is None
    assert dropped_index("DROP TABLE t") is None


@pytest.mark.parametrize(
    ("sql", "alone"),
    [("REINDEX INDEX CONCURRENTLY i", True), ("REINDEX (VERBOSE, CONCURRENTLY) TABLE t", True),
     ("REINDEX TABLE t", False), ("reindex (tablespace x) index concurrently i", True),
     ("ALTER TABLE p DETACH PARTITION q CONCURRENTLY", False)],
)  # fmt: skip
def test_waiting_alone(sql: str, alone: bool) -> None:
    assert waits_alone(sql) is alone


def test_identifiers() -> None:
    assert [identifier(text) for text in ("Host", '"Host"', '"a ""b"""')] == [
        "host", "Host", 'a "b"',
    ]  # fmt: skip
