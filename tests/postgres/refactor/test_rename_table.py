"""A table under its old and its new name at once, on a real PostgreSQL."""

import io
from contextlib import closing

import psycopg2
import psycopg2.errors
import pytest

from tests.postgres.conftest import Database
from tests.postgres.refactor.site import Site, query, session, shape, told
from toolchain.model.refactoring import RenameTable
from toolchain.model.relation_name import RelationName
from toolchain.refactor.rename_table import phases

TABLE = """
CREATE TABLE host (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    number serial,
    state text DEFAULT 'new',
    label text GENERATED ALWAYS AS (name || '!') STORED
);
INSERT INTO host (name) VALUES ('a');
"""


@pytest.fixture
def renamed(database: Database) -> Site:
    database.execute(TABLE)
    rename = RenameTable(table=RelationName.parse("host"), to="Machine")
    site = Site(database=database, phases=phases("machine", rename, told(TABLE)))
    site.expand()
    return site


def test_the_new_name_writes_the_table(renamed: Site) -> None:
    with session(renamed.database) as new:
        insert = 'INSERT INTO "Machine" (name) VALUES (%s) RETURNING id, number, state, label'
        assert query(new, insert, ("b",)) == [(2, 2, "new", "b!")]
        again = (
            "INSERT INTO \"Machine\" (name) VALUES ('b')"
            " ON CONFLICT (name) DO UPDATE SET state = 'old' RETURNING id, state"
        )
        assert query(new, again) == [(2, "old")]
        assert query(new, 'SELECT name FROM "Machine" ORDER BY id FOR UPDATE') == [("a",), ("b",)]
        assert query(new, "DELETE FROM \"Machine\" WHERE name = 'a' RETURNING id") == [(1,)]
        assert query(new, "SELECT name, state FROM host") == [("b", "old")]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ('TRUNCATE "Machine"', psycopg2.errors.WrongObjectType),
        ('COPY "Machine" TO STDOUT', psycopg2.errors.WrongObjectType),
        ('CREATE TABLE x (id bigint REFERENCES "Machine" (id))', psycopg2.errors.WrongObjectType),
    ],
)
def test_the_limits_are_true(renamed: Site, statement: str, error: type[psycopg2.Error]) -> None:
    with session(renamed.database) as new, pytest.raises(error):
        query(new, statement)


def test_rows_cannot_be_copied_into_the_new_name(renamed: Site) -> None:
    with session(renamed.database) as new, pytest.raises(psycopg2.errors.WrongObjectType):
        new.cursor().copy_expert('COPY "Machine" (name) FROM STDIN', io.StringIO("b\n"))


def test_rights_go_over_both_ways(renamed: Site) -> None:
    database = renamed.database
    renamed.undo_expand()
    role, later = f"early_{database.name}", f"later_{database.name}"
    database.execute(f"CREATE ROLE {role} LOGIN; CREATE ROLE {later} LOGIN")
    try:
        database.execute(f"GRANT SELECT, UPDATE ON host TO {role}")
        renamed.expand()
        database.execute(f'GRANT SELECT ON "Machine" TO {later}')
        with closing(psycopg2.connect(database.dsn_as(role))) as early:
            query(early, "UPDATE \"Machine\" SET state = 'x'")
            early.commit()
        renamed.contract()
        for each in (role, later):
            with closing(psycopg2.connect(database.dsn_as(each))) as connection:
                assert query(connection, 'SELECT state FROM "Machine"') == [("x",)]
    finally:
        database.execute(f"DROP OWNED BY {role}, {later}; DROP ROLE {role}, {later}")


def test_the_undo_leaves_nothing(renamed: Site) -> None:
    renamed.undo_expand()
    after = shape(renamed.database)
    renamed.database.execute("DROP TABLE host;" + TABLE)
    assert after == shape(renamed.database)


def test_the_contract_is_a_renaming(renamed: Site) -> None:
    rows = renamed.database.rows("SELECT * FROM host")
    renamed.contract()
    assert renamed.database.rows('SELECT * FROM "Machine"') == rows
    after = shape(renamed.database)
    renamed.database.execute('DROP TABLE "Machine";' + TABLE)
    renamed.database.execute('ALTER TABLE host RENAME TO "Machine"')
    assert after == shape(renamed.database)


def test_a_key_of_ones_own_and_a_constraint_work_by_the_new_name(renamed: Site) -> None:
    with session(renamed.database) as new:
        insert = "INSERT INTO \"Machine\" (id, name) OVERRIDING SYSTEM VALUE VALUES (7, 'g')"
        query(new, insert)
        with pytest.raises(psycopg2.errors.UniqueViolation, match="host_name_key"):
            query(new, insert.replace("7", "8"))
        new.rollback()
        with pytest.raises(psycopg2.errors.UndefinedObject, match="host_name_key"):
            query(new, insert + " ON CONFLICT ON CONSTRAINT host_name_key DO NOTHING")
