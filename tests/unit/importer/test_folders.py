"""Folders of Flyway, sqitch, Alembic and plain SQL: order, versions, undo, and what is refused."""

from pathlib import Path

import pytest

from toolchain.errors import UsageError
from toolchain.importer.migrations.alembic import read_alembic
from toolchain.importer.migrations.numbered import read_numbered
from toolchain.model.change import Phase


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def keys(migrations) -> list[str]:
    return [migration.key for migration in migrations]


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
