"""Statements into phases: what is taken apart, what waits, what is proposed or declared."""

import pytest

from toolchain.errors import UsageError
from toolchain.importer.chain import draft_chain
from toolchain.importer.drafts import ChainDraft
from toolchain.importer.mapping import By, Known, mapped
from toolchain.importer.migrations.migration import Folder, Migration
from toolchain.importer.statements import parts_of
from toolchain.model.change import Phase
from toolchain.model.version import Version

ONE, TWO, THREE = (Version(number, 0, 0) for number in (1, 2, 3))
TABLE = "CREATE TABLE host (id bigint PRIMARY KEY, os text, note text);"


def migration(title: str, sql: str, **more: object) -> Migration:
    return Migration(
        key=title, path=f"{title}.sql", where=f"{title}.sql", title=title, sql=sql, **more
    )


def chain(*second: Migration, refactor: bool = False) -> ChainDraft:
    first = (migration("first", TABLE),)
    return draft_chain((ONE, TWO, THREE), {ONE: first, TWO: second}, refactor=refactor)


def steps(draft: ChainDraft, release: int) -> list[tuple[str, str]]:
    found = draft.releases[release - 1].steps
    return [(step.change, step.phase.value) for step in found]


def test_a_mixed_migration_is_taken_apart_over_two_releases():
    sql = (
        "-- both\nALTER TABLE host ADD COLUMN os_name text;\nUPDATE host SET os_name = os;\n"
        "-- at last\nALTER TABLE host DROP COLUMN os;\n"
    )
    draft = chain(migration("os_name", sql))
    assert steps(draft, 2) == [("os-name", "expand"), ("os-name", "migrate")]
    assert steps(draft, 3) == [("os-name", "contract")]
    assert [release.schema for release in draft.releases] == [1, 2, 3]
    assert draft.files["sql/2.0.0-os-name.sql"].startswith("-- both\nALTER TABLE host ADD")
    assert draft.files["sql/2.0.0-os-name.contract.sql"] == (
        "-- at last\nALTER TABLE host DROP COLUMN os;\n"
    )
    assert any("it mixes expand, migrate, contract" in note.text for note in draft.notes)


def test_what_a_migration_sets_is_set_for_each_of_its_phases():
    sql = (
        "SET lock_timeout = 0;\nSET search_path = app, public;\n"
        "ALTER TABLE host ADD COLUMN os_name text;\nALTER TABLE host DROP COLUMN os;\n"
    )
    draft = chain(migration("os_name", sql), migration("path", "SET search_path = app;"))
    expand, contract = "sql/2.0.0-os-name.sql", "sql/2.0.0-os-name.contract.sql"
    assert {draft.files[file].splitlines()[0] for file in (expand, contract)} == {
        "SET search_path = app, public;"
    }
    assert "lock_timeout" not in draft.files[expand]
    assert [note.text for note in draft.notes if not note.decide] == [
        "left out, as the runner does this: SET lock_timeout",
        "it does nothing; not taken",
    ]


def test_roles_are_told_which_belong_to_the_whole_server():
    sql = (
        "CREATE ROLE clerk; GRANT SELECT ON host TO clerk, auditor, PUBLIC, pg_monitor;\n"
        "ALTER TABLE host OWNER TO boss; ALTER TABLE host OWNER TO CURRENT_USER;"
    )
    draft = chain(migration("roles", sql))
    told = [(note.where, note.text.partition(",")[0]) for note in draft.notes]
    assert told == [
        ("roles.sql:1", "it makes the role clerk"),
        ("roles.sql:1", "the role auditor has to be there before this runs"),
        ("roles.sql:2", "the role boss has to be there before this runs"),
    ]


def test_the_first_release_takes_nothing_from_anyone():
    sql = f"{TABLE} UPDATE host SET os = ''; ALTER TABLE host DROP COLUMN os;"
    draft = draft_chain((ONE,), {ONE: (migration("all", sql),)}, refactor=True)
    assert steps(draft, 1) == [("all", "expand")]
    assert draft.files["sql/1.0.0-all.sql"] == f"{sql}\n"


@pytest.mark.parametrize(
    ("sql", "operation", "phases"),
    [
        (
            "ALTER TABLE host RENAME COLUMN os TO os_name",
            "rename_column: {table: host, column: os, to: os_name}",
            ["expand", "migrate", "contract"],
        ),
        (
            "ALTER TABLE host RENAME TO machine",
            "rename_table: {table: host, to: machine}",
            ["expand", "contract"],
        ),
        (
            "ALTER TABLE host DROP COLUMN os",
            "drop_column: {table: host, column: os}",
            ["expand", "contract"],
        ),
        ("DROP TABLE host", "drop_table: {table: host}", ["expand", "contract"]),
        (
            "CREATE INDEX host_by_os ON host (os)",
            'add_index: {table: host, name: host_by_os, "on": [os]}',
            ["expand"],
        ),
    ],
)
def test_a_plain_pattern_is_proposed_or_declared(sql: str, operation: str, phases: list[str]):
    proposed = chain(migration("x", sql))
    assert any(operation in note.text and note.decide for note in proposed.notes)
    assert steps(proposed, 2) == [("x", "expand")]
    assert proposed.files["sql/2.0.0-x.sql"] == f"{sql}\n"
    declared = chain(migration("x", sql), refactor=True)
    assert [phase for _, phase in (*steps(declared, 2), *steps(declared, 3))] == phases
    assert declared.releases[1].steps[0].operation == operation
    assert set(declared.files) == {"sql/1.0.0-first.sql"}


def test_what_only_a_person_can_say_stays_sql():
    draft = chain(migration("x", "ALTER TABLE host ALTER COLUMN note SET NOT NULL"), refactor=True)
    assert not draft.releases[1].steps[0].operation
    assert any("still to be said" in line for line in draft.releases[1].steps[0].comments)


def test_what_runs_outside_a_transaction_stands_alone():
    sql = "SELECT 1; CREATE INDEX CONCURRENTLY i ON host (os); SELECT 2;"
    alone, rest = chain(migration("x", sql)).releases[1].steps
    assert (alone.transaction, rest.transaction) == (False, True)


def test_a_contract_without_a_next_release_waits():
    draft = draft_chain(
        (ONE, TWO),
        {
            ONE: (migration("first", TABLE),),
            TWO: (migration("x", "CREATE TABLE a (); ALTER TABLE host DROP COLUMN os;"),),
        },
        refactor=False,
    )
    assert [step.phase for step in draft.releases[1].waiting] == [Phase.CONTRACT]
    assert any("waits for the release after" in note.text for note in draft.notes)


def test_pre_and_post_of_one_name_are_one_change():
    draft = chain(
        migration("x", "SELECT 1", phase=Phase.EXPAND),
        migration("x", "SELECT 2", phase=Phase.CONTRACT),
    )
    assert (steps(draft, 2), steps(draft, 3)) == ([("x", "expand")], [("x", "contract")])


def test_sql_that_does_not_parse_is_kept_and_told():
    draft = chain(migration("x", "CREATE TABEL a ()"))
    assert draft.files["sql/2.0.0-x.sql"] == "CREATE TABEL a ()"
    assert any("TABEL" in note.text and note.where == "x.sql:1:8" for note in draft.notes)


def test_transactions_psql_and_the_old_tools_table_are_left_out():
    sql = "\\set ON_ERROR_STOP 1\nBEGIN;\nSELECT 'é\\set';\nUPDATE alembic_version SET x = 1;\nCOMMIT;\n"
    parts = parts_of("x", sql)
    assert [piece.text for piece in parts.pieces] == ["SELECT 'é\\set';\n"]
    assert set(parts.left_out) == {
        "\\set ON_ERROR_STOP 1",
        "BEGIN;",
        "COMMIT;",
        "a statement about alembic_version",
    }


def folder(*migrations: Migration) -> Folder:
    return Folder(tool="numbered SQL", migrations=migrations)


@pytest.mark.parametrize(
    ("numbers", "by", "known", "expected"),
    [
        ((4, 1, 0, 7), By.AUTO, Known(), "4.1.0"),
        ((4, 1), By.VERSIONS, Known(), "4.1.0"),
        ((7,), By.AUTO, Known(releases=(TWO,)), "2.0.0"),
        ((7,), By.AUTO, Known(packaged={ONE: frozenset(), TWO: frozenset({"x.sql"})}), "2.0.0"),
        (
            (7,),
            By.GIT_TAGS,
            Known(tagged=((ONE, frozenset()), (TWO, frozenset({"x.sql"})))),
            "2.0.0",
        ),
        ((7,), By.GIT_TAGS, Known(tagged=((ONE, frozenset()),), coming=THREE), "3.0.0"),
        ((4, 1, 0), By.AUTO, Known(listed={"x": TWO}), "2.0.0"),
        ((2024, 5, 4, 1200), By.AUTO, Known(releases=(TWO,)), "2.0.0"),
        ((1, 0, 0, 3), By.AUTO, Known(releases=(ONE, TWO)), "1.0.0"),
    ],
)
def test_what_tells_the_release_of_a_migration(numbers, by, known, expected):
    found = mapped(folder(migration("x", "SELECT 1", numbers=numbers)), known, by)
    assert [str(version) for version in found.migrations] == [expected]


@pytest.mark.parametrize(
    ("known", "by", "says"),
    [
        (Known(releases=(ONE, TWO)), By.AUTO, "nothing says which"),
        (Known(listed={"y": ONE}), By.AUTO, "the map names 'y'"),
        (Known(tagged=((ONE, frozenset()),)), By.GIT_TAGS, "belong to no release yet"),
        (Known(), By.VERSIONS, "no version in its name"),
    ],
)
def test_what_nothing_tells_is_asked(known, by, says):
    with pytest.raises(UsageError, match=says):
        mapped(folder(migration("x", "SELECT 1")), known, by)


def test_an_order_that_goes_back_is_refused():
    both = folder(migration("x", "SELECT 1"), migration("y", "SELECT 1"))
    with pytest.raises(UsageError, match=r"y\.sql belongs to 1\.0\.0 and comes after .* 2\.0\.0"):
        mapped(both, Known(listed={"x": TWO, "y": ONE}), By.AUTO)
