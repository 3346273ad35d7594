"""SQL files, each problem with the line in the SQL file itself."""

import os
from pathlib import Path

import pytest

from tests.unit.spec.sample import SAMPLE, changed, expect_one, problems, told, write

EXPAND, INDEX = "sql/12-split-host.sql", "sql/12-audit-index.sql"
BATCH, CONTRACT = "sql/12-split-host-batch.sql", "sql/12-drop-os-name.sql"

CASES: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "nothing": (EXPAND, "", "1 sql-empty", ("write one",)),
    "comments": (EXPAND, "-- later\n/* much later */\n", "1 sql-empty", ("write one",)),
    "semicolons": (EXPAND, ";;\n", "1 sql-empty", ("write one",)),
    "syntax": (EXPAND, "SELECT 1;\n\n  SELEC 2;\n", "3 sql-syntax", ('at or near "SELEC"',)),
    "after wide letters": (EXPAND, "SELECT 'größe 𝄞';\nSELEC 2;\n", "2 sql-syntax", ("SELEC",)),
    "end": (EXPAND, "SELECT 1 +\n\n\n", "1 sql-syntax", ("at end of input",)),
    "open quote": (EXPAND, "SELECT 1;\nSELECT 'a;\n", "2 sql-syntax", ("unterminated quoted",)),
    "open comment": (EXPAND, "SELECT 1;\n/* a\n", "2 sql-syntax", ("unterminated /* comment",)),
    "include": (EXPAND, "SELECT 1;\n\\i other.sql\n", "2 sql-meta-command", ("is a command of psql",)),
    "restrict": (EXPAND, "\\restrict abc\nSELECT 1;\n", "1 sql-meta-command", ("psql",)),
    "variable of psql": (EXPAND, "SELECT :x;\n", "1 sql-meta-command", ("':'",)),
    "latin-1": (EXPAND, "SELECT '\udcfc';\n", "1 encoding", ("0xFC",)),
    "nul": (EXPAND, "SELECT 1;\n\0SELECT 2;\n", "2 control-character", ("U+0000",)),
    "begin": (EXPAND, "SELECT 1;\nCOMMIT;\n", "2 sql-transaction", ("take the statement out",)),
    "savepoint": (EXPAND, "SAVEPOINT a;\n", "1 sql-transaction", ("take the statement out",)),
    "copy": (EXPAND, "COPY host FROM stdin;\n", "1 sql-client", ("INSERT",)),
    "index": (EXPAND, "SELECT 1;\n\n-- x\nCREATE INDEX CONCURRENTLY a ON b (c);\n",
              "4 sql-not-transactional", ("CREATE INDEX CONCURRENTLY", "'transaction: false'")),
    "drop index": (CONTRACT, "DROP INDEX CONCURRENTLY a;\n", "1 sql-not-transactional", ("DROP INDEX",)),
    "reindex": (EXPAND, "REINDEX (CONCURRENTLY) TABLE a;\n", "1 sql-not-transactional", ("REINDEX",)),
    "reindex all": (EXPAND, "REINDEX DATABASE a;\n", "1 sql-not-transactional", ("REINDEX DATABASE",)),
    "vacuum": (EXPAND, "VACUUM host;\n", "1 sql-not-transactional", ("VACUUM",)),
    "cluster": (EXPAND, "CLUSTER;\n", "1 sql-not-transactional", ("CLUSTER",)),
    "detach": (EXPAND, "ALTER TABLE a DETACH PARTITION b CONCURRENTLY;\n",
               "1 sql-not-transactional", ("DETACH PARTITION",)),
    "alter system": (EXPAND, "ALTER SYSTEM SET a = 1;\n", "1 sql-not-transactional", ("ALTER SYSTEM",)),
    "database": (EXPAND, "CREATE DATABASE a;\n", "1 sql-not-transactional", ("CREATE DATABASE",)),
    "drop database": (EXPAND, "DROP DATABASE a;\n", "1 sql-not-transactional", ("DROP DATABASE",)),
    "tablespace": (EXPAND, "CREATE TABLESPACE a LOCATION '/a';\n", "1 sql-not-transactional", ("TABLES",)),
    "drop tablespace": (EXPAND, "DROP TABLESPACE a;\n", "1 sql-not-transactional", ("TABLESPACE",)),
    "two statements": (INDEX, "SELECT 1;\n-- more\nSELECT 2;\nSELECT 3;\n",
                       "3 sql-one-statement", ("holds 3 statements",)),
    "parameter": (EXPAND, "SELECT $1;\n", "1 sql-parameter", ("$1", "only the SQL of a batch")),
    "third parameter": (BATCH, "SELECT $1, $2, $3;\n", "1 sql-parameter", ("$3",)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_sql(tmp_path: Path, case: str) -> None:
    name, text, start, words = CASES[case]
    write(tmp_path, SAMPLE)
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
    expect_one(tmp_path, {}, f"{name}:{start}", *words)


ALLOWED = {
    "index": (EXPAND, "CREATE INDEX a ON b (c);"),
    "refresh": (EXPAND, "REFRESH MATERIALIZED VIEW CONCURRENTLY a;"),
    "reindex": (EXPAND, "REINDEX TABLE a;"),
    "analyze": (EXPAND, "ANALYZE a;"),
    "cluster": (EXPAND, "CLUSTER a USING b;"),
    "detach": (EXPAND, "ALTER TABLE a DETACH PARTITION b;"),
    "enum": (EXPAND, "ALTER TYPE a ADD VALUE 'b';"),
    "block": (EXPAND, "DO $$ BEGIN PERFORM 1; END $$;"),
    "dollar in a function": (
        EXPAND, "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS $f$ SELECT $1 $f$;",
    ),
    "text that looks like a parameter": (EXPAND, "SELECT '\"ParamRef\":{\"number\":1}', 'COMMIT;';"),
    "one parameter": (BATCH, "DELETE FROM a WHERE id <= $2;"),
    "several in a batch": (BATCH, "SELECT $1; SELECT $2;"),
    "windows": (EXPAND, "SELECT 1;\r\nSELECT 2;\r\n"),
    "one without a transaction": (INDEX, "VACUUM a"),
}  # fmt: skip


@pytest.mark.parametrize("case", ALLOWED)
def test_allowed(tmp_path: Path, case: str) -> None:
    name, text = ALLOWED[case]
    listed = told(tmp_path, {**SAMPLE, name: text})
    assert [line for line in listed if " lint-" not in line] == []


def test_the_step_that_runs_the_file_is_named(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {**SAMPLE, EXPAND: "COMMIT;"})
    (related,) = problem.related
    assert (related.origin.line, related.message) == (
        10,
        "the step split-host.expand runs this file",
    )


def test_a_batch_without_bounds(tmp_path: Path) -> None:
    files = {**SAMPLE, BATCH: "UPDATE host SET moved = true;"}
    expect_one(
        tmp_path, files, "4.1.0.yaml:14 sql-parameter", "neither $1 nor $2", "id BETWEEN $1 AND $2"
    )


def test_a_batch_needs_its_transaction(tmp_path: Path) -> None:
    files = changed("4.1.0.yaml", "batch: {", "transaction: false\n      batch: {")
    expect_one(tmp_path, files, "4.1.0.yaml:15 sql-one-statement", "take 'transaction: false' out")


def test_an_undo_is_checked_as_its_step_is(tmp_path: Path) -> None:
    files = {**SAMPLE, "sql/12-split-host.undo.sql": "DROP INDEX CONCURRENTLY a;"}
    expect_one(tmp_path, files, "sql/12-split-host.undo.sql:1 sql-not-transactional")


def test_a_missing_file(tmp_path: Path) -> None:
    files = changed("4.1.0.yaml", "sql: sql/12-drop-os-name.sql", "sql: sql/12-drop.sql")
    expect_one(tmp_path, files, "4.1.0.yaml:17 sql-missing", "sql/12-drop.sql")


def test_a_file_that_is_none(tmp_path: Path) -> None:
    write(tmp_path / "product", SAMPLE)
    for name in (EXPAND, CONTRACT, INDEX):
        (tmp_path / "product" / name).unlink()
    (tmp_path / "product" / EXPAND).mkdir()
    os.mkfifo(tmp_path / "product" / INDEX)
    (tmp_path / "outside.sql").write_text("SELECT 1;")
    (tmp_path / "product" / CONTRACT).symlink_to("../../outside.sql")
    assert [line.split(": ")[0] for line in told(tmp_path / "product", {})] == [
        "4.1.0.yaml:10 file-kind", "4.1.0.yaml:11 file-kind", "4.1.0.yaml:17 source-escape",
    ]  # fmt: skip


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    write(tmp_path, SAMPLE)
    with (tmp_path / EXPAND).open("wb") as file:
        file.truncate(17 << 20)
    expect_one(tmp_path, {}, "4.1.0.yaml:10 file-size", "below 16 MiB")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 100_000,
        "SELECT " + "1+" * 50_000 + "1",
        "SELECT " + "NOT " * 100_000 + "a",
    ],
    ids=["brackets", "sums", "negations"],
)
def test_deep_nesting_ends_in_a_sentence_at_most(tmp_path: Path, text: str) -> None:
    for line in told(tmp_path, {**SAMPLE, EXPAND: text}):
        assert line.startswith(f"{EXPAND}:1 sql-syntax:")
