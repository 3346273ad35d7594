"""Statements with the lock that each takes on the table `host`, and the work under it.

One table for two tests: the lint says it (tests/unit/spec/test_lint_locks.py), and a real PostgreSQL
is asked (tests/postgres/test_lint_locks.py).
"""

SETUP = """\
CREATE SCHEMA elsewhere;
CREATE TABLE part (id int PRIMARY KEY, host_id bigint);
CREATE TABLE host (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(20) NOT NULL,
    os text,
    cpu integer,
    price numeric(8, 2),
    at timestamp(3),
    address cidr,
    note text DEFAULT 'x',
    part_id int,
    code char(4),
    CONSTRAINT host_note_present CHECK (note IS NOT NULL),
    CONSTRAINT host_cpu_check CHECK (cpu >= 0)
);
ALTER TABLE host ADD CONSTRAINT host_os_present CHECK (os IS NOT NULL) NOT VALID;
ALTER TABLE host ADD CONSTRAINT host_part FOREIGN KEY (part_id) REFERENCES part (id) NOT VALID;
CREATE INDEX host_name ON host (name);
CREATE UNIQUE INDEX host_cpu ON host (cpu);
CREATE VIEW host_view AS SELECT id FROM host;
CREATE MATERIALIZED VIEW host_cached AS SELECT id FROM host;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER host_old AFTER INSERT ON host FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE RULE host_rule AS ON DELETE TO host DO ALSO NOTHING;
CREATE POLICY host_policy ON host;
CREATE TABLE parent (id bigint, name varchar(20)) PARTITION BY RANGE (id);
CREATE TABLE child (id bigint, name varchar(20));
CREATE TABLE ancestor (id bigint);
CREATE TABLE loose (a int, b int NOT NULL);
CREATE UNIQUE INDEX loose_a ON loose (a);
CREATE UNIQUE INDEX loose_b ON loose (b);
CREATE DOMAIN positive AS int;
CREATE TABLE ranked (rank positive);
"""

ROWS = """\
INSERT INTO part SELECT n, n FROM generate_series(1, 50) n;
INSERT INTO host (name, os, cpu, price, at, address, part_id, code)
SELECT 'h' || n, 'os', n, n, now(), '10.0.0.0/8', 1, 'abcd' FROM generate_series(1, 500) n;
INSERT INTO loose SELECT n, n FROM generate_series(1, 50) n;
INSERT INTO ranked SELECT n FROM generate_series(1, 50) n;
INSERT INTO child SELECT n, 'c' FROM generate_series(1, 50) n;
"""

AEL, SRE, SUE = "ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"
BRIEF, SCAN, REWRITE = "brief", "scan", "rewrite"

# statement → lock on host, work under it; an index build is a scan.
DDL: dict[str, tuple[str, str]] = {
    "CREATE INDEX i ON host (os)": ("SHARE", SCAN),
    "CREATE UNIQUE INDEX i ON host (id, os)": ("SHARE", SCAN),
    "DROP INDEX host_name": (AEL, BRIEF),
    "REINDEX TABLE host": ("SHARE", SCAN),
    "REINDEX INDEX host_name": ("SHARE", SCAN),
    "ALTER INDEX host_name RENAME TO i": ("none", BRIEF),
    "ALTER TABLE host ADD COLUMN new text": (AEL, BRIEF),
    "ALTER TABLE host ADD COLUMN new int DEFAULT 1": (AEL, BRIEF),
    "ALTER TABLE host ADD COLUMN new int NOT NULL DEFAULT 1": (AEL, BRIEF),
    "ALTER TABLE host ADD COLUMN new timestamptz NOT NULL DEFAULT now()": (AEL, BRIEF),
    "ALTER TABLE host ADD COLUMN new text DEFAULT upper('a' || current_user)": (AEL, BRIEF),
    "ALTER TABLE host ADD COLUMN new jsonb DEFAULT jsonb_build_object('a', 1)": (AEL, BRIEF),
    "ALTER TABLE host ADD COLUMN new float DEFAULT random()": (AEL, REWRITE),
    "ALTER TABLE host ADD COLUMN new timestamptz DEFAULT clock_timestamp()": (AEL, REWRITE),
    "ALTER TABLE host ADD COLUMN new uuid NOT NULL DEFAULT gen_random_uuid()": (AEL, REWRITE),
    "ALTER TABLE host ADD COLUMN new bigserial": (AEL, REWRITE),
    "ALTER TABLE host ADD COLUMN new int GENERATED ALWAYS AS (cpu + 1) STORED": (AEL, REWRITE),
    "ALTER TABLE host ADD COLUMN new int CHECK (new > 0)": (AEL, SCAN),
    "ALTER TABLE host ADD COLUMN new int UNIQUE": (AEL, SCAN),
    "ALTER TABLE host ADD COLUMN new int REFERENCES part": (AEL, BRIEF),
    "ALTER TABLE host ADD COLUMN new int DEFAULT 1 REFERENCES part": (AEL, SCAN),
    "ALTER TABLE host DROP COLUMN os": (AEL, BRIEF),
    "ALTER TABLE host RENAME COLUMN os TO system": (AEL, BRIEF),
    "ALTER TABLE host RENAME TO machine": (AEL, BRIEF),
    "ALTER TABLE host RENAME CONSTRAINT host_cpu_check TO c": (AEL, BRIEF),
    "ALTER TABLE host SET SCHEMA elsewhere": (AEL, BRIEF),
    "ALTER TABLE host ALTER name TYPE varchar(30)": (AEL, BRIEF),
    "ALTER TABLE host ALTER name TYPE varchar": (AEL, BRIEF),
    "ALTER TABLE host ALTER os TYPE varchar": (AEL, BRIEF),
    "ALTER TABLE host ALTER price TYPE numeric(12, 2)": (AEL, BRIEF),
    "ALTER TABLE host ALTER price TYPE numeric": (AEL, BRIEF),
    "ALTER TABLE host ALTER at TYPE timestamp(6)": (AEL, BRIEF),
    "ALTER TABLE host ALTER at TYPE timestamp": (AEL, BRIEF),
    "ALTER TABLE host ALTER address TYPE inet": (AEL, BRIEF),
    "ALTER TABLE host ALTER cpu TYPE bigint": (AEL, REWRITE),
    "ALTER TABLE host ALTER name TYPE varchar(10)": (AEL, REWRITE),
    "ALTER TABLE host ALTER price TYPE numeric(12, 4)": (AEL, REWRITE),
    "ALTER TABLE host ALTER at TYPE timestamp(0)": (AEL, REWRITE),
    "ALTER TABLE host ALTER code TYPE text": (AEL, REWRITE),
    "ALTER TABLE host ALTER code TYPE char(8)": (AEL, REWRITE),
    "ALTER TABLE host ALTER os TYPE varchar(30)": (AEL, REWRITE),
    "ALTER TABLE host ALTER os TYPE text USING lower(os)": (AEL, REWRITE),
    "ALTER TABLE host ALTER os TYPE jsonb USING to_jsonb(os)": (AEL, REWRITE),
    "ALTER TABLE host ALTER os SET NOT NULL": (AEL, SCAN),
    "ALTER TABLE host ALTER note SET NOT NULL": (AEL, BRIEF),
    "ALTER TABLE host ALTER name SET NOT NULL": (AEL, BRIEF),
    "ALTER TABLE host ALTER name DROP NOT NULL": (AEL, BRIEF),
    "ALTER TABLE host ALTER os SET DEFAULT random()::text": (AEL, BRIEF),
    "ALTER TABLE host ALTER note DROP DEFAULT": (AEL, BRIEF),
    "ALTER TABLE host ALTER os SET STATISTICS 500": (SUE, BRIEF),
    "ALTER TABLE host ALTER os SET STORAGE external": (AEL, BRIEF),
    "ALTER TABLE host ADD CONSTRAINT c CHECK (cpu > 0)": (AEL, SCAN),
    "ALTER TABLE host ADD CONSTRAINT c CHECK (cpu > 0) NOT VALID": (AEL, BRIEF),
    "ALTER TABLE host VALIDATE CONSTRAINT host_os_present": (SUE, SCAN),
    "ALTER TABLE host VALIDATE CONSTRAINT host_part": (SUE, SCAN),
    "ALTER TABLE host VALIDATE CONSTRAINT host_os_present, ADD COLUMN new int": (AEL, SCAN),
    "ALTER TABLE host ADD FOREIGN KEY (part_id) REFERENCES part": (SRE, SCAN),
    "ALTER TABLE host ADD FOREIGN KEY (part_id) REFERENCES part NOT VALID": (SRE, BRIEF),
    "ALTER TABLE part ADD FOREIGN KEY (host_id) REFERENCES host NOT VALID": (SRE, BRIEF),
    "ALTER TABLE host ADD UNIQUE (id, os)": (AEL, SCAN),
    "ALTER TABLE host ADD CONSTRAINT c UNIQUE USING INDEX host_cpu": (AEL, BRIEF),
    "ALTER TABLE host ADD EXCLUDE USING btree (cpu WITH =)": (AEL, SCAN),
    "ALTER TABLE host DROP CONSTRAINT host_cpu_check": (AEL, BRIEF),
    "ALTER TABLE host DROP CONSTRAINT host_pkey": (AEL, BRIEF),
    "ALTER TABLE host DISABLE TRIGGER host_old": (SRE, BRIEF),
    "ALTER TABLE host ENABLE ALWAYS TRIGGER host_old": (SRE, BRIEF),
    "ALTER TABLE host DISABLE TRIGGER USER": (SRE, BRIEF),
    "ALTER TABLE host DISABLE RULE host_rule": (AEL, BRIEF),
    "ALTER TABLE host ENABLE ROW LEVEL SECURITY": (AEL, BRIEF),
    "ALTER TABLE host SET (fillfactor = 80)": (SUE, BRIEF),
    "ALTER TABLE host SET (autovacuum_enabled = false)": (SUE, BRIEF),
    "ALTER TABLE host SET (user_catalog_table = true)": (AEL, BRIEF),
    "ALTER TABLE host RESET (fillfactor)": (SUE, BRIEF),
    "ALTER TABLE host CLUSTER ON host_name": (SUE, BRIEF),
    "ALTER TABLE host REPLICA IDENTITY FULL": (AEL, BRIEF),
    "ALTER TABLE host OWNER TO CURRENT_USER": (AEL, BRIEF),
    "ALTER TABLE host SET UNLOGGED": (AEL, REWRITE),
    "ALTER TABLE host INHERIT child": (AEL, BRIEF),
    "ALTER TABLE child INHERIT ancestor": ("none", BRIEF),
    "CREATE TRIGGER t AFTER UPDATE ON host FOR EACH ROW EXECUTE FUNCTION nothing()": (SRE, BRIEF),
    "DROP TRIGGER host_old ON host": (AEL, BRIEF),
    "DROP RULE host_rule ON host": (AEL, BRIEF),
    "DROP POLICY host_policy ON host": (AEL, BRIEF),
    "CREATE RULE r AS ON UPDATE TO host DO ALSO NOTHING": (AEL, BRIEF),
    "CREATE POLICY p ON host": (AEL, BRIEF),
    "ALTER POLICY host_policy ON host USING (true)": (AEL, BRIEF),
    "ALTER TRIGGER host_old ON host RENAME TO t": (AEL, BRIEF),
    "CREATE STATISTICS s ON os, cpu FROM host": (SUE, BRIEF),
    "COMMENT ON TABLE host IS 'hosts'": (SUE, BRIEF),
    "COMMENT ON COLUMN host.os IS 'system'": (SUE, BRIEF),
    "CREATE TABLE t (host_id bigint REFERENCES host)": (SRE, BRIEF),
    "CREATE TABLE t () INHERITS (host)": (SUE, BRIEF),
    "CREATE TABLE t (LIKE host)": ("ACCESS SHARE", BRIEF),
    "CREATE VIEW v AS SELECT * FROM host": ("ACCESS SHARE", BRIEF),
    "LOCK TABLE host": (AEL, BRIEF),
    "LOCK TABLE host IN SHARE MODE": ("SHARE", BRIEF),
    "LOCK TABLE host IN ROW EXCLUSIVE MODE": ("ROW EXCLUSIVE", BRIEF),
    "CLUSTER host USING host_name": (AEL, REWRITE),
    "DROP VIEW host_view": ("none", BRIEF),
}  # fmt: skip

# Since PostgreSQL 18; older ones do not know the syntax.
NEWER: dict[str, tuple[str, str]] = {
    "ALTER TABLE host ADD COLUMN new int GENERATED ALWAYS AS (cpu + 1) VIRTUAL": (AEL, BRIEF),
    "ALTER TABLE host ADD CONSTRAINT c NOT NULL os": (AEL, SCAN),
    "ALTER TABLE host ADD CONSTRAINT c NOT NULL os NOT VALID": (AEL, BRIEF),
    "ALTER TABLE host ADD CONSTRAINT c CHECK (cpu > 1) NOT ENFORCED": (AEL, BRIEF),
}  # fmt: skip

# The same for rows, whose work is not the lock's.
ROWS_TOO: dict[str, str] = {
    "SELECT * FROM host": "ACCESS SHARE",
    "SELECT * FROM host FOR SHARE": "ROW SHARE",
    "WITH h AS (SELECT * FROM host FOR UPDATE) SELECT * FROM h": "ROW SHARE",
    "INSERT INTO host (name, os) VALUES ('a', 'b')": "ROW EXCLUSIVE",
    "UPDATE host SET os = 'a'": "ROW EXCLUSIVE",
    "DELETE FROM host WHERE id = 1": "ROW EXCLUSIVE",
    "WITH gone AS (DELETE FROM host RETURNING id) SELECT * FROM gone": "ROW EXCLUSIVE",
    "UPDATE part SET host_id = host.id FROM host WHERE part.id = host.id": "ACCESS SHARE",
    "TRUNCATE host": AEL,
    "DROP TABLE host CASCADE": AEL,
    "CREATE TABLE t AS SELECT * FROM host": "ACCESS SHARE",
}  # fmt: skip

# Statements that are refused in a transaction: the lock that they ask for first.
ALONE: dict[str, str] = {
    "CREATE INDEX CONCURRENTLY i ON host (os)": SUE,
    "DROP INDEX CONCURRENTLY host_name": SUE,
    "REINDEX TABLE CONCURRENTLY host": SUE,
    "REINDEX INDEX CONCURRENTLY host_name": SUE,
    "VACUUM host": SUE,
    "VACUUM (FULL off) host": SUE,
    "VACUUM FULL host": AEL,
    "ANALYZE host": SUE,
}  # fmt: skip

# What an index makes of a column that may be NULL: lock and work on the table `loose`.
KEYS: dict[str, tuple[str, str]] = {
    "ALTER TABLE loose ADD PRIMARY KEY USING INDEX loose_a": (AEL, SCAN),
    "ALTER TABLE loose ADD PRIMARY KEY USING INDEX loose_b": (AEL, BRIEF),
    "ALTER TABLE loose ADD UNIQUE USING INDEX loose_a": (AEL, BRIEF),
}  # fmt: skip

# Locks on what is not the table `host`.
ELSEWHERE: dict[str, tuple[str, str]] = {
    "REFRESH MATERIALIZED VIEW host_cached": ("host_cached", AEL),
    "ALTER TABLE host ADD FOREIGN KEY (part_id) REFERENCES part": ("part", SRE),
    "CREATE TABLE t PARTITION OF parent FOR VALUES FROM (100) TO (200)": ("parent", AEL),
    "ALTER TABLE parent ATTACH PARTITION child FOR VALUES FROM (0) TO (100)": ("child", AEL),
    "ALTER TABLE parent ATTACH PARTITION child FOR VALUES FROM (0) TO (99)": ("parent", SUE),
    "CREATE INDEX i ON ONLY parent (name)": ("parent", "SHARE"),
    "CREATE OR REPLACE VIEW host_view AS SELECT id FROM host": ("host_view", AEL),
    "DROP VIEW host_view": ("host_view", AEL),
    "ALTER VIEW host_view RENAME TO v": ("host_view", AEL),
    "ALTER INDEX host_name RENAME TO i": ("host_name", SUE),
    "ALTER TABLE child INHERIT ancestor": ("child", AEL),
}  # fmt: skip
