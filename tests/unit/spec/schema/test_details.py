"""Details of constraints, functions and types that a refactoring must carry or refuse."""

import pytest

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Schema, TableSchema
from toolchain.spec.schema.replay import Replay

ROOM = RelationName("public", "room")
TABLE = """
CREATE TABLE room (
    id int, floor int, door text, during tsrange, beside int, behind int,
    CONSTRAINT room_pkey PRIMARY KEY (id) INCLUDE (floor),
    CONSTRAINT once UNIQUE NULLS NOT DISTINCT (floor, door) INCLUDE (beside),
    CONSTRAINT near FOREIGN KEY (beside, behind) REFERENCES room (floor, id) MATCH FULL
        ON DELETE SET NULL (behind) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT apart EXCLUDE USING gist (during WITH &&)
);
"""


def replayed(*texts: str) -> Schema:
    replay = Replay()
    for text in (TABLE, *texts):
        replay.apply(text)
    return replay.schema


def room(*texts: str) -> TableSchema:
    return replayed(*texts).tables[ROOM]


def test_a_key_has_what_its_index_holds() -> None:
    primary, once = room().keys
    assert (primary.columns, primary.included, primary.nulls_distinct) == (
        ("id",),
        ("floor",),
        True,
    )
    assert (once.needs, once.nulls_distinct) == (("floor", "door", "beside"), False)
    renamed = room("ALTER TABLE room RENAME floor TO level; ALTER TABLE room RENAME beside TO by")
    assert [key.included for key in renamed.keys] == [("level",), ("by",)]
    assert [key.name for key in room("ALTER TABLE room DROP beside").keys] == ["room_pkey"]


def test_a_key_has_it_from_the_index_that_it_takes() -> None:
    index = "CREATE UNIQUE INDEX taken ON room (door) INCLUDE (floor) NULLS NOT DISTINCT;"
    *_, taken = room(index + "ALTER TABLE room ADD UNIQUE USING INDEX taken").keys
    assert (taken.columns, taken.included, taken.nulls_distinct) == (("door",), ("floor",), False)


def test_a_foreign_key_has_all_its_words() -> None:
    (near,) = room().foreign_keys
    assert (near.full, near.emptied, near.deferrable, near.deferred) == (
        True,
        ("behind",),
        True,
        True,
    )
    (near,) = room("ALTER TABLE room RENAME behind TO rear").foreign_keys
    assert (near.columns, near.emptied) == (("beside", "rear"), ("rear",))
    words = "ALTER TABLE room ALTER CONSTRAINT near DEFERRABLE INITIALLY IMMEDIATE"
    (near,) = room(words).foreign_keys
    assert (near.deferrable, near.deferred) == (True, False)


@pytest.mark.parametrize(
    ("words", "deferrable", "deferred"),
    [
        ("", False, False),
        ("DEFERRABLE", True, False),
        ("INITIALLY DEFERRED", True, True),
        ("DEFERRABLE INITIALLY DEFERRED", True, True),
        ("DEFERRABLE INITIALLY IMMEDIATE", True, False),
    ],
)
def test_a_foreign_key_at_its_column(words: str, deferrable: bool, deferred: bool) -> None:
    schema = replayed(f"CREATE TABLE chair (room int REFERENCES room {words})")
    (foreign,) = schema.tables[ROOM.beside("chair")].foreign_keys
    assert (foreign.deferrable, foreign.deferred) == (deferrable, deferred)


def test_what_is_not_enforced() -> None:
    schema = replayed("CREATE TABLE chair (n int CHECK (n > 0) NOT ENFORCED, CHECK (n > 1))")
    odd, even = schema.tables[ROOM.beside("chair")].checks
    assert (odd.enforced, odd.valid, even.enforced, even.valid) == (False, False, True, True)


def test_an_exclusion_constraint_and_an_index() -> None:
    apart, plain = room("CREATE INDEX plain ON room (door)").indexes
    assert (apart.excludes, plain.excludes) == (True, False)


def test_a_trigger_needs_what_its_condition_reads() -> None:
    made = (
        "CREATE TRIGGER t AFTER UPDATE OF door ON room FOR EACH ROW"
        " WHEN (OLD.floor <> NEW.floor) EXECUTE FUNCTION f()"
    )
    (trigger,) = room(made).triggers
    assert trigger.columns == ("door",)
    assert trigger.condition == {"floor"}
    (trigger,) = room(made, "ALTER TABLE room RENAME floor TO level").triggers
    assert trigger.needs == {"door", "level"}


STANDARD = "CREATE FUNCTION doors(n int) RETURNS text RETURN (SELECT door FROM room WHERE id = n)"


@pytest.mark.parametrize(
    ("texts", "functions"),
    [
        ((STANDARD,), ["doors"]),
        (("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT max(id) FROM room; END",), ["f"]),
        (("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT max(id) FROM room'",), []),
        ((STANDARD, "DROP FUNCTION doors(text)"), ["doors"]),
        ((STANDARD, "DROP FUNCTION doors(integer)"), []),
        ((STANDARD, "DROP FUNCTION doors"), []),
        ((STANDARD, "ALTER FUNCTION doors(int) RENAME TO gates"), ["gates"]),
        ((STANDARD, "ALTER TABLE room RENAME TO hall; ALTER TABLE hall RENAME TO room"), ["doors"]),
        ((STANDARD, "ALTER TABLE room DROP door CASCADE"), []),
    ],
)
def test_a_function_whose_body_is_bound(texts: tuple[str, ...], functions: list[str]) -> None:
    assert [name.name for name in room(*texts).functions] == functions


def test_types_and_the_default_of_a_domain() -> None:
    schema = replayed(
        "CREATE DOMAIN seven AS int DEFAULT 7; CREATE DOMAIN plain AS int;"
        "CREATE DOMAIN was AS int DEFAULT 1; ALTER DOMAIN was DROP DEFAULT;"
        "CREATE TYPE pair AS (one int); CREATE TYPE span AS RANGE (subtype = int4);"
        "CREATE TYPE gone AS (one int); DROP TYPE gone; ALTER TYPE pair RENAME TO couple"
    )
    defaults = {name.name: default for name, default in schema.types.items()}
    assert defaults == {"seven": "7", "plain": None, "was": None, "span": None, "couple": None}


def test_a_table_that_is_not_logged() -> None:
    schema = replayed("CREATE UNLOGGED TABLE fast (n int)")
    assert schema.tables[ROOM.beside("fast")].unlogged
    assert not room().unlogged
    assert room("ALTER TABLE room SET UNLOGGED").unlogged
    assert not room("ALTER TABLE room SET UNLOGGED", "ALTER TABLE room SET LOGGED").unlogged


def test_the_columns_that_a_publication_names() -> None:
    assert room("CREATE PUBLICATION p FOR TABLE room").published == frozenset()
    listed = "CREATE PUBLICATION p FOR TABLE room (id, floor) WHERE (door <> '')"
    assert room(listed).published == {"id", "floor", "door"}


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("CREATE VIEW room AS SELECT 1", ["public.room"]),
        ("CREATE TABLE once (id int)", ["public.once"]),
        ("CREATE TABLE as_well AS SELECT 1; CREATE TABLE as_well (id int)", ["public.as_well"]),
        ("CREATE SEQUENCE room", ["public.room"]),
        ("CREATE INDEX apart ON room (id)", ["public.apart"]),
        ("CREATE TABLE hall (id int); ALTER TABLE hall RENAME TO room", ["public.room"]),
        ("ALTER TABLE room RENAME CONSTRAINT near TO once", ["the constraint once of public.room"]),
        ("ALTER TABLE room ADD floor int", ["the column floor of public.room"]),
        ("CREATE FUNCTION f(int) RETURNS int RETURN 1; CREATE FUNCTION f(text) RETURNS int RETURN 1;"
         "CREATE FUNCTION f(a int) RETURNS int RETURN 2", ["the function public.f"]),
        ("CREATE INDEX room_door ON room (door); CREATE TABLE hall (LIKE room)", []),
        ("DROP TABLE room; CREATE TABLE room (id int)", []),
    ],
)  # fmt: skip
def test_what_is_made_a_second_time(sql: str, told: list[str]) -> None:
    replay = Replay()
    replay.apply(TABLE)
    assert list(replay.apply_new(sql)) == told
