"""The replay in small cases; tests/postgres holds it against a real catalogue."""

import subprocess
import sys

import pytest

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Check, Column, ForeignKey, Key, Schema, TableSchema, Trigger
from toolchain.spec.schema.replay import Replay

HOST = """
CREATE TABLE public.host (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    cores int DEFAULT 1 CHECK (cores >= 0)
);
CREATE TABLE public.job (id serial PRIMARY KEY, host bigint REFERENCES host ON DELETE CASCADE);
"""


def replayed(*texts: str) -> Schema:
    replay = Replay()
    for sql in texts:
        replay.apply(sql)
    return replay.schema


def table(schema: Schema, name: str) -> TableSchema:
    return schema.tables[RelationName.parse(name)]


def column(type_: str) -> Column:
    (found,) = table(replayed(f"CREATE TABLE t (c {type_})"), "t").columns
    return found


def test_a_table() -> None:
    host = table(replayed(HOST), "host")
    assert host.columns == (
        Column(name="id", type="bigint", not_null=True, identity="always"),
        Column(name="name", type="text", not_null=True),
        Column(name="cores", type="integer", default="1"),
    )
    assert host.keys == (
        Key(name="host_pkey", columns=("id",), primary=True),
        Key(name="host_name_key", columns=("name",)),
    )
    assert host.checks == (
        Check(name="host_cores_check", expression="cores >= 0", columns=frozenset({"cores"})),
    )
    assert host.primary_key == host.keys[0]


def test_a_serial_column_has_a_sequence_of_its_own() -> None:
    schema = replayed(HOST)
    assert table(schema, "job").column("id") == Column(
        name="id",
        type="integer",
        not_null=True,
        default="nextval('public.job_id_seq'::regclass)",
    )
    assert {str(name) for name in schema.sequences} == {"public.host_id_seq", "public.job_id_seq"}
    assert not replayed(HOST, "DROP TABLE job, host").sequences


def test_who_refers_to_a_table() -> None:
    schema = replayed(HOST)
    host, job = RelationName.parse("host"), RelationName.parse("job")
    foreign = ForeignKey(
        name="job_host_fkey",
        columns=("host",),
        table=host,
        references=("id",),
        on_delete="cascade",
    )
    assert schema.referencing(host) == ((job, foreign),)


@pytest.mark.parametrize(
    ("written", "type_"),
    [
        ("int8", "bigint"),
        ("varchar(20)", "character varying(20)"),
        ("char", "character(1)"),
        ('"char"', '"char"'),
        ("decimal(10, 2)[][]", "numeric(10,2)[]"),
        ("numeric(4)", "numeric(4,0)"),
        ("timestamptz(3)", "timestamp(3) with time zone"),
        ("timestamp", "timestamp without time zone"),
        ("interval day to second(2)", "interval day to second(2)"),
        ("float(10)", "real"),
        ("public.mood[]", "public.mood[]"),
        ('"Mood"', '"Mood"'),
        ("app.citext", "app.citext"),
    ],
)
def test_types_are_spelled_in_one_way(written: str, type_: str) -> None:
    assert column(written).type == type_


def test_a_foreign_key_follows_a_new_name() -> None:
    schema = replayed(HOST, "ALTER TABLE host RENAME id TO number; ALTER TABLE host RENAME TO box")
    (foreign,) = table(schema, "job").foreign_keys
    assert (str(foreign.table), foreign.references) == ("public.box", ("number",))
    assert table(schema, "box").keys[0].name == "host_pkey"


def test_what_refers_to_a_table_that_is_not_known_follows_it_too() -> None:
    schema = replayed(
        "CREATE TABLE job (host int REFERENCES elsewhere (id)); CREATE PUBLICATION p FOR TABLE job",
        "ALTER TABLE elsewhere RENAME id TO number; ALTER TABLE elsewhere RENAME TO here",
    )
    (foreign,) = table(schema, "job").foreign_keys
    assert (str(foreign.table), foreign.references) == ("public.here", ("number",))


def test_what_names_a_column_follows_its_new_name() -> None:
    schema = replayed(
        HOST,
        """
        CREATE INDEX ON host ((cores * 2)) WHERE host.cores > 4;
        CREATE TRIGGER t BEFORE UPDATE OF cores ON host FOR EACH ROW EXECUTE FUNCTION f();
        ALTER TABLE host ADD half int GENERATED ALWAYS AS (cores / 2) STORED;
        ALTER TABLE host RENAME cores TO "CPU count";
        """,
    )
    host = table(schema, "host")
    assert [check.expression for check in host.checks] == ['"CPU count" >= 0']
    assert host.indexes[0].definition == (
        'CREATE INDEX host_expr_idx ON public.host USING btree (("CPU count" * 2))'
        ' WHERE "CPU count" > 4'
    )
    assert host.indexes[0].columns == ("CPU count",)
    assert host.columns[-1].generated == '"CPU count" / 2'
    assert host.triggers == (
        Trigger(
            name="t",
            timing="before",
            events=frozenset({"update"}),
            each_row=True,
            columns=("CPU count",),
            function="public.f",
        ),
    )


def test_a_column_takes_along_what_needs_it() -> None:
    host = table(
        replayed(
            HOST,
            """
            CREATE INDEX ON host (name) INCLUDE (cores);
            ALTER TABLE host ADD UNIQUE (id) INCLUDE (cores), ADD CHECK (id > cores);
            ALTER TABLE host DROP COLUMN cores;
            """,
        ),
        "host",
    )
    assert [each.name for each in host.columns] == ["id", "name"]
    assert [key.name for key in host.keys] == ["host_pkey", "host_name_key"]
    assert (host.checks, host.indexes) == ((), ())


def test_cascade_takes_along_what_refers_to_a_table() -> None:
    schema = replayed(
        HOST,
        "CREATE VIEW a AS SELECT name FROM host; CREATE VIEW b AS SELECT * FROM a",
        "DROP TABLE host CASCADE",
    )
    assert not schema.views
    assert table(schema, "job").foreign_keys == ()


def test_a_view_reads_tables_and_not_the_names_of_its_own_with() -> None:
    schema = replayed(
        HOST,
        "CREATE VIEW v AS WITH job AS (SELECT * FROM host) SELECT * FROM job",
        "CREATE VIEW w AS WITH job AS (SELECT * FROM job) SELECT * FROM job",
    )
    assert table(schema, "host").views == (RelationName.parse("v"),)
    assert table(schema, "job").views == (RelationName.parse("w"),)


def test_a_view_goes_only_with_a_column_that_it_reads() -> None:
    schema = replayed(
        HOST,
        "CREATE VIEW names AS SELECT h.name FROM host AS h; CREATE VIEW every AS SELECT * FROM host",
        "ALTER TABLE host DROP COLUMN cores CASCADE",
    )
    assert schema.views == {RelationName.parse("names")}


def test_labels_of_an_enum() -> None:
    schema = replayed(
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (m mood, n public.mood[])",
        "ALTER TYPE mood ADD VALUE 'fine' BEFORE 'ok'; ALTER TYPE mood ADD VALUE 'great'",
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'low'; ALTER TYPE mood RENAME TO \"Mood\"",
    )
    assert schema.enums == {RelationName.parse("Mood"): ("low", "fine", "ok", "great")}
    assert [each.type for each in table(schema, "t").columns] == ['"Mood"', 'public."Mood"[]']


def test_publications() -> None:
    schema = replayed(
        HOST,
        "CREATE PUBLICATION p FOR TABLE host, job; CREATE PUBLICATION q FOR ALL TABLES",
        "ALTER PUBLICATION p DROP TABLE job; ALTER TABLE host RENAME TO box",
    )
    assert table(schema, "box").publications == ("p",)
    assert table(schema, "job").publications == ()
    assert schema.whole_publications == ("q",)


def test_descendants() -> None:
    schema = replayed(
        HOST,
        """
        CREATE TABLE part (id int, at date) PARTITION BY RANGE (at);
        CREATE TABLE part_1 PARTITION OF part DEFAULT;
        CREATE TABLE rack () INHERITS (host);
        ALTER TABLE host ADD note text;
        """,
    )
    with_children = {str(name) for name, each in schema.tables.items() if each.children}
    assert with_children == {"public.part", "public.part_1", "public.host", "public.rack"}
    assert table(schema, "part_1").columns == table(schema, "part").columns
    assert table(schema, "rack").column("note") is not None


def test_a_table_made_from_a_query() -> None:
    made = table(
        replayed(HOST, "CREATE TABLE copy AS SELECT h.*, id::text AS t, max(1) FROM host AS h"),
        "copy",
    )
    assert [(each.name, each.type) for each in made.columns] == [
        ("id", "bigint"),
        ("name", "text"),
        ("cores", "integer"),
        ("t", "text"),
        ("max", "unknown"),
    ]
    assert not any(each.not_null or each.identity or each.default for each in made.columns)


def test_what_is_not_valid_yet() -> None:
    late = (
        "ALTER TABLE job ADD CONSTRAINT c CHECK (id > 0) NOT VALID,"
        " ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES host NOT VALID;"
    )
    job = table(replayed(HOST, late), "job")
    assert [job.checks[0].valid, job.foreign_keys[1].valid] == [False, False]
    job = table(replayed(HOST, late, "ALTER TABLE job VALIDATE CONSTRAINT f"), "job")
    assert [job.checks[0].valid, job.foreign_keys[1].valid] == [False, True]


def test_row_security() -> None:
    enabled = "ALTER TABLE host ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON host USING (true)"
    host = table(replayed(HOST, enabled), "host")
    assert (host.row_security, host.policies) == (True, ("mine",))
    host = table(replayed(HOST, enabled, "ALTER TABLE host DISABLE ROW LEVEL SECURITY"), "host")
    assert not host.row_security
    forced = "ALTER TABLE host FORCE ROW LEVEL SECURITY"
    assert table(replayed(HOST, forced), "host").row_security_forced
    no_more = forced.replace("FORCE", "NO FORCE")
    assert not table(replayed(HOST, forced, no_more), "host").row_security_forced


def test_the_path_and_temporary_tables_end_with_a_text() -> None:
    schema = replayed(
        "SET search_path = app, public; CREATE TABLE t (a int); CREATE TEMP TABLE u (a int)",
        "CREATE TABLE u (b int); CREATE TEMP TABLE v (a int); DROP TABLE v",
    )
    assert {str(name) for name in schema.tables} == {"app.t", "public.u"}


def test_branches_go_their_own_ways() -> None:
    trunk = Replay()
    trunk.apply(HOST)
    before = trunk.schema
    branch = trunk.copy()
    branch.apply("ALTER TABLE host DROP COLUMN cores; DROP TABLE job")
    assert trunk.schema == before != branch.schema
    trunk.apply("ALTER TABLE host ADD note text")
    assert table(branch.schema, "host").column("note") is None
    assert table(before, "host").column("note") is None


def test_pglast_waits_until_there_is_sql() -> None:
    program = (
        "import sys; from toolchain.spec.schema.replay import Replay; Replay().copy().schema;"
        " sys.exit('pglast' in sys.modules)"
    )
    subprocess.run((sys.executable, "-c", program), check=True)


def test_what_is_not_known_is_passed_by() -> None:
    replay = Replay()
    replay.apply(
        """
        ALTER TABLE elsewhere ADD x int, DROP COLUMN y; DROP TABLE elsewhere CASCADE;
        ALTER TABLE elsewhere RENAME x TO y; ALTER TABLE elsewhere RENAME TO here;
        CREATE INDEX ON elsewhere (x); CREATE TRIGGER t AFTER INSERT ON elsewhere
        EXECUTE FUNCTION f(); DROP TRIGGER t ON elsewhere; ALTER TYPE elsewhere ADD VALUE 'x';
        CREATE POLICY p ON elsewhere; DROP POLICY p ON elsewhere; ALTER POLICY p ON elsewhere RENAME TO q;
        ALTER TABLE elsewhere RENAME CONSTRAINT a TO b; DROP FUNCTION f CASCADE; DROP SCHEMA s CASCADE;
        CREATE RULE r AS ON DELETE TO elsewhere DO NOTHING; ALTER RULE r ON elsewhere RENAME TO s;
        ALTER SEQUENCE elsewhere OWNED BY NONE; ALTER PUBLICATION p ADD TABLE elsewhere;
        ALTER TRIGGER t ON elsewhere RENAME TO u; CREATE TABLE x OF elsewhere; DROP INDEX nothing;
        ALTER INDEX nothing RENAME TO something; DROP EXTENSION x; COMMENT ON TABLE x IS 'y';
        ALTER TABLE x ATTACH PARTITION y DEFAULT; ALTER VIEW v SET SCHEMA w; GRANT ALL ON x TO y;
        ALTER FUNCTION f() RENAME TO g; ALTER DOMAIN d RENAME TO e; ALTER AGGREGATE a (int) RENAME TO b;
        ALTER DOMAIN d RENAME CONSTRAINT c TO e; ALTER FUNCTION f() SET SCHEMA g; DROP OPERATOR + (int, int);
        ALTER EXTENSION x SET SCHEMA y; ALTER ROLE a RENAME TO b; DROP AGGREGATE a (int);
        ALTER TYPE t RENAME ATTRIBUTE a TO b; ALTER COLLATION c RENAME TO d; DROP CAST (int AS text);
        DO 'BEGIN CREATE TABLE unseen (a int); END'; INSERT INTO x VALUES (1); SELECT 1;
        ALTER LARGE OBJECT 1 OWNER TO x; DROP OWNED BY x; ALTER MATERIALIZED VIEW m RENAME a TO b;
        """
    )
    assert replay.schema == Schema()
