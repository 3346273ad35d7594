"""Names and search paths that want to be more than names and search paths."""

from typing import TYPE_CHECKING

from tests.postgres.runner.conftest import MakePackage, MakeServer
from tests.postgres.runner.packages import CHAIN, ROWS, release, step

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

TRAPS = """
CREATE SCHEMA evil;
CREATE TABLE evil.caught (what text);
CREATE FUNCTION evil.trap(what text) RETURNS void LANGUAGE sql AS
    $$ INSERT INTO evil.caught VALUES (what) $$;
CREATE FUNCTION public.lower(varchar) RETURNS text LANGUAGE sql AS
    $$ SELECT evil.trap('lower'); SELECT $1::text $$;
CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
    $$ SELECT evil.trap('clock'); SELECT timestamptz '2000-01-01' $$;
CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS
    $$ SELECT evil.trap('set_config'); SELECT $1 $$;
CREATE FUNCTION evil.quote_ident(text) RETURNS text LANGUAGE sql AS
    $$ SELECT evil.trap('quote_ident'); SELECT $1 $$;
CREATE FUNCTION evil.format_type(oid, integer) RETURNS text LANGUAGE sql AS
    $$ SELECT evil.trap('format_type'); SELECT 'text' $$;
CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE sql AS
    $$ SELECT evil.trap('eq'); SELECT true $$;
CREATE OPERATOR evil.= (leftarg = text, rightarg = text, procedure = evil.eq);
CREATE FUNCTION evil.plus(bigint, integer) RETURNS bigint LANGUAGE sql AS
    $$ SELECT evil.trap('plus'); SELECT 0::bigint $$;
CREATE OPERATOR evil.+ (leftarg = bigint, rightarg = integer, procedure = evil.plus);
"""


def test_a_search_path_set_by_the_owner(
    make_package: MakePackage, make_server: MakeServer, database: "Database"
) -> None:
    """CVE-2018-1058: what the database's owner put in the way is never met."""
    database.execute(TRAPS)
    database.execute(f'ALTER DATABASE "{database.name}" SET search_path = evil, pg_catalog, public')
    package = make_package()
    package.done("apply", "--create", "--phase", "contract")
    assert make_server("1.1.0", oldest_schema=2).run("register").code == 0
    for command in (("verify",), ("status",), ("history",), ("retire", "--force", "web1")):
        package.done(*command)
    assert package.run("undo", "--to", "1.1.0").code == 1
    caught = "SELECT count(*) FROM evil.caught"
    assert database.rows(caught) == [(0,)]
    database.execute("DROP SCHEMA evil CASCADE")


def test_settings_of_the_owner_and_of_a_step(
    make_package: MakePackage, database: "Database"
) -> None:
    """What a step sets ends with it; what the owner set doesn't reach the runner."""
    name = database.name
    database.execute(
        f'ALTER DATABASE "{name}" SET statement_timeout = 150;'
        f"ALTER DATABASE \"{name}\" SET datestyle = 'SQL, DMY';"
        f'ALTER DATABASE "{name}" SET standard_conforming_strings = off;'
        f'ALTER DATABASE "{name}" SET default_transaction_isolation = serializable;'
        f'ALTER DATABASE "{name}" SET bytea_output = escape'
    )
    setter = step(
        "setter.expand",
        "SET search_path = pg_temp; SET lock_timeout = 0; SET statement_timeout = 5;"
        "SELECT pg_catalog.set_config('search_path', '', false); SET ROLE pg_monitor;",
    )
    slow = step(
        "slow.expand", r"CREATE TABLE said AS SELECT 'a\n%s 100%' AS words; SELECT pg_sleep(0.3);"
    )
    package = make_package(CHAIN[0], release("1.1.0", 2, setter, slow, CHAIN[1]["steps"][0]))
    package.done("apply")
    assert database.rows("SELECT words FROM said") == [("a\\n%s 100%",)]
    assert database.rows("SELECT count(*) FROM host WHERE os_name IS NULL") == [(ROWS,)]


def test_odd_names(make_package: MakePackage, database: "Database") -> None:
    """A table and a key whose names are SQL, quotes, percent signs and another alphabet."""
    table, key = 'Rechner"; DROP TABLE host; --', "schlüssel %s \\ 'x'"
    quoted = 'odd."' + table.replace('"', '""') + '"'
    quoted_key = '"' + key + '"'
    package = make_package(
        CHAIN[0],
        release(
            "1.1.0",
            2,
            step(
                "odd.expand",
                f"CREATE SCHEMA odd; CREATE TABLE {quoted} ({quoted_key} text PRIMARY KEY,"
                " done boolean); INSERT INTO " + quoted + " SELECT 'k' || n || '''\"%'"
                " FROM generate_series(1, 700) AS n;",
            ),
            step(
                "odd.migrate",
                "",
                batch={
                    "table": f"odd.{table}",
                    "key": key,
                    "statements": [
                        f"UPDATE {quoted} SET done = true WHERE {quoted_key} BETWEEN $1 AND $2"
                    ],
                },
            ),
        ),
    )  # fmt: skip
    package.done("apply")
    assert database.rows(f"SELECT count(*) FROM {quoted} WHERE done") == [(700,)]
    database.execute("DROP SCHEMA odd CASCADE")


def test_keys_of_many_types(make_package: MakePackage, database: "Database") -> None:
    types = {
        "smallint": "n", "numeric": "n / 7.0", "text": "chr(64 + n % 50) || n", "uuid":
        "md5(n::text)::uuid", "timestamptz": "now() + n * interval '1.000001 s'",
        "bytea": "int4send(n)", "double precision": "sqrt(n)", "inet": "inet '10.0.0.0' + n",
        "public.whole": "n", 'character(9)': "n::text",
    }  # fmt: skip
    create, walk = ["CREATE DOMAIN public.whole AS bigint CHECK (VALUE > 0);"], []
    for number, (kind, value) in enumerate(types.items()):
        create.append(
            f"CREATE TABLE keyed_{number} AS SELECT ({value})::{kind} AS key, 0 AS seen"
            " FROM generate_series(1, 450) AS n;"
            f" ALTER TABLE keyed_{number} ADD PRIMARY KEY (key);"
        )
        walk.append(
            step(
                f"keyed-{number}.migrate",
                "",
                batch={
                    "table": f"keyed_{number}",
                    "key": "key",
                    "statements": [
                        f"UPDATE keyed_{number} SET seen = seen + 1 WHERE key BETWEEN $1 AND $2"
                    ],
                },
            )
        )
    package = make_package(release("1.0.0", 1, step("keyed.expand", "\n".join(create)), *walk))
    package.done("apply")
    for number, kind in enumerate(types):
        seen = database.rows(f"SELECT count(*), min(seen), max(seen) FROM keyed_{number}")
        assert seen == [(450, 1, 1)], kind
