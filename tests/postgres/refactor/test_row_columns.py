"""AddColumn, SetNotNull and DropColumn: columns that one form of the server does not know."""

from collections.abc import Callable

import psycopg2
import pytest

from tests.postgres.conftest import Database
from tests.postgres.refactor.row_support import Undone, by_hand, copy_in, site
from tests.postgres.refactor.site import Site, shape
from toolchain.model.refactoring import AddColumn, DropColumn, SetNotNull
from toolchain.model.relation_name import RelationName
from toolchain.refactor.row import add_column, drop_column, set_not_null

PERSON = RelationName("public", "person")
PEOPLE = """
CREATE TABLE public.person (
    id bigint PRIMARY KEY,
    first text NOT NULL,
    last text NOT NULL,
    nick text
);
"""
ROWS = "INSERT INTO public.person VALUES (1, 'Ada', 'L', 'al'), (2, 'Bob', 'M', NULL)"
FULL = AddColumn(
    table=PERSON, column="full", type="text", value="first || ' ' || last", not_null=True
)
SPOKEN = AddColumn(
    table=PERSON, column="spoken", type="text", value="nick || '!'", default="'none'"
)
TOKEN = AddColumn(
    table=PERSON, column="token", type="uuid", default="gen_random_uuid()", not_null=True
)
LOOSE_TOKEN = AddColumn(table=PERSON, column="token", type="uuid", default="gen_random_uuid()")
SINCE = AddColumn(table=PERSON, column="since", type="timestamptz", default="now()", not_null=True)
NICK = SetNotNull(table=PERSON, column="nick", fill="lower(first)")


@pytest.fixture
def people(database: Database) -> Callable[..., Site]:
    def make(refactoring: object, sql: str = PEOPLE) -> Site:
        generate = {
            AddColumn: add_column.phases,
            SetNotNull: set_not_null.phases,
            DropColumn: drop_column.phases,
        }[type(refactoring)]
        made = site(database, sql, generate, refactoring)  # type: ignore[arg-type]
        database.execute(ROWS)
        return made

    return make


def test_added_and_computed(people: Callable[..., Site]) -> None:
    full = people(FULL)
    execute = full.database.execute
    full.expand()
    execute("UPDATE public.person SET nick = 'b' WHERE id = 2")  # an old server, an old row
    full.migrate(rows=1)
    execute("INSERT INTO public.person VALUES (3, 'Cy', 'N')")
    copy_in(full.database, "public.person (id, first, last)", ["4\tDi\tO", "5\tEd\tP"])
    execute("UPDATE public.person SET \"full\" = 'Mr P' WHERE id = 5")
    execute("UPDATE public.person SET last = 'X'")
    assert full.database.rows('SELECT id, "full" FROM public.person ORDER BY id') == [
        (1, "Ada X"), (2, "Bob X"), (3, "Cy X"), (4, "Di X"), (5, "Mr P"),
    ]  # fmt: skip
    with pytest.raises(psycopg2.errors.CheckViolation):
        execute('UPDATE public.person SET "full" = NULL')


def test_computed_and_null(people: Callable[..., Site]) -> None:
    spoken = people(SPOKEN)
    execute, rows = spoken.database.execute, spoken.database.rows
    spoken.expand()
    spoken.migrate()
    execute("INSERT INTO public.person (id, first, last, spoken) VALUES (3, 'a', 'b', 'none')")
    execute("UPDATE public.person SET spoken = NULL WHERE id = 1")
    execute("UPDATE public.person SET first = 'x'")
    assert rows("SELECT id, spoken FROM public.person ORDER BY id") == [
        (1, None), (2, None), (3, "none"),
    ]  # fmt: skip
    spoken.contract()
    execute("INSERT INTO public.person (id, first, last) VALUES (4, 'a', 'b')")
    assert rows("SELECT spoken FROM public.person WHERE id = 4") == [("none",)]


def test_added_with_a_default_that_differs(people: Callable[..., Site]) -> None:
    token = people(TOKEN)
    token.expand()
    token.database.execute("UPDATE public.person SET nick = 'b' WHERE id = 2")
    token.database.execute("INSERT INTO public.person VALUES (3, 'Cy', 'N')")
    before = token.database.rows("SELECT id, token FROM public.person WHERE id > 1 ORDER BY id")
    token.migrate()
    assert token.database.rows("SELECT count(DISTINCT token) FROM public.person") == [(3,)]
    query = "SELECT id, token FROM public.person WHERE id > 1 ORDER BY id"
    assert token.database.rows(query) == before


def test_added_in_the_catalogue_alone(people: Callable[..., Site]) -> None:
    since = people(SINCE)
    file = "SELECT pg_relation_filenode('public.person')"
    before = since.database.rows(file)
    since.expand()
    assert since.database.rows(file) == before
    assert since.database.rows("SELECT count(since) FROM public.person") == [(2,)]
    assert (since.phases.migrate, since.phases.contract) == (None, None)


@pytest.mark.parametrize(
    ("refactoring", "definition"),
    [
        (FULL, '"full" text NOT NULL'),
        (SPOKEN, "spoken text DEFAULT 'none'"),
        (TOKEN, "token uuid NOT NULL DEFAULT gen_random_uuid()"),
        (LOOSE_TOKEN, "token uuid DEFAULT gen_random_uuid()"),
        (SINCE, "since timestamptz NOT NULL DEFAULT now()"),
    ],
    ids=lambda value: value.column if isinstance(value, AddColumn) else "",
)
def test_added_as_if_by_hand(
    people: Callable[..., Site],
    make_database: Callable[..., Database],
    refactoring: AddColumn,
    definition: str,
) -> None:
    added = people(refactoring)
    Undone.of(added, "SELECT id, first, last, nick FROM public.person ORDER BY id").check()
    added.expand()
    added.migrate()
    if added.phases.contract is not None:
        added.contract()
    hand = by_hand(make_database, PEOPLE, f"ALTER TABLE public.person ADD COLUMN {definition}")
    assert shape(added.database) == hand


def test_set_not_null(people: Callable[..., Site], make_database: Callable[..., Database]) -> None:
    nick = people(NICK)
    execute = nick.database.execute
    nick.expand()
    execute("UPDATE public.person SET last = 'X' WHERE id = 2")
    execute("INSERT INTO public.person VALUES (3, 'Cy', 'N', NULL), (4, 'Di', 'O', 'own')")
    execute("UPDATE public.person SET nick = NULL WHERE id = 1")
    nick.migrate()
    assert nick.database.rows("SELECT nick FROM public.person ORDER BY id") == [
        ("ada",), ("bob",), ("cy",), ("own",),
    ]  # fmt: skip
    nick.contract()
    hand = "ALTER TABLE public.person ALTER COLUMN nick SET NOT NULL"
    assert shape(nick.database) == by_hand(make_database, PEOPLE, hand)


def test_set_not_null_undone(people: Callable[..., Site]) -> None:
    nick = people(NICK)
    Undone.of(nick, "SELECT id, first, last FROM public.person ORDER BY id").check()


def test_dropped_and_followed(
    people: Callable[..., Site], make_database: Callable[..., Database]
) -> None:
    called = people(DropColumn(table=PERSON, column="nick", value="lower(first)"))
    execute = called.database.execute
    called.expand()
    execute("INSERT INTO public.person (id, first, last) VALUES (3, 'Cy', 'N')")
    execute("UPDATE public.person SET first = 'Cyd' WHERE id = 3")
    execute("UPDATE public.person SET first = 'Ava' WHERE id = 1")
    execute("UPDATE public.person SET last = 'x' WHERE id = 2")
    assert called.database.rows("SELECT nick FROM public.person ORDER BY id") == [
        ("al",), (None,), ("cyd",),
    ]  # fmt: skip
    called.contract()
    hand = "ALTER TABLE public.person DROP COLUMN nick"
    assert shape(called.database) == by_hand(make_database, PEOPLE, hand)


def test_dropped_and_required(people: Callable[..., Site]) -> None:
    required = PEOPLE.replace("nick text", "nick text DEFAULT NULL, rank integer")
    dropped = people(DropColumn(table=PERSON, column="last", value="'?'"), required)
    Undone.of(dropped, "SELECT * FROM public.person ORDER BY id").check()
    dropped.expand()
    dropped.database.execute("INSERT INTO public.person (id, first) VALUES (3, 'Cy')")
    assert dropped.database.rows("SELECT last FROM public.person WHERE id = 3") == [("?",)]
    dropped.contract()


def test_dropped_without_a_word(people: Callable[..., Site]) -> None:
    dropped = people(DropColumn(table=PERSON, column="nick"))
    Undone.of(dropped, "SELECT * FROM public.person ORDER BY id").check()
    dropped.expand()
    dropped.contract()


@pytest.mark.parametrize("refactoring", [FULL, SPOKEN, TOKEN, LOOSE_TOKEN])
def test_a_key_that_moves_behind_the_walk(
    people: Callable[..., Site], refactoring: AddColumn
) -> None:
    """Nobody comes back for such a row, so it is filled with the write that moves it."""
    moved = people(refactoring)
    moved.database.execute("UPDATE public.person SET nick = 'n'")
    moved.expand()
    batches = moved.batches(rows=1)
    next(batches)
    moved.database.execute("UPDATE public.person SET id = 0 WHERE id = 2")
    assert list(batches) == []
    missing = f'SELECT id FROM public.person WHERE "{refactoring.column}" IS NULL'
    assert moved.database.rows(missing) == []
