"""What the replay makes of SQL, held against the catalogue of a PostgreSQL that has run it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import REPOSITORY
from tests.postgres.test_procrastinate import opened  # noqa: F401  (the fixture that fetches it)
from toolchain.build.product import OpenProduct, open_product
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor import constraint
from toolchain.refactor.sql import ident, relation
from toolchain.spec.schema.replay import Replay
from toolchain.spec.schema.text import UNKNOWN

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

FLEETDESK = REPOSITORY / "release-specs" / "fleetdesk"

# How pg_catalog tells the same, one query for each fact; the first value is the table's name.
OURS = """relkind IN ('r', 'p') AND relnamespace NOT IN (
    'pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)"""
TABLE = "n.nspname || '.' || c.relname"
FROM = f"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND {OURS}"
NAMES = """ARRAY(SELECT a.attname::text FROM unnest({keys}) WITH ORDINALITY AS k (number, at)
    JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = k.number ORDER BY k.at)"""
ACTION = """CASE {} WHEN 'a' THEN 'no action' WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade'
    WHEN 'n' THEN 'set null' ELSE 'set default' END"""
FACTS = {
    "children": f"""SELECT {TABLE}, c.relkind = 'p' OR EXISTS (
        SELECT FROM pg_inherits WHERE c.oid IN (inhparent, inhrelid)) {FROM}""",
    "row security": f"SELECT {TABLE}, relrowsecurity, relforcerowsecurity {FROM}",
    "columns": f"""SELECT {TABLE}, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        pg_get_expr(d.adbin, d.adrelid) IS NOT NULL AND a.attgenerated = '',
        CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
        a.attgenerated <> '', (SELECT quote_ident(collname) FROM pg_collation o JOIN pg_type t ON
            t.oid = a.atttypid WHERE o.oid = attcollation AND attcollation <> typcollation)
        {FROM} JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum ORDER BY attnum""",
    "keys": f"""SELECT {TABLE}, conname, {NAMES.format(keys="conkey", table="c.oid")},
        contype = 'p', condeferrable, ARRAY(SELECT a.attname::text
            FROM unnest(i.indkey) WITH ORDINALITY AS held (number, at)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = number
            WHERE at > i.indnkeyatts ORDER BY at), NOT i.indnullsnotdistinct {FROM}
        JOIN pg_constraint k ON k.conrelid = c.oid AND contype IN ('p', 'u')
        JOIN pg_index i ON i.indexrelid = k.conindid""",
    "checks": f"""SELECT {TABLE}, conname, {NAMES.format(keys="conkey", table="c.oid")},
        convalidated, NOT connoinherit {FROM}
        JOIN pg_constraint k ON k.conrelid = c.oid AND contype = 'c'""",
    "foreign keys": f"""SELECT {TABLE}, conname, {NAMES.format(keys="conkey", table="c.oid")},
        (SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace s ON relnamespace = s.oid
         WHERE pg_class.oid = confrelid), {NAMES.format(keys="confkey", table="confrelid")},
        {ACTION.format("confdeltype")}, {ACTION.format("confupdtype")}, condeferrable, convalidated,
        {NAMES.format(keys="confdelsetcols", table="c.oid")}, confmatchtype = 'f', condeferred
        {FROM} JOIN pg_constraint k ON k.conrelid = c.oid AND contype = 'f'""",
    "indexes": f"""SELECT {TABLE}, m.nspname || '.' || o.relname, ARRAY(
            SELECT a.attname::text FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = refobjid AND a.attnum = refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND objid = coalesce(k.conindid, o.oid)
              AND refobjid = c.oid
            UNION SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid
              AND a.attnum = ANY (i.indkey)),
        i.indisunique OR k.oid IS NOT NULL {FROM}
        JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class o ON o.oid = i.indexrelid
        JOIN pg_namespace m ON m.oid = o.relnamespace
        LEFT JOIN pg_constraint k ON k.conindid = o.oid AND contype IN ('p', 'u', 'x')
        WHERE k.oid IS NULL OR contype = 'x'""",
    "triggers": f"""SELECT {TABLE}, tgname,
        CASE tgtype & 66 WHEN 2 THEN 'before' WHEN 64 THEN 'instead of' ELSE 'after' END,
        tgtype & 60, tgtype & 1 = 1, {NAMES.format(keys="tgattr::int2[]", table="c.oid")},
        f.nspname || '.' || proname, ARRAY(SELECT DISTINCT a.attname::text FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = refobjid AND a.attnum = refobjsubid
            WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND refobjid = c.oid
            ORDER BY 1) {FROM}
        JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT tgisinternal
        JOIN pg_proc p ON p.oid = tgfoid JOIN pg_namespace f ON f.oid = pronamespace""",
    "policies": f"SELECT {TABLE}, polname {FROM} JOIN pg_policy ON polrelid = c.oid",
    "rules": f"SELECT {TABLE}, rulename {FROM} JOIN pg_rewrite ON ev_class = c.oid",
    "views": f"""SELECT DISTINCT {TABLE}, m.nspname || '.' || v.relname {FROM}
        JOIN pg_depend d ON refobjid = c.oid AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_rewrite r ON r.oid = objid JOIN pg_class v ON v.oid = ev_class AND v.relkind IN ('v', 'm')
        JOIN pg_namespace m ON m.oid = v.relnamespace""",
    "functions": f"""SELECT DISTINCT {TABLE}, m.nspname || '.' || p.proname {FROM}
        JOIN pg_depend d ON refobjid = c.oid AND d.classid = 'pg_proc'::regclass AND deptype = 'n'
            AND refclassid = 'pg_class'::regclass
        JOIN pg_proc p ON p.oid = d.objid AND prosqlbody IS NOT NULL
        JOIN pg_namespace m ON m.oid = pronamespace""",
    "unlogged": f"SELECT {TABLE}, relpersistence = 'u' {FROM}",
    "published": f"""SELECT DISTINCT {TABLE}, a.attname {FROM}
        JOIN pg_publication_rel r ON prrelid = c.oid
        JOIN pg_depend d ON d.classid = 'pg_publication_rel'::regclass AND d.objid = r.oid
            AND refclassid = 'pg_class'::regclass AND refobjid = c.oid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = refobjsubid AND attnum > 0""",
    "publications": f"""SELECT {TABLE}, pubname {FROM} JOIN pg_publication_rel ON prrelid = c.oid
        JOIN pg_publication p ON p.oid = prpubid""",
}
WHOLE = {
    "views": """SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace n ON n.oid =
        relnamespace WHERE relkind IN ('v', 'm') AND nspname NOT IN
        ('pg_catalog', 'information_schema')""",
    "sequences": """SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace n ON n.oid =
        relnamespace WHERE relkind = 'S'""",
    "enums": """SELECT nspname || '.' || typname, array_agg(enumlabel::text ORDER BY enumsortorder)
        FROM pg_enum JOIN pg_type t ON t.oid = enumtypid JOIN pg_namespace n ON n.oid =
        typnamespace GROUP BY 1""",
    "types": """SELECT nspname || '.' || typname, typdefault IS NOT NULL FROM pg_type t
        JOIN pg_namespace n ON n.oid = typnamespace LEFT JOIN pg_class c ON c.oid = typrelid
        WHERE typtype IN ('d', 'r', 'c') AND coalesce(relkind, 'c') = 'c'
        AND nspname NOT IN ('pg_catalog', 'information_schema')""",
    "publications": """SELECT pubname FROM pg_publication p WHERE puballtables
        OR EXISTS (SELECT FROM pg_publication_namespace WHERE pnpubid = p.oid)""",
}
EVENTS = {"insert": 4, "delete": 8, "update": 16, "truncate": 32}


def _in_catalogue(database: "Database") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for fact, query in FACTS.items():
        for table, *values in database.rows(query):
            found.setdefault(table, {}).setdefault(fact, []).append(values)
    found["whole"] = {fact: database.rows(query) for fact, query in WHOLE.items()}
    return _comparable(found)


def _in_replay(schema: Schema) -> dict[str, Any]:
    found: dict[str, Any] = {str(name): _facts(table) for name, table in schema.tables.items()}
    found["whole"] = {
        "views": [(str(name),) for name in schema.views],
        "sequences": [(str(name),) for name in schema.sequences],
        "enums": [(str(name), list(labels)) for name, labels in schema.enums.items()],
        "types": [(str(name), default is not None) for name, default in schema.types.items()],
        "publications": [(name,) for name in schema.whole_publications],
    }
    return _comparable(found)


def _facts(table: TableSchema) -> dict[str, Any]:
    facts = {
        "children": [[table.children]],
        "row security": [[table.row_security, table.row_security_forced]],
        "columns": [
            [c.name, c.type, c.not_null, c.default is not None, c.identity,
             c.generated is not None, c.collation]
            for c in table.columns
        ],
        "keys": [
            [k.name, list(k.columns), k.primary, k.deferrable, list(k.included), k.nulls_distinct]
            for k in table.keys
        ],
        "checks": [[c.name, sorted(c.columns), c.valid, c.inherited] for c in table.checks],
        "foreign keys": [
            [f.name, list(f.columns), str(f.table), list(f.references), f.on_delete, f.on_update,
             f.deferrable, f.valid, list(f.emptied), f.full, f.deferred]
            for f in table.foreign_keys
        ],
        "indexes": [[str(i.name), list(i.columns), i.unique] for i in table.indexes],
        "triggers": [
            [t.name, t.timing, sum(EVENTS[event] for event in t.events), t.each_row,
             list(t.columns), t.function, sorted(t.needs)]
            for t in table.triggers
        ],
        "policies": [[name] for name in table.policies],
        "rules": [[name] for name in table.rules],
        "views": [[str(name)] for name in table.views],
        "functions": [[str(name)] for name in table.functions],
        "unlogged": [[table.unlogged]],
        "published": [[name] for name in table.published],
        "publications": [[name] for name in table.publications],
    }  # fmt: skip
    return {fact: values for fact, values in facts.items() if values}


def _comparable(found: dict[str, Any]) -> dict[str, Any]:
    """Only columns have an order; a type of the user's own may have its schema or not."""
    for facts in found.values():
        for column in facts.get("columns", ()):
            column[1] = column[1].removeprefix("public.")
        for value in (*facts.get("checks", ()), *facts.get("indexes", ())):
            value[1:] = [sorted(part) if isinstance(part, list) else part for part in value[1:]]
        for fact in set(facts) - {"columns"}:
            facts[fact].sort(key=str)
    return found


def _differences(told: dict[str, Any], found: dict[str, Any]) -> list[Any]:
    """What is told of each table and is not so, then what is so instead."""
    return [
        (table, fact, [v for v in one if v not in two], [v for v in two if v not in one])
        for table in sorted(told | found)
        for fact in sorted(told.get(table, {}) | found.get(table, {}))
        for one in [told.get(table, {}).get(fact, [])]
        for two in [found.get(table, {}).get(fact, [])]
        if one != two
    ]


def _both(database: "Database", replay: Replay, sql: str) -> None:
    database.execute(sql)
    replay.apply(sql)
    told, found = _in_replay(replay.schema), _in_catalogue(database)
    for table, facts in told.items():
        untold = [column[0] for column in facts.get("columns", ()) if column[1] == UNKNOWN]
        for column in found.get(table, {}).get("columns", ()):
            if column[0] in untold:  # neither its type nor its collation
                column[1], column[-1] = UNKNOWN, None
    assert _differences(told, found) == [], sql


def _scripts(product: OpenProduct) -> list[tuple[str, str | None]]:
    """The SQL of a chain's steps with their undo, the batches left out: they change rows alone."""
    read = product.sql()
    found = []
    for release in product.product.releases:
        for step in release.database.steps:
            undo = read(step.undo).content.decode() if step.undo else None
            text = read(step.sql)
            if step.batch is None:
                found.append((text.content.decode(), undo))
            elif step.batch.begin or step.batch.finish:
                end = len(text.statements) - step.batch.finish
                once = (*text.statements[: step.batch.begin], *text.statements[end:])
                found.append((";\n".join(once), undo))
    return found


def _walk(database: "Database", product: OpenProduct) -> Replay:
    replay = Replay()
    for sql, undo in _scripts(product):
        before = replay.schema
        _both(database, replay, sql)
        if undo is not None:
            branch = replay.copy()
            branch.apply(undo)
            assert _differences(_in_replay(branch.schema), _in_replay(before)) == []
    return replay


NASTY = (
    # Every spelling of a type, and columns that are not only a name and a type.
    """
    CREATE SCHEMA "Weird Place";
    CREATE TYPE public.mood AS ENUM ('sad', 'ok');
    CREATE DOMAIN public.positive AS int CHECK (VALUE > 0);
    CREATE TABLE "Weird Place"."Tab le" (
        id serial PRIMARY KEY, big bigserial, small smallserial, n numeric, n1 numeric(4),
        n2 decimal(10, 2)[], ts timestamp, ts3 timestamp(3), tz timestamptz(0), tt time,
        ttz timetz(2), i interval, i3 interval(3), iday interval day to second(2), c char,
        c5 char(5), vc varchar, vc20 varchar(20) COLLATE "C", b bit, b3 bit(3), vb varbit(7),
        dp double precision, f4 float(10), one "char", bp bpchar, j jsonb DEFAULT '{"a": 1}',
        aa text[3][], m public.mood DEFAULT 'ok', ma public.mood[], p public.positive,
        "select" int DEFAULT 1 + 2 * 3, "Quo""te" text DEFAULT E'it''s \\\\ x' || 'y',
        nothing int DEFAULT NULL, g int GENERATED ALWAYS AS (n1::int * 2) STORED,
        d date DEFAULT current_date - interval '1 day', at timestamptz DEFAULT now() NOT NULL,
        u uuid DEFAULT gen_random_uuid(), net inet, bin bytea, x xml, r int4range, oid oid
    );
    """,
    # Names that PostgreSQL chooses, duplicates and long ones among them.
    """
    CREATE TABLE a (
        x int CHECK (x > 0) CHECK (x < 100), y int UNIQUE, z int, w int,
        CHECK (x < y), CHECK (y < z), CHECK (true), UNIQUE (x, y), UNIQUE (y, x), UNIQUE (z),
        UNIQUE (z), CONSTRAINT named UNIQUE (w), UNIQUE (w), PRIMARY KEY (x)
    );
    ALTER TABLE a ADD CHECK (x > 1), ADD CHECK (x + z > 1), ADD UNIQUE (y);
    CREATE TABLE a_x (check1 int, CHECK (check1 > 0));
    CREATE TABLE b (
        id bigint GENERATED BY DEFAULT AS IDENTITY, a int REFERENCES a, other int REFERENCES a (x)
            ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
        a2 int, self bigint REFERENCES b, PRIMARY KEY (id),
        FOREIGN KEY (a2, a) REFERENCES a (x, y), FOREIGN KEY (a) REFERENCES a ON DELETE RESTRICT,
        UNIQUE (a, a2) DEFERRABLE
    );
    CREATE INDEX ON b (a);
    CREATE INDEX ON b (a);
    CREATE INDEX ON b (lower(a::text), (a + a2), (a - a2), coalesce(a, 1)) INCLUDE (self)
        WHERE other IS NOT NULL;
    CREATE UNIQUE INDEX ON b USING btree (a DESC NULLS LAST, a2 ASC);
    CREATE UNIQUE INDEX ON b (a2, other) NULLS NOT DISTINCT WITH (fillfactor = 70);
    CREATE INDEX ON b (((a, a2) IS NULL), (CASE WHEN a > 1 THEN a2 END), (a::text) text_pattern_ops);
    CREATE INDEX ON b USING hash ((b.other));
    CREATE TABLE a_table_with_quite_a_long_name_that_goes_on_and_on_and (
        a_column_with_quite_a_long_name_that_goes_on_and_on_and_on int PRIMARY KEY,
        another_column_with_quite_a_long_name_that_goes_on_and_on serial UNIQUE,
        CHECK (another_column_with_quite_a_long_name_that_goes_on_and_on > 0),
        UNIQUE (a_column_with_quite_a_long_name_that_goes_on_and_on_and_on,
                another_column_with_quite_a_long_name_that_goes_on_and_on)
    );
    CREATE TABLE IF NOT EXISTS a (nonsense int);
    CREATE DOMAIN seven AS int DEFAULT 7;
    CREATE DOMAIN eight AS int DEFAULT 8;
    ALTER DOMAIN eight DROP DEFAULT;
    CREATE TYPE pair AS (one int, two int);
    CREATE TYPE span AS RANGE (subtype = int4);
    CREATE UNLOGGED TABLE careful (
        one int, two int, three int, four int CHECK (four > 0) NO INHERIT,
        PRIMARY KEY (one) INCLUDE (four),
        UNIQUE NULLS NOT DISTINCT (two, three) INCLUDE (four),
        FOREIGN KEY (two, three) REFERENCES careful (two, three) MATCH FULL
            ON DELETE SET NULL (three) DEFERRABLE INITIALLY IMMEDIATE,
        FOREIGN KEY (four) REFERENCES careful INITIALLY DEFERRED
    );
    CREATE UNIQUE INDEX careful_two ON careful (two) INCLUDE (three) NULLS NOT DISTINCT;
    ALTER TABLE careful ADD UNIQUE USING INDEX careful_two;
    ALTER TABLE careful RENAME four TO fourth;
    ALTER TABLE careful SET LOGGED;
    CREATE UNLOGGED TABLE careless (one int);
    CREATE TABLE room (
        number int, during tsrange, floor int,
        EXCLUDE USING gist (during WITH &&) WHERE (floor > 0),
        CONSTRAINT once EXCLUDE USING gist (during WITH &&)
    );
    """,
    # ALTER TABLE.
    """
    ALTER TABLE b ADD COLUMN note varchar(10) NOT NULL DEFAULT 'none' CHECK (note <> ''),
        ADD COLUMN IF NOT EXISTS note text, ADD COLUMN tag text UNIQUE,
        ADD COLUMN owner int REFERENCES a ON DELETE CASCADE, ADD COLUMN number serial,
        ADD COLUMN always int GENERATED ALWAYS AS IDENTITY;
    ALTER TABLE b ALTER COLUMN note TYPE text COLLATE "C", ALTER COLUMN note DROP DEFAULT,
        ALTER note DROP NOT NULL, ALTER a SET NOT NULL, ALTER a SET DEFAULT 7,
        ALTER always SET GENERATED BY DEFAULT, ALTER id DROP IDENTITY, ALTER number DROP DEFAULT;
    ALTER TABLE b ALTER id ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME b_numbers START 5);
    ALTER TABLE b ADD CONSTRAINT late CHECK (a > 0) NOT VALID,
        ADD CONSTRAINT late_too CHECK (a2 > 0) NOT VALID,
        ADD CONSTRAINT late_key FOREIGN KEY (owner) REFERENCES a NOT VALID;
    ALTER TABLE b VALIDATE CONSTRAINT late;
    CREATE UNIQUE INDEX b_owner ON b (owner, a);
    ALTER TABLE b ADD CONSTRAINT b_owns UNIQUE USING INDEX b_owner;
    ALTER TABLE b ADD COLUMN swapped int, ADD CONSTRAINT swap CHECK (a2 < 5);
    ALTER TABLE b ADD COLUMN swapped text, DROP COLUMN swapped, ADD CONSTRAINT swap CHECK (a > 5),
        DROP CONSTRAINT swap, DROP CONSTRAINT IF EXISTS never;
    ALTER TABLE b ENABLE ROW LEVEL SECURITY;
    ALTER TABLE a ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    ALTER TABLE a DISABLE ROW LEVEL SECURITY;
    ALTER TABLE IF EXISTS nowhere ADD COLUMN x int;
    ALTER TABLE b ALTER CONSTRAINT b_self_fkey DEFERRABLE;
    """,
    # What reads a table, and one that is like it.
    """
    CREATE TABLE whole (LIKE b INCLUDING ALL EXCLUDING STATISTICS, more int CHECK (more > 0));
    CREATE VIEW plain AS SELECT * FROM a;
    CREATE OR REPLACE VIEW joined (one, two) AS
        WITH b AS (SELECT b.id, a.y FROM b JOIN a ON a.x = b.a) SELECT id, y FROM b;
    CREATE VIEW upon AS SELECT one, (SELECT max(number) FROM room) FROM joined;
    CREATE MATERIALIZED VIEW stored AS SELECT x, y::text AS why FROM public.a WITH NO DATA;
    CREATE RECURSIVE VIEW walk (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM walk WHERE n < 9;
    CREATE INDEX ON stored (why);
    CREATE FUNCTION public.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER late AFTER INSERT OR UPDATE OF a, note OR DELETE ON b
        FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION noted();
    CREATE TRIGGER early BEFORE TRUNCATE ON b EXECUTE PROCEDURE public.noted();
    CREATE CONSTRAINT TRIGGER deferred AFTER UPDATE ON b DEFERRABLE
        FOR EACH ROW WHEN (OLD.tag IS DISTINCT FROM NEW.tag) EXECUTE FUNCTION noted();
    CREATE TRIGGER instead INSTEAD OF INSERT ON plain FOR EACH ROW EXECUTE FUNCTION noted();
    CREATE POLICY mine ON b USING (a2 > 0) WITH CHECK (note <> 'x');
    CREATE POLICY yours ON b FOR SELECT USING (true);
    CREATE RULE quiet AS ON DELETE TO b DO INSTEAD NOTHING;
    CREATE RULE loud AS ON UPDATE TO b WHERE NEW.a2 = 1 DO ALSO UPDATE room SET number = 1;
    CREATE PUBLICATION parts FOR TABLE a, b;
    CREATE PUBLICATION narrow FOR TABLE a (x, y), b WHERE (a > 3);
    CREATE PUBLICATION place FOR TABLES IN SCHEMA "Weird Place";
    CREATE PUBLICATION every FOR ALL TABLES;
    CREATE PUBLICATION none;
    ALTER PUBLICATION parts DROP TABLE a;
    ALTER PUBLICATION none ADD TABLE room, TABLES IN SCHEMA public, TABLES IN SCHEMA "Weird Place";
    ALTER PUBLICATION none DROP TABLES IN SCHEMA public, TABLES IN SCHEMA "Weird Place";
    ALTER PUBLICATION parts SET TABLE b;
    CREATE FUNCTION counted(low int, OUT many bigint) LANGUAGE sql
        BEGIN ATOMIC SELECT count(y) FROM a WHERE x > low; END;
    CREATE FUNCTION counted() RETURNS int LANGUAGE sql RETURN (SELECT max(number) FROM room);
    CREATE FUNCTION text_alone() RETURNS int LANGUAGE sql AS 'SELECT max(number) FROM room';
    CREATE SEQUENCE free;
    CREATE SEQUENCE owned OWNED BY b.a2;
    ALTER TABLE b ALTER a2 SET DEFAULT nextval('owned');
    ALTER TYPE mood ADD VALUE 'great';
    """,
    """
    ALTER TYPE mood ADD VALUE 'poor' BEFORE 'ok';
    ALTER TYPE mood ADD VALUE IF NOT EXISTS 'fine' AFTER 'ok';
    """,
    # Other names, and what carries them.
    """
    ALTER TYPE mood RENAME VALUE 'sad' TO 'low';
    ALTER TYPE mood RENAME TO "Feeling";
    ALTER TABLE b RENAME COLUMN a TO "The A";
    ALTER TABLE a RENAME x TO id;
    ALTER TABLE room RENAME during TO span;
    ALTER TABLE b RENAME CONSTRAINT late TO later;
    ALTER TABLE b RENAME CONSTRAINT b_owns TO b_owned;
    ALTER INDEX b_a_idx RENAME TO b_by_a;
    ALTER INDEX a_pkey RENAME TO a_key;
    ALTER TRIGGER late ON b RENAME TO latest;
    ALTER POLICY mine ON b RENAME TO ours;
    ALTER RULE loud ON b RENAME TO louder;
    ALTER VIEW plain RENAME TO plainer;
    ALTER VIEW plainer RENAME COLUMN y TO why;
    ALTER TABLE joined RENAME TO joint;
    ALTER MATERIALIZED VIEW stored RENAME TO kept;
    ALTER SEQUENCE b_number_seq RENAME TO counted;
    ALTER SEQUENCE owned RENAME TO possessed;
    ALTER PUBLICATION narrow RENAME TO tight;
    ALTER TABLE b RENAME TO bee;
    ALTER TABLE bee SET SCHEMA "Weird Place";
    ALTER SCHEMA "Weird Place" RENAME TO place;
    ALTER TABLE place."Tab le" RENAME TO tab;
    """,
    # Copies and descendants.
    """
    CREATE TABLE bare (LIKE place.bee);
    CREATE TABLE made AS SELECT id, y::text AS why, bee.note, z + 1, lower(note)
        FROM a JOIN place.bee USING (id);
    SELECT * INTO chosen FROM plainer;
    CREATE TABLE parted (id int NOT NULL, at date CHECK (at > '2000-01-01'), PRIMARY KEY (at))
        PARTITION BY RANGE (at);
    CREATE TABLE mother (id int NOT NULL, age int CHECK (age > 0));
    CREATE TABLE child (school text, age int DEFAULT 3) INHERITS (mother);
    ALTER TABLE mother ADD COLUMN name text, ADD CONSTRAINT grown CHECK (id > 0);
    ALTER TABLE mother RENAME age TO years;
    CREATE TABLE orphan (id int NOT NULL, years int, name text, CONSTRAINT grown CHECK (id > 0),
        CONSTRAINT mother_age_check CHECK (years > 0));
    ALTER TABLE orphan INHERIT mother;
    ALTER TABLE child NO INHERIT mother;
    """,
    # DROP, and what goes with it.
    """
    DROP INDEX place.b_by_a;
    DROP TRIGGER early ON place.bee;
    DROP POLICY yours ON place.bee;
    DROP RULE quiet ON place.bee;
    DROP VIEW IF EXISTS nothing, walk;
    ALTER TABLE place.bee DROP COLUMN tag CASCADE;
    ALTER TABLE whole DROP COLUMN a2;
    ALTER TABLE place.bee DROP COLUMN self, DROP COLUMN number, DROP IF EXISTS never;
    ALTER TABLE room DROP COLUMN floor CASCADE;
    ALTER TABLE place.tab DROP COLUMN n1 CASCADE;
    DROP SEQUENCE place.possessed CASCADE;
    """,
    "ALTER TABLE place.bee DROP COLUMN note CASCADE",
    'ALTER TABLE place.bee DROP COLUMN "The A" CASCADE',
    "ALTER FUNCTION noted() SET SCHEMA place",
    "ALTER FUNCTION place.noted() RENAME TO told",
    "ALTER TABLE a DROP COLUMN z CASCADE",
    'DROP TYPE "Feeling" CASCADE',
    "DROP FUNCTION place.told() CASCADE",
    "ALTER TABLE a DROP COLUMN id CASCADE",
    "DROP TABLE a CASCADE",
    "DROP PUBLICATION parts, every; CREATE TEMP TABLE room (x int); DROP TABLE room;",
    "SET search_path = place, public; CREATE TABLE here (id int); ALTER TABLE room ADD y int;",
    "DROP TABLE mother, orphan; DROP MATERIALIZED VIEW IF EXISTS kept; DROP TABLE parted",
    "DROP SCHEMA place CASCADE",
)


def test_nasty(database: "Database") -> None:
    replay = Replay()
    for sql in NASTY:
        _both(database, replay, sql)


def _definitions(database: "Database", table: TableSchema) -> list[tuple[Any, ...]]:
    """How PostgreSQL spells a table's checks, indexes and defaults, in full."""
    name = f"'{relation(table.name)}'::regclass"
    return sorted(
        database.rows(f"""SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid = {name} AND contype IN ('c', 'x', 'f', 'u')
            UNION ALL SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
            WHERE indrelid = {name}
            UNION ALL SELECT attname, pg_get_expr(adbin, adrelid)
            FROM pg_attribute JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = {name} AND attnum > 0 AND NOT attisdropped""")
    )


def _remake(table: TableSchema, schema: Schema) -> Iterator[str]:
    """Make anew, from what the replay says, everything that it says as SQL text."""
    here = relation(table.name)
    referenced = [set(foreign.references) for _, foreign in schema.referencing(table.name)]
    made = [
        *(
            (each.name, constraint.check(each) + ("" if each.valid else " NOT VALID"))
            for each in table.checks
        ),
        *(
            (
                each.name,
                constraint.reference(each)
                + constraint.deferring(each)
                + ("" if each.valid else " NOT VALID"),
            )
            for each in table.foreign_keys
        ),
        *(
            (each.name, constraint.unique(each))
            for each in table.keys
            if not each.primary and not each.deferrable and set(each.columns) not in referenced
        ),
    ]
    for name, words in made:
        yield f"ALTER TABLE {here} DROP CONSTRAINT {ident(name)}"
        yield f"ALTER TABLE {here} ADD CONSTRAINT {ident(name)} {words}"
    for index in table.indexes:
        yield (
            f"ALTER TABLE {here} DROP CONSTRAINT {ident(index.name.name)}"
            if index.excludes
            else f"DROP INDEX {relation(index.name)}"
        )
        yield index.definition
    for column in table.columns:
        name = ident(column.name)
        if column.default is not None:
            yield f"ALTER TABLE {here} ALTER {name} DROP DEFAULT"
            yield f"ALTER TABLE {here} ALTER {name} SET DEFAULT {column.default}"


@pytest.mark.parametrize("upto", [3, 6], ids=["as made", "renamed"])
def test_every_text_means_what_it_was_made_from(database: "Database", upto: int) -> None:
    replay = Replay()
    for sql in NASTY[:upto]:
        database.execute(sql)
        replay.apply(sql)
    for table in replay.schema.tables.values():
        before = _definitions(database, table)
        for statement in _remake(table, replay.schema):
            database.execute(statement)
        assert _definitions(database, table) == before


def test_fleetdesk(database: "Database") -> None:
    schema = _walk(database, open_product(FLEETDESK, {})).schema
    assert "public.host_network" in map(str, schema.tables)


def test_procrastinate(database: "Database", opened: OpenProduct) -> None:  # noqa: F811
    schema = _walk(database, opened).schema
    assert "public.procrastinate_jobs" in map(str, schema.tables)
