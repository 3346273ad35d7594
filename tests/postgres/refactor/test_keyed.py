"""Parts with a key of their own, on a real PostgreSQL: one row for each value of the key."""

import psycopg2.errors
import pytest

from tests.postgres.conftest import Database
from tests.postgres.refactor.site import Site, query, session, shape
from tests.postgres.refactor.two_table_support import told
from toolchain.model.refactoring import Part, SplitTable
from toolchain.model.relation_name import RelationName
from toolchain.refactor.move.keyed import phases

SCHEMA = """
CREATE TABLE "order" (
    id bigint PRIMARY KEY,
    shop text NOT NULL,
    number integer NOT NULL,
    city text NOT NULL CHECK (city <> ''),
    note text,
    amount integer
);
CREATE INDEX order_shop ON "order" (shop, number);
CREATE INDEX order_number ON "order" (number);
INSERT INTO "order" (id, shop, number, city)
SELECT each, 'shop ' || each % 3, each % 3, 'city ' || each % 3 FROM generate_series(1, 9) AS each;
"""
STRAYS = """
SELECT id FROM "order" LEFT JOIN place ON (place.shop, place.of_shop) = ("order".shop, number)
WHERE place.shop IS NULL OR ("order".city, "order".note) IS DISTINCT FROM (place.city, place.note)
"""


@pytest.fixture
def site(database: Database) -> Site:
    database.execute(SCHEMA)
    part = Part(
        table=RelationName("public", "place"),
        columns=("city", "note"),
        key=("shop", "number"),
        rename=("shop", "of_shop"),
    )
    split = SplitTable(table=RelationName("public", "order"), into=(part,))
    return Site(database=database, phases=phases("split-place", split, told(SCHEMA)))


@pytest.fixture
def ready(site: Site) -> Site:
    site.expand()
    site.migrate()
    return site


def add(shop: str, city: str | None, number: int = 1, key: int = 10) -> str:
    columns, value = ("id, shop, number, city", f", '{city}'") if city else ("id, shop, number", "")
    return f"INSERT INTO \"order\" ({columns}) VALUES ({key}, '{shop}', {number}{value})"


def test_each_key_has_one_part(ready: Site) -> None:
    assert ready.database.rows("SELECT * FROM place ORDER BY shop") == [
        ("shop 0", 0, "city 0", None),
        ("shop 1", 1, "city 1", None),
        ("shop 2", 2, "city 2", None),
    ]


@pytest.mark.parametrize(
    ("statement", "parts"),
    [
        (add("shop 9", "city 9"), 4),
        (add("shop 1", "new"), 3),
        (add("shop 1", None), 3),
        ("INSERT INTO place VALUES ('shop 9', 1, 'city 9', 'x'); " + add("shop 9", None), 4),
        (add("shop 9", None) + "; INSERT INTO place VALUES ('shop 9', 1, 'city 9', 'x')", None),
        ("UPDATE \"order\" SET city = 'new' WHERE id = 1", 3),
        ("UPDATE place SET city = 'new', note = 'x' WHERE of_shop = 1", 3),
        ("UPDATE \"order\" SET shop = 'shop 2', number = 2 WHERE id = 1", 3),
        ("UPDATE \"order\" SET shop = 'shop 9' WHERE id = 1", 4),
        ("UPDATE \"order\" SET shop = 'shop 9', city = 'new' WHERE id = 1", 4),
        ("DELETE FROM \"order\" WHERE shop = 'shop 1'", 3),
        ('DELETE FROM "order" WHERE number = 1; DELETE FROM place WHERE of_shop = 1', 2),
    ],
)
def test_both_forms_say_the_same(ready: Site, statement: str, parts: int | None) -> None:
    if parts is None:  # there is no value for a NOT NULL column
        with pytest.raises(psycopg2.errors.NotNullViolation):
            ready.database.execute(statement)
    else:
        ready.database.execute(statement)
        assert ready.database.rows("SELECT count(*) FROM place") == [(parts,)]
    assert ready.database.rows(STRAYS) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM place WHERE of_shop = 1",
        "UPDATE place SET of_shop = 7 WHERE of_shop = 1",
        "TRUNCATE place",
    ],
)
def test_a_part_that_rows_refer_to_stays(ready: Site, statement: str) -> None:
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        ready.database.execute(statement)


def test_rows_that_disagree_stop_the_migration(site: Site) -> None:
    site.expand()
    site.database.execute("UPDATE \"order\" SET note = 'other' WHERE id = 1")
    with pytest.raises(psycopg2.errors.DataException, match="shop, number is shop 1, 1 in all"):
        site.begin()


def test_two_that_make_the_same_part_do_not_wait_for_each_other(ready: Site) -> None:
    with session(ready.database) as one, session(ready.database) as other:
        query(one, "SET statement_timeout = '2s'; " + add("shop 9", "one"))
        query(other, "INSERT INTO place VALUES ('shop 9', 1, 'other', NULL)")
        with pytest.raises(psycopg2.errors.SerializationFailure):
            one.commit()
        other.commit()
        query(one, add("shop 9", "one"))
        one.commit()
    assert ready.database.rows("SELECT city FROM place WHERE shop = 'shop 9'") == [("one",)]
    assert ready.database.rows(STRAYS) == []


def test_two_old_servers_that_make_the_same_part_agree(ready: Site) -> None:
    with session(ready.database) as one, session(ready.database) as other:
        query(one, add("shop 9", "one"))
        query(one, "SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(psycopg2.errors.SerializationFailure):
            query(other, add("shop 9", "other", key=11))
        other.rollback()
        one.commit()
        query(other, add("shop 9", "other", key=11))
        other.commit()
    assert ready.database.rows("SELECT city FROM place WHERE shop = 'shop 9'") == [("other",)]
    assert ready.database.rows(STRAYS) == []


def test_a_contract_drops_nothing_that_is_in_the_old_form_alone(ready: Site) -> None:
    ready.database.execute(f"SET session_replication_role = replica; {add('shop 9', 'unheard')}")
    with pytest.raises(psycopg2.errors.RaiseException, match=r"differ from public\.place"):
        ready.contract()


def test_a_part_is_not_deleted_under_a_row_that_comes(ready: Site) -> None:
    ready.database.execute('DELETE FROM "order" WHERE number = 1')
    with session(ready.database) as old, session(ready.database) as new:
        query(old, add("shop 1", None))
        with pytest.raises(psycopg2.errors.SerializationFailure):
            query(new, "DELETE FROM place WHERE of_shop = 1")
        old.commit()
    assert ready.database.rows(STRAYS) == []


def test_a_part_that_is_deleted_after_its_update_does_not_return(ready: Site) -> None:
    ready.database.execute('DELETE FROM "order" WHERE number = 1')
    ready.database.execute(
        "UPDATE place SET city = 'new' WHERE of_shop = 1; DELETE FROM place WHERE of_shop = 1"
    )
    assert ready.database.rows("SELECT FROM place WHERE of_shop = 1") == []


@pytest.mark.parametrize("migrated", [False, True])
def test_the_undo_leaves_what_old_servers_see(site: Site, migrated: bool) -> None:
    before = shape(site.database)
    site.expand()
    if migrated:
        site.migrate()
        site.database.execute("UPDATE place SET note = 'x'")
    else:
        site.begin()
        next(site.batches())
    seen = site.database.rows('TABLE "order"')
    site.undo_migrate()
    site.undo_expand()
    assert sorted(site.database.rows('TABLE "order"'), key=str) == sorted(seen, key=str)
    assert shape(site.database) == before


def test_the_contract_leaves_a_foreign_key(ready: Site) -> None:
    ready.contract()
    assert [row for row in shape(ready.database) if row[0] in {"trigger", "function"}] == []
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        ready.database.execute("DELETE FROM place WHERE of_shop = 1")
    with pytest.raises(psycopg2.errors.CheckViolation):
        ready.database.execute("UPDATE place SET city = ''")
    ready.database.execute('ALTER TABLE "order" VALIDATE CONSTRAINT order_place_fkey')
