"""Flyway's folders: order, versions, placeholders, undo, and what Flyway would pass over."""

from pathlib import Path

import pytest

from tests.unit.importer.test_folders import keys, write
from toolchain.errors import UsageError
from toolchain.importer.migrations.flyway import read_flyway


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
    """The script of the baseline's own version is among them, as are older baselines."""
    names = ("V1__a", "B1__old", "V2__b", "B2__all", "U2__b", "V3__c")
    folder = read_flyway(write(tmp_path, {f"{name}.sql": "SELECT 1;" for name in names}), {})
    assert keys(folder.migrations) == ["B2__all", "V3__c"]
    assert folder.migrations[0].undo is None


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


def test_flyway_asks_for_all_missing_values_at_once(tmp_path: Path):
    write(tmp_path, {"V1__a.sql": "GRANT ${a:b} TO ${one};", "R__b.sql": "SELECT '${one} ${two}';"})
    with pytest.raises(UsageError, match="--define a:b=VALUE --define one=VALUE --define two="):
        read_flyway(tmp_path, {})


def test_flyway_placeholders_may_be_written_otherwise_or_not_at_all(tmp_path: Path):
    files = {
        "flyway.conf": "flyway.placeholderPrefix=%[\nflyway.placeholderSuffix=]\n",
        "V1__a.sql": "SELECT '%[who]', '${not}';",
        "V2__b.sql": "SELECT '%[not]';",
        "V2__b.sql.conf": "placeholderReplacement=false\n",
    }
    folder = read_flyway(write(tmp_path, files), {"who": "ann"})
    assert [each.sql for each in folder.migrations] == [
        "SELECT 'ann', '${not}';",
        "SELECT '%[not]';",
    ]


def test_flyway_scripts_for_other_databases_are_left(tmp_path: Path):
    names = ("h2/V1__a", "postgresql/V1__a", "common/V2__b", "mysql/R__c")
    folder = read_flyway(write(tmp_path, {f"{name}.sql": "SELECT 1;" for name in names}), {})
    assert [each.path for each in folder.migrations] == ["postgresql/V1__a.sql", "common/V2__b.sql"]
    assert [note.where for note in folder.notes] == [
        str(tmp_path / "h2/V1__a.sql"),
        str(tmp_path / "mysql/R__c.sql"),
    ]


def test_flyway_folders_that_are_named_after_other_databases_may_be_all_there_is(tmp_path: Path):
    write(tmp_path, {"oracle/V1__a.sql": "SELECT 1;"})
    assert keys(read_flyway(tmp_path, {}).migrations) == ["V1__a"]


@pytest.mark.parametrize("name", ["V1__a", "R__views"])
def test_flyway_twins_of_two_modules_are_refused_with_a_way_out(tmp_path: Path, name: str):
    files = {f"{module}/{name}.sql": "SELECT 1;" for module in ("orders", "stock")}
    write(tmp_path, {**files, "V9__z.sql": "SELECT 1;"})
    with pytest.raises(UsageError, match="the same .* the folder of one module"):
        read_flyway(tmp_path, {})


@pytest.mark.parametrize(
    ("name", "says", "decide"),
    [
        ("V1.34_answers.sql", "two underscores", True),
        ("R_views.sql", "two underscores", True),
        ("afterMigrate.sql", "a callback", True),
        ("Vienna.sql", "Flyway never runs it", False),
    ],
)
def test_flyway_says_why_a_script_is_left(tmp_path: Path, name: str, says: str, decide: bool):
    folder = read_flyway(write(tmp_path, {"V1__a.sql": "SELECT 1;", name: "SELECT 1;"}), {})
    (note,) = folder.notes
    assert (says in note.text, note.decide) == (True, decide)
