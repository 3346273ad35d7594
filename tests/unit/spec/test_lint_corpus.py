"""The lint has an opinion on every statement, or none; it never falls over one."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lint_statements import ALONE, DDL, ELSEWHERE, ROWS_TOO, SETUP
from tests.unit.spec.lint_product import S, found, product, told
from tests.unit.spec.memory import Memory
from tests.unit.spec.test_lint_rules import EXPAND, MIGRATE
from toolchain.spec import check_product
from toolchain.spec.codes import Code
from toolchain.spec.lint.check import check_safety
from toolchain.spec.load import load_product
from toolchain.spec.sql.parser import parse

ROOT = Path(__file__).parents[3]
PHASES = ("expand", "migrate", "contract")

# Statements from all over PostgreSQL's manual, the odd ones above all.
ODD = """\
ALTER AGGREGATE a(int) RENAME TO b
ALTER COLLATION c RENAME TO d
ALTER CONVERSION c RENAME TO d
ALTER DATABASE d SET work_mem = '1MB'
ALTER DEFAULT PRIVILEGES IN SCHEMA s REVOKE SELECT ON TABLES FROM PUBLIC
ALTER DOMAIN d DROP CONSTRAINT c
ALTER DOMAIN d DROP NOT NULL
ALTER DOMAIN d RENAME CONSTRAINT c TO e
ALTER DOMAIN d SET DEFAULT 1
ALTER DOMAIN d SET NOT NULL
ALTER DOMAIN d VALIDATE CONSTRAINT c
ALTER EVENT TRIGGER e DISABLE
ALTER EXTENSION e UPDATE
ALTER EXTENSION e SET SCHEMA s
ALTER FOREIGN TABLE f ADD COLUMN a int
ALTER FUNCTION f(int) OWNER TO CURRENT_USER
ALTER FUNCTION f RENAME TO g
ALTER FUNCTION f SET SCHEMA s
ALTER GROUP g ADD USER u
ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 10
ALTER INDEX i ATTACH PARTITION j
ALTER INDEX i SET TABLESPACE t
ALTER INDEX ALL IN TABLESPACE a SET TABLESPACE b
ALTER LARGE OBJECT 1 OWNER TO CURRENT_USER
ALTER MATERIALIZED VIEW m RENAME TO n
ALTER OPERATOR + (int, int) OWNER TO CURRENT_USER
ALTER POLICY p ON t RENAME TO q
ALTER PROCEDURE p() SECURITY DEFINER
ALTER PUBLICATION p ADD TABLE t
ALTER ROLE r SET search_path = a, b
ALTER ROUTINE r(int) RENAME TO q
ALTER RULE r ON t RENAME TO q
ALTER SCHEMA s RENAME TO t
ALTER SEQUENCE s RESTART
ALTER SEQUENCE s OWNED BY t.a
ALTER SERVER s OPTIONS (a '1')
ALTER STATISTICS s SET STATISTICS 1
ALTER SUBSCRIPTION s DISABLE
ALTER TABLE ONLY t ALTER a DROP EXPRESSION
ALTER TABLE IF EXISTS t ADD COLUMN IF NOT EXISTS a int[] DEFAULT '{}'
ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b
ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a, b) REFERENCES u (c, d) MATCH FULL ON DELETE SET NULL (a)
ALTER TABLE t ADD PRIMARY KEY (a)
ALTER TABLE t ADD PRIMARY KEY USING INDEX i
ALTER TABLE t ALTER CONSTRAINT c DEFERRABLE
ALTER TABLE t ALTER a DROP IDENTITY IF EXISTS, ALTER b SET GENERATED ALWAYS, ALTER b RESTART
ALTER TABLE t ALTER a RESET (n_distinct)
ALTER TABLE t ALTER a SET COMPRESSION lz4
ALTER TABLE t ALTER a TYPE timestamptz USING a AT TIME ZONE 'UTC'
ALTER TABLE t ALTER a TYPE interval day to second (3)
ALTER TABLE t ALTER a TYPE s.t[] COLLATE "C"
ALTER TABLE t DETACH PARTITION u FINALIZE
ALTER TABLE t DROP CONSTRAINT IF EXISTS c CASCADE
ALTER TABLE t NO INHERIT u, OF v, NOT OF
ALTER TABLE t RESET (fillfactor), SET (toast.autovacuum_enabled = false)
ALTER TABLE t SET WITHOUT CLUSTER, SET WITHOUT OIDS, SET ACCESS METHOD heap
ALTER TABLESPACE a RENAME TO b
ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR word WITH simple
ALTER TRIGGER t ON u DEPENDS ON EXTENSION e
ALTER TYPE t ADD ATTRIBUTE a int CASCADE
ALTER TYPE t DROP ATTRIBUTE a
ALTER TYPE t ALTER ATTRIBUTE a TYPE bigint
ALTER TYPE t RENAME ATTRIBUTE a TO b
ALTER TYPE t OWNER TO CURRENT_USER
ALTER TYPE t SET SCHEMA s
ALTER TYPE t SET (STORAGE = plain)
ALTER USER MAPPING FOR u SERVER s OPTIONS (SET a 'b')
ALTER VIEW v ALTER COLUMN a SET DEFAULT 1
ALTER VIEW v SET (security_barrier)
ANALYZE
CALL p(1)
CHECKPOINT
CLOSE ALL
CLUSTER VERBOSE
COMMENT ON FUNCTION f(int) IS 'a'
COMMENT ON COLUMN s.t.c IS NULL
COPY t TO '/tmp/a'
CREATE ACCESS METHOD a TYPE INDEX HANDLER h
CREATE AGGREGATE a(int) (sfunc = f, stype = int)
CREATE CAST (a AS b) WITH INOUT
CREATE COLLATION c FROM "C"
CREATE DOMAIN d AS int CHECK (value > 0)
CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()
CREATE EXTENSION IF NOT EXISTS e
CREATE FOREIGN DATA WRAPPER w
CREATE FOREIGN TABLE f (a int) SERVER s
CREATE FUNCTION f(a int, VARIADIC b int[], OUT c int) AS 'SELECT 1' LANGUAGE sql
CREATE FUNCTION f() RETURNS TABLE (a int) LANGUAGE sql BEGIN ATOMIC SELECT 1; END
CREATE GROUP g
CREATE INDEX ON t USING gin ((a || b) gin_trgm_ops) INCLUDE (c) WHERE d
CREATE UNIQUE INDEX ON ONLY t (lower(a), b NULLS FIRST) NULLS NOT DISTINCT
CREATE LANGUAGE l
CREATE MATERIALIZED VIEW m AS TABLE t WITH NO DATA
CREATE OPERATOR @@ (function = f, leftarg = int)
CREATE OPERATOR CLASS o FOR TYPE int USING btree AS OPERATOR 1 <
CREATE POLICY p ON t FOR SELECT USING (a = current_user)
CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'
CREATE PUBLICATION p FOR ALL TABLES
CREATE ROLE r LOGIN
CREATE RULE r AS ON INSERT TO v DO INSTEAD INSERT INTO t VALUES (new.a)
CREATE SCHEMA s CREATE TABLE t (a int) CREATE VIEW v AS SELECT 1
CREATE SCHEMA AUTHORIZATION r
CREATE SEQUENCE s OWNED BY NONE
CREATE SERVER s FOREIGN DATA WRAPPER w
CREATE STATISTICS ON a, b FROM t
CREATE TABLE t OF u (PRIMARY KEY (a))
CREATE TABLE t (a int, EXCLUDE USING gist (a WITH =)) PARTITION BY LIST (a)
CREATE TABLE t PARTITION OF u (CHECK (a > 0)) DEFAULT
CREATE TABLE t (LIKE u INCLUDING ALL, a int[3] UNIQUE DEFERRABLE)
CREATE TEMPORARY TABLE t ON COMMIT DROP AS EXECUTE p(1)
CREATE TEXT SEARCH DICTIONARY d (template = simple)
CREATE TRANSFORM FOR t LANGUAGE l (FROM SQL WITH FUNCTION f(internal))
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON u FROM v DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f()
CREATE TYPE t
CREATE TYPE t AS RANGE (subtype = int)
CREATE TYPE t AS ()
CREATE USER MAPPING FOR u SERVER s
CREATE RECURSIVE VIEW v (a) AS SELECT 1
CREATE VIEW v AS VALUES (1)
DEALLOCATE ALL
DECLARE c CURSOR FOR SELECT 1
DELETE FROM ONLY s.t AS a USING u WHERE CURRENT OF c
DISCARD ALL
DO 'BEGIN END'
DO LANGUAGE sql 'SELECT 1'
DO $$ this is not plpgsql $$
DO $$ BEGIN EXECUTE 'DROP TABLE t'; EXCEPTION WHEN others THEN UPDATE t SET a = 1; END $$
DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM t LOOP DELETE FROM u WHERE a = r.a; END LOOP; END $$
DROP AGGREGATE a(*), b(int ORDER BY int)
DROP CAST (a AS b)
DROP EXTENSION e
DROP FUNCTION f, g(int), s.h()
DROP INDEX a, s.b
DROP LANGUAGE l
DROP OPERATOR + (int, int)
DROP OPERATOR CLASS o USING btree
DROP OWNED BY r CASCADE
DROP POLICY p ON s.t
DROP PROCEDURE p
DROP PUBLICATION p
DROP ROLE r
DROP ROUTINE r
DROP RULE r ON t
DROP SCHEMA a, b CASCADE
DROP SEQUENCE a, s.b
DROP SERVER s
DROP STATISTICS s
DROP TABLE a.b.c
DROP TEXT SEARCH PARSER p
DROP TRANSFORM FOR t LANGUAGE l
DROP TYPE t, s.u
DROP USER MAPPING FOR u SERVER s
EXECUTE p(1)
EXPLAIN ANALYZE UPDATE t SET a = 1
FETCH ALL c
GRANT r TO u WITH ADMIN OPTION
GRANT ALL ON ALL TABLES IN SCHEMA s TO u
IMPORT FOREIGN SCHEMA s FROM SERVER a INTO b
INSERT INTO t DEFAULT VALUES ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE t.c
INSERT INTO t TABLE u
INSERT INTO t WITH a AS (SELECT 1) SELECT * FROM a
INSERT INTO t (SELECT 1 UNION ALL SELECT a FROM u)
LISTEN c
LOAD 'x'
LOCK a, ONLY b IN EXCLUSIVE MODE NOWAIT
MERGE INTO t USING (VALUES (1)) v (a) ON t.a = v.a WHEN NOT MATCHED THEN INSERT VALUES (v.a)
NOTIFY c, 'p'
PREPARE p AS DELETE FROM t
REASSIGN OWNED BY a TO b
REFRESH MATERIALIZED VIEW m WITH NO DATA
REINDEX SCHEMA s
REINDEX (TABLESPACE x, VERBOSE) INDEX i
RESET ALL
REVOKE r FROM u
REVOKE ALL ON ALL TABLES IN SCHEMA s FROM u
REVOKE USAGE ON SCHEMA s FROM u
REVOKE USAGE ON TYPE t FROM u
REVOKE EXECUTE ON FUNCTION f(int) FROM PUBLIC
REVOKE SELECT (a) ON t FROM u CASCADE
REVOKE GRANT OPTION FOR SELECT ON SEQUENCE s FROM u
SECURITY LABEL ON TABLE t IS 'a'
SELECT * INTO t FROM u
SELECT 1 UNION SELECT a FROM t FOR UPDATE OF t SKIP LOCKED
SELECT * FROM f(1) WITH ORDINALITY, LATERAL (SELECT 1) x, XMLTABLE('/' PASSING a COLUMNS b int)
SET CONSTRAINTS ALL DEFERRED
SET LOCAL search_path = ''
SHOW ALL
TABLE t
TRUNCATE ONLY a, b RESTART IDENTITY CASCADE
UNLISTEN *
UPDATE t SET (a, b) = (SELECT 1, 2) FROM u WHERE t.c BETWEEN SYMMETRIC $1 AND $2
UPDATE t SET a = 1 WHERE (b, c) >= ($1, 2) AND d NOT BETWEEN 1 AND $2 AND e = ANY ($1)
VACUUM
VACUUM (FULL, ANALYZE 0) a, b (c)
VALUES (1), (2)
WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) DELETE FROM t USING a RETURNING *
"""
STATEMENTS = [
    *ODD.splitlines(), *DDL, *ROWS_TOO, *ALONE, *ELSEWHERE, *SETUP.split(";\n")[:-1],
    *(sql for sql, _ in EXPAND.values()), *(sql for sql, _, _ in MIGRATE.values()),
]  # fmt: skip


def lint(sql: str, phase: str, extra: str = "") -> list[str]:
    """Each finding as `LINE code`, however the rest of the spec fares."""
    first = (S(sql="SELECT 1;"),) if phase != "expand" else ()
    problems = found((*first, S(sql=sql, phase=phase, undo="", extra=extra)))
    return [f"{problem.origin.line} {problem.code.value}" for problem in problems]


@pytest.mark.parametrize("phase", PHASES)
def test_odd_statements(phase: str) -> None:
    for statement in STATEMENTS:
        assert isinstance(parse("", statement), list), statement
        for extra in ("", "transaction: false") if phase != "migrate" else ("",):
            lint(statement, phase, extra)


@pytest.mark.parametrize("phase", PHASES)
def test_all_sql_of_the_repository(phase: str) -> None:
    files = sorted((*ROOT.glob("release-specs/**/*.sql"), *ROOT.glob("tests/**/*.sql")))
    assert len(files) > 10
    for file in files:
        lint(file.read_text(encoding="utf-8", errors="replace"), phase)


@given(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=6), st.sampled_from(PHASES))
@settings(max_examples=150, deadline=None)
def test_findings_stand_where_statements_begin(statements: list[str], phase: str) -> None:
    texts = [statement.rstrip(";\n") + ";\n" for statement in statements]
    step = S(sql="".join(texts), phase=phase)
    first = () if phase == "expand" else (S(sql="SELECT 1;"),)
    begins, line = set(), 1
    for text in texts:
        # A text may hold several statements, or a block with some, each at a line of its own.
        begins |= set(range(line, line + text.count("\n")))
        line += text.count("\n")
    for problem in found((*first, step)):
        if problem.code.name.startswith("LINT_"):
            assert problem.origin.line in begins
            assert problem.cure
            assert problem.message


@pytest.mark.parametrize("case", EXPAND)
def test_new_tables_change_nothing(case: str) -> None:
    """Statements on tables of their own add no finding, and take none away."""
    sql, expected = EXPAND[case]
    noise = "CREATE TABLE noise (a int);\nALTER TABLE noise ADD b uuid DEFAULT random_uuid();\n"
    moved = [f"{int(line) + 2} {code}" for line, code in map(str.split, expected)]
    assert sorted(told((S(sql=noise + sql),))) == sorted(moved)


def test_a_thousand_steps() -> None:
    """Well under a second: the parse trees are there already."""
    sql = "".join(
        f"{EXPAND[case][0].rstrip()}\n" for case in ("index", "column", "check", "update")
    )
    steps = tuple(S(sql=sql, change=f"thing-{number}") for number in range(999))
    files = product(steps)
    read: list[float] = []

    def timed(*arguments: object) -> object:
        started = time.process_time()
        result = check_safety(*arguments)  # type: ignore[arg-type]
        read.append(time.process_time() - started)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolchain.spec.load.check_safety", timed)
        checked = check_product(Memory({name: text.encode() for name, text in files.items()}), {})
    assert sum(problem.code is Code.LINT_WRITE for problem in checked.problems) == 999
    assert read[0] < 1.5


def test_the_samples_are_clean() -> None:
    from toolchain.edge.directory import Directory

    assert load_product(Directory(ROOT / "release-specs/fleetdesk"), {}).releases
