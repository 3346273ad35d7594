"""The island stands alone: old syntax, few imports, and it runs from wherever it is copied to."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import toolchain.runner
from tests.postgres.runner.packages import Package
from toolchain.render.shards_file import example_configuration
from toolchain.runner.core.config import read_shards
from toolchain.runner.core.options import OPTIONS, Reader, Settings, read_settings

if TYPE_CHECKING:
    from tests.postgres.conftest import Database

ISLAND = Path(toolchain.runner.__file__).parent
FILES = sorted(ISLAND.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ISLAND)))
def test_python_3_9(path: Path) -> None:
    """What `ast` does not see of 3.9: annotations stay text, and dataclasses take no new words."""
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    futures = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    if path.name != "__init__.py":
        assert [alias.name for alias in futures[0].names] == ["annotations"]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            words = {keyword.arg for keyword in node.keywords}
            assert node.func.id not in {"dataclass", "zip"} or words <= {"frozen"}
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
            union = isinstance(node.value.op, ast.BitOr)
            assert not (union and isinstance(node.value.right, ast.Constant)), "X | None at runtime"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ISLAND)))
def test_imports(path: Path) -> None:
    """Relative, of the standard library, or psycopg2: nothing of the toolchain."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= len(path.relative_to(ISLAND).parts)
            names = [] if node.level else [node.module or ""]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            assert top == "psycopg2" or top in sys.stdlib_module_names, name


def test_copied_and_started_as_installed(package: Package, database: "Database") -> None:
    process = package.start("apply", "--json", env={"PYTHONPATH": "/nowhere", "PATH": "/usr/bin"})
    out, err = process.communicate(timeout=30)
    assert (process.returncode, '"outcome": "ok"' in out) == (0, True), err
    assert database.rows("SELECT schema FROM interlock.handshake") == [(2,)]


def test_a_roll_call_is_longer_than_refreshes_take() -> None:
    assert read_settings({"refresh": "5min"}).roll_call == 450.0
    assert read_settings({"refresh": "5min", "roll_call": "6min"}).roll_call == 360.0
    assert read_settings({"refresh": "5min", "roll_call": "off"}).roll_call is None


@pytest.mark.parametrize("reader", Reader)
def test_the_example_says_the_defaults(tmp_path: Path, reader: Reader) -> None:
    text = example_configuration("fleetdesk", f"fleetdesk-{reader.value}", reader)
    assert max(map(len, text.splitlines())) <= 100
    assert list(OPTIONS) == list(Settings.__dataclass_fields__)
    assert read_settings({name: option.default for name, option in OPTIONS.items()}) == Settings()
    path = tmp_path / "shards.ini"
    uncommented = [
        line[2:] if line[2:].partition(" ")[0] in OPTIONS and " = " in line else line
        for line in text.splitlines()
    ]
    path.write_text("\n".join([*uncommented, "[north]", "service = north"]) + "\n")
    (shard,) = read_shards(path)
    assert shard.settings == Settings()
    assert shard.parameters == {"service": "north"}


def test_the_example_lists_what_its_reader_heeds() -> None:
    def listed(reader: Reader) -> list[str]:
        text = example_configuration("fleetdesk", f"fleetdesk-{reader.value}", reader)
        return re.findall(r"^# (\w+) =", text.partition("\n[*]\n")[2], re.MULTILINE)

    server = ["expires", "refresh", "unreachable", "last_known_age"]
    assert listed(Reader.SERVER) == ["lock_timeout", "connect_timeout", *server]
    assert listed(Reader.DATABASE) == [name for name in OPTIONS if name not in server]


def test_help_tells_the_exit_codes(package: Package, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        package.quietly("apply", "--help")
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {code} " in shown for code in (0, 1, 2, 3, 4, 5, 130))


def test_what_the_builder_reads_needs_no_database_driver() -> None:
    """The toolchain renders manuals and shards files where psycopg2 may not be installed."""
    script = "import sys; sys.modules['psycopg2'] = None; import toolchain.render.island"
    subprocess.run((sys.executable, "-c", script), check=True, cwd=ISLAND.parents[1])
