"""Each rule of the safety lint: what it finds, on which line, and what it leaves alone."""

import pytest

from tests.unit.spec.lint_product import S, found, told

CONCURRENT = "transaction: false"
BATCH = "batch: {table: public.host, key: id}"
ADDED = "ALTER TABLE host ADD COLUMN cores int;\n"
DEFINER = "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"

# name → the SQL of an expand, what is found in it.
EXPAND: dict[str, tuple[str, list[str]]] = {
    # Indexes.
    "index": ("SELECT 1;\n\nCREATE INDEX i ON host (name);", ["3 lint-index-lock"]),
    "index of a new table": ("CREATE TABLE t (a int);\nCREATE INDEX i ON t (a);", []),
    "index of a copy": ("CREATE TABLE t AS SELECT 1 AS a;\nCREATE INDEX i ON t (a);", []),
    "index of an unknown table": ("CREATE INDEX i ON other (name);", ["1 lint-index-lock"]),
    "index of another schema's": (
        "CREATE TABLE s.host (a int);\nCREATE INDEX i ON host (name);", ["2 lint-index-lock"],
    ),
    "index of a renamed table": (
        "ALTER TABLE host RENAME TO h;\nCREATE VIEW host AS SELECT * FROM h;\nCREATE INDEX i ON h (name);",
        ["3 lint-index-lock"],
    ),
    "drop index": ("DROP INDEX host_os;", ["1 lint-index-drop"]),
    "drop a new index": ("CREATE TABLE t (a int);\nCREATE INDEX i ON t (a);\nDROP INDEX i;", []),
    "reindex": ("REINDEX TABLE host;", ["1 lint-reindex"]),
    "index without those of the partitions": ("CREATE INDEX i ON ONLY host (name);", []),
    # Columns.
    "column": (ADDED, []),
    "steady default": ("ALTER TABLE host ADD COLUMN a timestamptz NOT NULL DEFAULT now();", []),
    "volatile default": (
        "ALTER TABLE host ADD COLUMN a uuid DEFAULT gen_random_uuid();", ["1 lint-column-rewrite"],
    ),
    "unknown default": ("ALTER TABLE host ADD COLUMN a int DEFAULT f();", ["1 lint-column-rewrite"]),
    "serial": ("ALTER TABLE host ADD COLUMN a bigserial;", ["1 lint-column-rewrite"]),
    "identity": (
        "ALTER TABLE job ADD COLUMN a int GENERATED ALWAYS AS IDENTITY;", ["1 lint-column-rewrite"],
    ),
    "generated": (
        "ALTER TABLE host ADD a int GENERATED ALWAYS AS (cpu) STORED;", ["1 lint-column-rewrite"],
    ),
    "virtual": ("ALTER TABLE host ADD a int GENERATED ALWAYS AS (cpu) VIRTUAL;", []),
    "required column": ("ALTER TABLE host ADD COLUMN a int NOT NULL;", ["1 lint-not-null-column"]),
    "required column of a new table": (
        "CREATE TABLE t (a int);\nALTER TABLE t ADD COLUMN b uuid NOT NULL;", [],
    ),
    "type": (
        "ALTER TABLE host ALTER cpu TYPE bigint;", ["1 lint-type-rewrite"],
    ),
    "type that keeps the rows": ("ALTER TABLE host ALTER name TYPE text;", []),
    "type of an unknown column": ("ALTER TABLE other ALTER a TYPE text;", ["1 lint-type-rewrite"]),
    "narrower type": (
        "ALTER TABLE host ALTER name TYPE varchar(5);", ["1 lint-narrows", "1 lint-type-rewrite"],
    ),
    # Constraints.
    "not null": ("ALTER TABLE host ALTER cpu SET NOT NULL;", ["1 lint-narrows", "1 lint-set-not-null"]),
    "not null of what is so": ("ALTER TABLE host ALTER name SET NOT NULL;", []),
    "check": (
        "ALTER TABLE host ADD CHECK (cpu > 0);", ["1 lint-constraint-scan", "1 lint-narrows"],
    ),
    "check without a look": ("ALTER TABLE host ADD CHECK (cpu > 0) NOT VALID;", ["1 lint-narrows"]),
    "check of a new column": (ADDED + "ALTER TABLE host ADD CHECK (cores > 0) NOT VALID;", []),
    "check that a new column is there": (
        ADDED + "ALTER TABLE host ADD CHECK (cores IS NOT NULL) NOT VALID;", ["2 lint-narrows"],
    ),
    "foreign key": (
        "ALTER TABLE job ADD FOREIGN KEY (host_id) REFERENCES host;",
        ["1 lint-constraint-scan", "1 lint-narrows", "1 lint-reference"],
    ),
    "foreign key of a new column": (
        "CREATE TABLE t (id int PRIMARY KEY);\nALTER TABLE host ADD COLUMN t int REFERENCES t;", [],
    ),
    "unique": (
        "ALTER TABLE host ADD UNIQUE (name);", ["1 lint-constraint-index", "1 lint-narrows"],
    ),
    "exclude": (
        "ALTER TABLE host ADD EXCLUDE USING gist (name WITH =);",
        ["1 lint-constraint-index", "1 lint-narrows"],
    ),
    "unique with its index": ("ALTER TABLE host ADD CONSTRAINT u UNIQUE USING INDEX host_u;", []),
    "validate beside add": (
        ADDED + "ALTER TABLE host ADD CONSTRAINT c CHECK (cores > 0) NOT VALID;\n"
        "ALTER TABLE host VALIDATE CONSTRAINT c;", ["3 lint-validate-together"],
    ),
    "validate in one statement": (
        "ALTER TABLE host VALIDATE CONSTRAINT c, ADD COLUMN a int;", ["1 lint-validate-together"],
    ),
    "validate": ("ALTER TABLE host VALIDATE CONSTRAINT c;", []),
    "partition": (
        "ALTER TABLE parts ATTACH PARTITION host FOR VALUES IN (1);", ["1 lint-constraint-scan"],
    ),
    "domain": ("ALTER DOMAIN d ADD CHECK (value > 0) NOT VALID;", ["1 lint-narrows"]),
    "domain that checks": (
        "ALTER DOMAIN d ADD CHECK (value > 0);", ["1 lint-constraint-scan", "1 lint-narrows"],
    ),
    # Whole tables.
    "unlogged": ("ALTER TABLE host SET UNLOGGED;", ["1 lint-table-rewrite"]),
    "tablespace": ("ALTER TABLE host SET TABLESPACE fast;", ["1 lint-table-rewrite"]),
    "cluster": ("CLUSTER host USING host_os;", ["1 lint-table-rewrite"]),
    "refresh": ("REFRESH MATERIALIZED VIEW m;", ["1 lint-refresh"]),
    "refresh beside readers": ("REFRESH MATERIALIZED VIEW CONCURRENTLY m;", []),
    "lock": ("LOCK TABLE host;", ["1 lint-lock-table"]),
    "weak lock": ("LOCK TABLE host IN ROW EXCLUSIVE MODE;", []),
    "truncate": ("TRUNCATE job;", ["1 lint-truncate"]),
    "two tables": (
        ADDED + "ALTER TABLE job ADD COLUMN a int;", ["2 lint-lock-order"],
    ),
    "one table twice": (ADDED + "ALTER TABLE host ADD COLUMN a int;", []),
    "trigger": (
        "CREATE TRIGGER t AFTER UPDATE ON host FOR EACH ROW EXECUTE FUNCTION nothing();", [],
    ),
    # Rows.
    "update": ("UPDATE host SET os = 'a';", ["1 lint-write"]),
    "delete in a query": ("WITH d AS (DELETE FROM job RETURNING 1) SELECT * FROM d;", ["1 lint-write"]),
    "insert of values": ("INSERT INTO job (id) VALUES (1), (2);", []),
    "insert of a query": ("INSERT INTO job (id) SELECT id FROM host;", ["1 lint-write"]),
    "insert of numbers": ("INSERT INTO job (id) SELECT * FROM generate_series(1, 9);", []),
    "rows of a new table": (
        "CREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\nUPDATE t SET a = 2;", [],
    ),
    "copy into a new table": (
        "CREATE TABLE t (a int);\nINSERT INTO t SELECT id FROM host;", ["2 lint-write"],
    ),
    "merge": (
        "MERGE INTO host USING job ON job.host_id = host.id WHEN MATCHED THEN DELETE;",
        ["1 lint-write"],
    ),
    "function that would write": (
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'UPDATE host SET os = ''a''';", [],
    ),
    # Types and functions.
    "label": (
        "ALTER TYPE mood ADD VALUE 'fair';\nALTER TABLE job ADD m mood DEFAULT 'fair';",
        ["2 lint-enum-value"],
    ),
    "label alone": ("ALTER TYPE mood ADD VALUE 'fair';", []),
    "label of a new type": (
        "CREATE TYPE t AS ENUM ('a');\nALTER TYPE t ADD VALUE 'b';\nCREATE TABLE n (t t DEFAULT 'b');", [],
    ),
    "definer": (f"{DEFINER};", ["1 lint-definer-path"]),
    "definer with a path": (f"{DEFINER.replace('AS', 'SET search_path = pg_catalog AS')};", []),
    "definer later": ("ALTER FUNCTION host_count() SECURITY DEFINER;", ["1 lint-definer-path"]),
    "invoker": ("ALTER FUNCTION host_count() SECURITY INVOKER;", []),
    "cascade": ("CREATE TABLE t ();\nDROP TABLE t CASCADE;", ["2 lint-cascade"]),
    "cascade of a column": (
        "ALTER TABLE host DROP COLUMN os CASCADE;", ["1 lint-cascade", "1 lint-removes"],
    ),
    "reference": ("CREATE TABLE t (h bigint REFERENCES host);", ["1 lint-reference"]),
    "reference that deletes": (
        "CREATE TABLE t (h bigint REFERENCES host ON DELETE CASCADE);", ["1 lint-reference"],
    ),
    "reference to a new table": (
        "CREATE TABLE t (a int PRIMARY KEY);\nCREATE TABLE u (a int REFERENCES t);", [],
    ),
    "reference to itself": ("CREATE TABLE t (a int PRIMARY KEY, up int REFERENCES t);", []),
    # What goes away.
    "drop table": ("DROP TABLE job;", ["1 lint-removes"]),
    "drop column": ("ALTER TABLE host DROP COLUMN os;", ["1 lint-removes"]),
    "drop a new column": (ADDED + "ALTER TABLE host DROP COLUMN cores;", []),
    "drop view": ("DROP VIEW host_names;", ["1 lint-removes"]),
    "view replaced": ("DROP VIEW host_names;\nCREATE VIEW host_names AS SELECT 1 AS id, 'a' AS name;", []),
    "drop function": ("DROP FUNCTION host_count();", ["1 lint-removes"]),
    "function replaced": (
        "DROP FUNCTION host_count();\nCREATE FUNCTION host_count() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        [],
    ),
    "function replaced with a default": (
        "DROP FUNCTION host_count();\n"
        "CREATE FUNCTION host_count(a int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';", [],
    ),
    "function replaced by another": (
        "DROP FUNCTION host_count();\n"
        "CREATE FUNCTION host_count(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
        ["1 lint-removes"],
    ),
    "drop trigger": ("DROP TRIGGER host_log ON host;", ["1 lint-removes"]),
    "trigger replaced": (
        "DROP TRIGGER host_log ON host;\n"
        "CREATE TRIGGER host_log AFTER INSERT ON host FOR EACH ROW EXECUTE FUNCTION nothing();", [],
    ),
    "drop type": ("DROP TYPE mood;", ["1 lint-removes"]),
    "drop schema": ("DROP SCHEMA s;", ["1 lint-removes"]),
    "revoke": ("REVOKE SELECT ON host FROM web;", ["1 lint-removes"]),
    "revoke of a new thing": (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\n"
        "REVOKE ALL ON FUNCTION f() FROM PUBLIC;", [],
    ),
    "grant": ("GRANT SELECT ON host TO web;", []),
    "rename table": ("ALTER TABLE job RENAME TO task;", ["1 lint-renames"]),
    "rename table under a view": (
        "ALTER TABLE job RENAME TO task;\nCREATE VIEW job AS SELECT * FROM task;", [],
    ),
    "rename column": ("ALTER TABLE host RENAME os TO system;", ["1 lint-renames"]),
    "rename index": ("ALTER INDEX host_os RENAME TO i;", []),
    "rename label": ("ALTER TYPE mood RENAME VALUE 'bad' TO 'poor';", ["1 lint-renames"]),
    "rename type": ("ALTER TYPE mood RENAME TO temper;", ["1 lint-renames"]),
    "move": ("ALTER TABLE job SET SCHEMA s;", ["1 lint-renames"]),
    # What gets tighter.
    "drop default": ("ALTER TABLE host ALTER os DROP DEFAULT;", ["1 lint-narrows"]),
    "set default": ("ALTER TABLE host ALTER os SET DEFAULT 'a';", []),
    "row security": ("ALTER TABLE host ENABLE ROW LEVEL SECURITY;", ["1 lint-narrows"]),
    "always identity": (
        "ALTER TABLE job ALTER id ADD GENERATED ALWAYS AS IDENTITY;", ["1 lint-narrows"],
    ),
    # DO blocks run with the step.
    "block": (
        "DO $$\nBEGIN\n  IF true THEN\n    UPDATE host SET os = 'a';\n  END IF;\nEND\n$$;",
        ["4 lint-write"],
    ),
    "block that asks": ("DO $$ BEGIN PERFORM 1 FROM host; END $$;", []),
    "block of another language": ("DO LANGUAGE plperl $$ UPDATE host $$;", []),
}  # fmt: skip


@pytest.mark.parametrize("case", EXPAND)
def test_expand(case: str) -> None:
    sql, expected = EXPAND[case]
    assert sorted(told((S(sql=sql),))) == sorted(expected)


ALONE: dict[str, tuple[str, list[str]]] = {
    "index": ("CREATE INDEX CONCURRENTLY i ON host (name);", []),
    "unique index": ("CREATE UNIQUE INDEX CONCURRENTLY i ON host (name);", ["1 lint-narrows"]),
    "drop index": ("DROP INDEX CONCURRENTLY host_os;", []),
    "reindex": ("REINDEX TABLE CONCURRENTLY host;", []),
    "vacuum": ("VACUUM host;", []),
    "vacuum that need not be full": ("VACUUM (FULL off) host;", []),
    "full vacuum": ("VACUUM FULL host;", ["1 lint-table-rewrite"]),
}  # fmt: skip


@pytest.mark.parametrize("case", ALONE)
def test_without_a_transaction(case: str) -> None:
    sql, expected = ALONE[case]
    assert told((S(sql=sql, extra=CONCURRENT),)) == expected


MIGRATE: dict[str, tuple[str, str, list[str]]] = {
    "no key": ("UPDATE host SET os = os;", "", ["1 lint-migrate-key"]),
    "no rows": ("SELECT 1;", "", []),
    "key": ("UPDATE host SET os = os WHERE id BETWEEN $1 AND $2;", BATCH, []),
    "two comparisons": ("UPDATE host SET os = os WHERE id >= $1 AND $2 >= id;", BATCH, []),
    "casts": ("UPDATE host SET os = os WHERE id >= $1::int AND id <= $2::int;", BATCH, []),
    "in a query": (
        "WITH b AS (SELECT id FROM host WHERE id BETWEEN $1 AND $2 FOR SHARE)\n"
        "INSERT INTO job (id) SELECT id FROM b;", BATCH, [],
    ),
    "no upper bound": ("UPDATE host SET os = os WHERE id >= $1;", BATCH, ["1 lint-batch-bounds"]),
    "no lower bound": ("UPDATE host SET os = os WHERE id <= $2;", BATCH, ["1 lint-batch-bounds"]),
    "delete up to a key": ("DELETE FROM host WHERE id <= $2;", BATCH, []),
    "first key left out": (
        "UPDATE host SET os = os WHERE id > $1 AND id <= $2;", BATCH, ["1 lint-batch-bounds"],
    ),
    "second statement": (
        "DELETE FROM job WHERE host_id BETWEEN $1 AND $2;\nUPDATE host SET os = os;", BATCH,
        ["2 lint-batch-bounds"],
    ),
    "another column": (
        "UPDATE host SET os = os WHERE cpu BETWEEN $1 AND $2;", BATCH, ["1 lint-batch-bounds"],
    ),
    "drop": ("ALTER TABLE host DROP COLUMN os;", "", ["1 lint-removes"]),
}  # fmt: skip


@pytest.mark.parametrize("case", MIGRATE)
def test_migrate(case: str) -> None:
    sql, extra, expected = MIGRATE[case]
    steps = (S(sql="SELECT 1;"), S(sql=sql, phase="migrate", extra=extra))
    assert told(steps) == expected


# What expand did, the contract's SQL, what is found in it.
CONTRACT: dict[str, tuple[str, str, list[str]]] = {
    "its column": (ADDED, "ALTER TABLE host DROP COLUMN cpu;", []),
    "a strange table": (ADDED, "DROP TABLE job;", ["1 lint-contract-stranger"]),
    "a strange column": (ADDED, "ALTER TABLE job DROP COLUMN state;", ["1 lint-contract-stranger"]),
    "named in a comment": (
        f"{ADDED}-- in place of job", "DROP TABLE job;", ["1 lint-contract-stranger"],
    ),
    "named in a function": (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1 FROM job';", "DROP TABLE job;", [],
    ),
    "an index of its table": (ADDED, "DROP INDEX host_os;", ["1 lint-index-drop"]),
    "a trigger of its table": (ADDED, "DROP TRIGGER host_log ON host;", []),
    "a strange function": (ADDED, "DROP FUNCTION host_count();", ["1 lint-contract-stranger"]),
    "a function with a second edition": (
        "CREATE FUNCTION host_count_v2() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "DROP FUNCTION host_count();", [],
    ),
    "what it made": (ADDED, "CREATE TABLE t ();\nDROP TABLE t;", []),
    "locks": (ADDED, "ALTER TABLE host ALTER cpu SET NOT NULL;", ["1 lint-set-not-null"]),
    "rows": (ADDED, "DELETE FROM host;", ["1 lint-write"]),
    "rename": (ADDED, "ALTER TABLE host RENAME os TO system;", []),
}  # fmt: skip


@pytest.mark.parametrize("case", CONTRACT)
def test_contract(case: str) -> None:
    expand, sql, expected = CONTRACT[case]
    assert told((S(sql=expand),), (S(sql=sql, phase="contract"),)) == expected


def test_the_sentence_has_the_lock_and_the_safe_form() -> None:
    (problem,) = found((S(sql="CREATE INDEX i ON host (name);"),))
    assert problem.message == (
        "CREATE INDEX takes a SHARE lock on public.host for as long as the index is built, which"
        " blocks every write"
    )
    assert problem.cure == (
        "write CREATE INDEX CONCURRENTLY, and give it a step of its own with 'transaction: false'"
    )
    (related,) = problem.related
    assert (related.origin.file, related.origin.line) == ("product/1.2.0.yaml", 7)
    assert related.message.startswith("the step thing.expand runs this file")


def test_not_null_after_a_proof() -> None:
    """The safe form is really free: CHECK NOT VALID, VALIDATE in a later step, SET NOT NULL."""
    releases = (
        (
            S(
                sql="ALTER TABLE host ADD CONSTRAINT c CHECK (cpu IS NOT NULL) NOT VALID;",
                extra="allow: {lint-narrows: Every server writes it since 1.1.0.}",
            ),
            S(sql="ALTER TABLE host VALIDATE CONSTRAINT c;", change="proof"),
        ),
        (S(sql="ALTER TABLE host ALTER cpu SET NOT NULL;", phase="contract"),),
    )
    assert told(*releases) == []
    unproved = (releases[0][:1], releases[1])
    assert told(*unproved) == ["1 lint-set-not-null"]


def test_a_table_stays_new_through_the_expand_of_its_release() -> None:
    index = "CREATE INDEX i ON fresh (a);"
    table = S(sql="CREATE TABLE fresh (a int);")
    assert told((table, S(sql=index, change="more"))) == []
    assert told((table,), (S(sql=index, change="more"),)) == ["1 lint-index-lock"]
    # A batch may have filled it by then.
    assert told((table, S(sql=index, phase="migrate"))) == ["1 lint-index-lock"]


def test_an_undo_may_remove_but_not_block() -> None:
    """It works on what its step made; everything else is as busy as ever."""
    undo = "DROP TABLE fresh;\nALTER TABLE host DROP COLUMN os;\nCREATE INDEX i ON host (name);"
    step = S(sql="CREATE TABLE fresh (a int);", undo=undo)
    assert told((step,)) == ["3 lint-index-lock"]
    filled = S(sql="SELECT 1;", phase="migrate", undo="TRUNCATE fresh;")
    assert told((S(sql="CREATE TABLE fresh (a int);"), filled)) == []
