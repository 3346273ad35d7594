"""Folders of Flyway, sqitch, Alembic and plain SQL: order, versions, undo, and what is refused."""

import re
from pathlib import Path

import pytest

from toolchain.errors import UsageError
from toolchain.importer.migrations.alembic import read_alembic
from toolchain.importer.migrations.flyway import read_flyway
from toolchain.importer.migrations.numbered import read_numbered
from toolchain.importer.migrations.sqitch import read_sqitch
from toolchain.model.change import Phase


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def keys(migrations) -> list[str]:
    return [migration.key for migration in migrations]


def test_flyway_orders_by_version_and_repeatables_last(tmp_path: Path):
    names = ("R__a", "V10__c", "V2__b", "V1.1__a", "beforeMigrate")
    folder = read_flyway(write(tmp_path, {f"{name}.sql": "SELECT 1;" for name in names}), {})
    assert keys(folder.migrations) == ["V1.1__a", "V2__b", "V10__c", "R__a"]
    assert [note.where for note in folder.notes] == [str(tmp_path / "beforeMigrate.sql")]


def test_flyway_pairs_an_undo_with_its_version(tmp_path: Path):
    files = {"V1.0__a.sql": "SELECT 1;", "U1__a.sql": "SELECT 2;", "V2__b.sql": "SELECT 3;"}
    first, second = read_flyway(write(tmp_path, files), {}).migrations
    assert (first.undo, second.undo) == ("SELECT 2;", None)


def test_flyway_baseline_stands_for_what_is_before_it(tmp_path: Path):
    files = {"V1__a.sql": "SELECT 1;", "B2__all.sql": "SELECT 2;", "V3__c.sql": "SELECT 3;"}
    assert keys(read_flyway(write(tmp_path, files), {}).migrations) == ["B2__all", "V3__c"]


@pytest.mark.parametrize("file", ["flyway.conf", "flyway.toml"])
def test_flyway_placeholders_have_the_values_of_its_configuration(tmp_path: Path, file: str):
    settings = {
        "flyway.conf": "flyway.placeholders.who=ann\n",
        "flyway.toml": '[flyway.placeholders]\nwho = "ann"\n',
    }
    write(tmp_path, {"V1__a.sql": "SELECT '${who}';", file: settings[file]})
    assert read_flyway(tmp_path, {}).migrations[0].sql == "SELECT 'ann';"
    assert read_flyway(tmp_path, {"who": "bob"}).migrations[0].sql == "SELECT 'bob';"


def test_flyway_placeholder_without_a_value_is_told_with_its_line(tmp_path: Path):
    write(tmp_path, {"V1__a.sql": "SELECT 1;\nSELECT '${who}';"})
    with pytest.raises(UsageError, match=r"V1__a\.sql:2: .*\$\{who\}.*--define who=VALUE"):
        read_flyway(tmp_path, {})


def test_flyway_twins_are_refused(tmp_path: Path):
    write(tmp_path, {"V1__a.sql": "SELECT 1;", "V1_0__b.sql": "SELECT 1;"})
    with pytest.raises(UsageError, match="same version"):
        read_flyway(tmp_path, {})


PLAN = """\
%syntax-version=1.0.0
%project=flipr

appschema 2012-12-28T23:00:00Z Ann <ann@example.com> # Adds schema.
users [appschema] 2012-12-28T23:10:00Z Ann <ann@example.com> # A note, [odd] @one.
@v1.0.0-dev1 2012-12-29T23:10:00Z Ann <ann@example.com> # Tag.

users [users@v1.0.0-dev1] 2013-01-01T10:00:00Z Ann <ann@example.com>
@v1.0.0 2013-01-02T10:00:00Z Ann <ann@example.com>
lists 2013-01-03T10:00:00Z Ann <ann@example.com>
"""


def sqitch_project(folder: Path, plan: str = PLAN) -> Path:
    names = ("appschema", "users", "users@v1.0.0-dev1", "lists")
    files = {f"deploy/{name}.sql": f"SELECT '{name}';" for name in names}
    return write(folder, {**files, "revert/lists.sql": "SELECT 0;", "sqitch.plan": plan})


def test_sqitch_takes_the_order_and_the_tags_of_the_plan(tmp_path: Path):
    folder = read_sqitch(sqitch_project(tmp_path))
    assert [(each.key, each.tag) for each in folder.migrations] == [
        ("appschema", "v1.0.0-dev1"),
        ("users@v1.0.0-dev1", "v1.0.0-dev1"),
        ("users", "v1.0.0"),
        ("lists", ""),
    ]
    assert folder.migrations[-1].undo == "SELECT 0;"
    assert [(tag, str(day)) for tag, day in folder.days] == [
        ("v1.0.0-dev1", "2012-12-29"),
        ("v1.0.0", "2013-01-02"),
    ]


def test_sqitch_reads_the_directories_of_its_configuration(tmp_path: Path):
    sqitch_project(tmp_path / "db")
    write(tmp_path, {"sqitch.conf": "[core]\n\ttop_dir = db\n"})
    assert len(read_sqitch(tmp_path).migrations) == 4


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("gone 2013-01-01T10:00:00Z A <a@b.c>", ":11: no deploy script belongs to gone"),
        ("-- nothing", ":11: this is no change"),
        ("lists 2013-01-03T10:00:00Z A <a@b.c>", ":11: lists stands twice"),
        ("../../etc/passwd 2013-01-03T10:00:00Z A <a@b.c>", ":11: no deploy script"),
    ],
)
def test_sqitch_refuses_a_plan_that_it_cannot_follow(tmp_path: Path, line: str, says: str):
    sqitch_project(tmp_path, f"{PLAN}{line}\n")
    with pytest.raises(UsageError, match=re.escape(says)):
        read_sqitch(tmp_path)


REVISION = 'revision = "{name}"\ndown_revision = {down}\n\ndef upgrade():\n    {body}\n'


def revision(name: str, down: str, body: str = 'op.execute("SELECT 1")') -> dict[str, str]:
    return {f"versions/{name}.py": REVISION.format(name=name, down=down, body=body)}


def test_alembic_orders_a_history_with_a_merge(tmp_path: Path):
    files = {
        **revision("z1", "None"),
        **revision("b", '"z1"'),
        **revision("a", '"z1"'),
        **revision("m", '("a", "b")', "pass"),
        **revision("n", '"m"'),
    }
    folder = read_alembic(write(tmp_path, files))
    assert keys(folder.migrations) == ["z1", "a", "b", "n"]
    assert [note.where for note in folder.notes] == [str(tmp_path / "versions/m.py")]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            {**revision("a", "None"), **revision("b", '"a"'), **revision("c", '"a"')},
            r"2 heads \(b, c\)",
        ),
        (
            revision("a", "None") | revision("year/b", '"a"') | revision("year/c", '"a"'),
            r"2 heads \(year/b, year/c\)",
        ),
        ({**revision("a", '"gone"')}, "stands upon gone, which is not there"),
        ({**revision("a", '"c"'), **revision("c", '"a"'), **revision("d", '"c"')}, "in a circle"),
        ({"versions/a.py": "def upgrade(:\n"}, r"a\.py:1: Python says"),
    ],
)
def test_alembic_refuses_a_history_without_one_order(tmp_path: Path, files, says: str):
    if "a.py:1" in says:
        files = {**files, **revision("b", "None")}
    with pytest.raises(UsageError, match=says):
        read_alembic(write(tmp_path, files))


def test_alembic_takes_plain_texts_and_runs_nothing(tmp_path: Path):
    canary = tmp_path / "canary"
    files = revision("a", "None", 'op.execute(sa.text(SQL))\n    op.execute("SELECT 2;")')
    files["versions/a.py"] += f'SQL = "SELECT 1"\nopen({str(canary)!r}, "w")\n'
    files |= revision("b", '"a"', 'op.execute("SELECT 1")\n    op.add_column("t", None)')
    first, second = read_alembic(write(tmp_path, files)).migrations
    assert first.sql == "SELECT 1;\nSELECT 2;\n"
    assert not second.sql
    assert "op.add_column" in second.hand
    assert not canary.exists()


def test_numbered_files_with_marks_and_both_ways(tmp_path: Path):
    files = {
        "03.00.00_01_pre_cancel.sql": "SELECT 1;",
        "03.00.00_50_post_cancel.sql": "SELECT 2;",
        "10-ten.up.sql": "SELECT 3;",
        "10-ten.down.sql": "SELECT 4;",
        "readme.sql": "SELECT 5;",
    }
    folder = read_numbered(write(tmp_path, files))
    assert [(each.title, each.phase, each.undo) for each in folder.migrations] == [
        ("cancel", Phase.EXPAND, None),
        ("cancel", Phase.CONTRACT, None),
        ("ten", None, "SELECT 4;"),
    ]
    assert folder.migrations[0].numbers == (3, 0, 0, 1)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"1_a.sql": "", "01_b.sql": ""}, "have the same number"),
        ({"a.sql": ""}, "no SQL file whose name begins with a number"),
        ({"1_a.sql": "\0"}, r"1_a\.sql:1:1: .*U\+0000"),
    ],
)
def test_numbered_files_that_have_no_order_are_refused(tmp_path: Path, files, says: str):
    with pytest.raises(UsageError, match=says):
        read_numbered(write(tmp_path, files))


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path):
    write(tmp_path, {"secret.sql": "SELECT 1;", "folder/1_a.sql": "SELECT 1;"})
    (tmp_path / "folder/2_b.sql").symlink_to(tmp_path / "secret.sql")
    assert keys(read_numbered(tmp_path / "folder").migrations) == ["1_a"]
