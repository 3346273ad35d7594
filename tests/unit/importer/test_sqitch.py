"""sqitch projects: the plan with tags and reworked changes, psql's variables and includes."""

import re
from datetime import date
from pathlib import Path

import pytest

from tests.unit.importer.test_folders import write
from toolchain.errors import UsageError
from toolchain.importer.mapping import By, Known, mapped, read_map
from toolchain.importer.migrations.sqitch import read_sqitch
from toolchain.model.version import Version

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
    folder = read_sqitch(sqitch_project(tmp_path), {})
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
    assert len(read_sqitch(tmp_path, {}).migrations) == 4


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
        read_sqitch(tmp_path, {})


def one_change(folder: Path, sql: str, conf: str = "", plan: str = "a") -> Path:
    """A project of one change."""
    return write(folder, {"sqitch.plan": f"{plan}\n", "sqitch.conf": conf, "deploy/a.sql": sql})


CONF = '[core]\n\tengine = pg\n[core "variables"]\n\tapp = shop\n[deploy]\n\tverify = true\n'


def test_sqitch_variables_are_those_of_psql(tmp_path: Path):
    sql = (
        "\\set mine 'own'\nCREATE SCHEMA :\"app\";\n"
        "SELECT :'app', :'mine', ':app', $$ :app $$, 1::int, a[1:n], :app -- :'none'\n;"
    )
    (change,) = read_sqitch(one_change(tmp_path, sql, CONF), {}).migrations
    assert change.sql.splitlines()[1:3] == [
        'CREATE SCHEMA "shop";',
        "SELECT 'shop', 'own', ':app', $$ :app $$, 1::int, a[1:n], shop -- :'none'",
    ]
    (change,) = read_sqitch(tmp_path, {"app": "it's"}).migrations
    assert "SELECT 'it''s', 'own'" in change.sql


def test_sqitch_asks_for_a_variable_without_a_value(tmp_path: Path):
    one_change(tmp_path, "SELECT 1;\nSELECT :'who';")
    with pytest.raises(UsageError, match=r"a\.sql:2: .*:'who' has no value; .*--define who=VALUE"):
        read_sqitch(tmp_path, {})


def test_sqitch_includes_stay_in_the_project(tmp_path: Path):
    project = one_change(tmp_path / "db", "BEGIN;\n\\ir ../lib/f.sql\n\\i lib/f.sql\nCOMMIT;\n")
    write(tmp_path, {"db/lib/f.sql": "SELECT 1;\n", "secret.sql": "SELECT 2;\n"})
    assert read_sqitch(project, {}).migrations[0].sql == "BEGIN;\nSELECT 1;\nSELECT 1;\nCOMMIT;\n"
    for lost in ("../../secret.sql", "gone.sql", "a.sql"):
        one_change(tmp_path / "db", f"SELECT 1;\n\\ir {lost}\n")
        with pytest.raises(UsageError, match="leads to no file below"):
            read_sqitch(project, {})


def test_sqitch_of_another_database_is_refused(tmp_path: Path):
    one_change(tmp_path, "SELECT 1;", CONF.replace("= pg", "= sqlite"))
    with pytest.raises(UsageError, match="the engine sqlite"):
        read_sqitch(tmp_path, {})


def test_sqitch_dependencies_on_another_project_are_told(tmp_path: Path):
    one_change(tmp_path, "SELECT 1;", plan="%project=a\nb\na [b@HEAD !c other:d other:e@v1]")
    write(tmp_path, {"deploy/b.sql": "SELECT 1;"})
    (note,) = read_sqitch(tmp_path, {}).notes
    assert (note.where, note.decide) == (f"{tmp_path}/sqitch.plan:3", True)
    assert "other:d, other:e@v1" in note.text


def test_sqitch_tags_that_name_no_release_are_said_by_the_map(tmp_path: Path):
    plan = PLAN.replace("@v1.0.0-dev1", "@sprint-7").replace("v1.0.0-dev1", "sprint-7")
    project = sqitch_project(tmp_path, plan)
    (project / "deploy/users@v1.0.0-dev1.sql").rename(project / "deploy/users@sprint-7.sql")
    folder = read_sqitch(project, {})
    coming = Version(2, 0, 0)
    with pytest.raises(UsageError, match="write the line '@sprint-7 X.Y.Z' into a file"):
        mapped(folder, Known(coming=coming), By.AUTO)
    write(tmp_path, {"map": "@sprint-7 0.9.0 2012-12-30\nlists 1.1.0\n"})
    listed, days = read_map(tmp_path / "map")
    assert days == {Version(0, 9, 0): date(2012, 12, 30)}
    found = mapped(folder, Known(listed=listed), By.AUTO).migrations
    assert {str(version): len(each) for version, each in found.items()} == {
        "0.9.0": 2,
        "1.0.0": 1,
        "1.1.0": 1,
    }
