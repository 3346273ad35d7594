"""The reports of a product with problems of every kind, as text; `--update-golden` rewrites them."""

import json
from pathlib import Path

import pytest

from tests.unit.spec.sample import SAMPLE, write
from toolchain.edge.directory import Directory
from toolchain.spec import Problem, check_product
from toolchain.spec.codes import Code
from toolchain.spec.problem import Related
from toolchain.spec.report import REPORTS

HERE = Path(__file__).parent
SUFFIXES = {"text": "txt", "json": "json", "github": "github.txt", "sarif": "sarif.json"}


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Problem, ...]:
    """A typing mistake, a wrong window, broken SQL, and a line that is hostile to reports."""
    monkeypatch.chdir(tmp_path)
    second = (
        SAMPLE["4.1.0.yaml"]
        .replace("revision: 2", "revison: 2\nrevision: 1\nrevision: 2", 1)
        .replace("source: web", "source: wep")
        .replace("- Hosts are split", '- "größe: %{x}, {{ y }}\\n::error::" #' + "x" * 90)
        .replace('schema: ">= 12"', 'schema: ">= 13"')
        .replace("user: fleetdesk", 'user: "fleet%desk,: "', 1)
    )
    write(
        tmp_path / "specs/fleet desk",
        {
            **SAMPLE,
            "4.1.0.yaml": second,
            "4.0.0.yaml": SAMPLE["4.0.0.yaml"].replace("release: 4.0.0", "release: 4.0"),
            "sql/12-drop-os-name.sql": "ALTER TABLE host\n  DROP COLUM os_name;\n",
        },
    )
    return check_product(Directory(Path("specs/fleet desk")), {}).problems


@pytest.mark.parametrize("name", REPORTS)
def test_report(name: str, problems: tuple[Problem, ...], request: pytest.FixtureRequest) -> None:
    golden = HERE / f"report.{SUFFIXES[name]}"
    text = REPORTS[name](problems)
    if request.config.getoption("--update-golden"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["json", "sarif"])
def test_machines_can_read_it(name: str, problems: tuple[Problem, ...]) -> None:
    assert json.loads(REPORTS[name](problems))
    assert json.loads(REPORTS[name](()))


def test_every_format_has_a_golden_file() -> None:
    assert set(SUFFIXES) == set(REPORTS)


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_in_a_report_can_break_out_of_it(name: str, problems: tuple[Problem, ...]) -> None:
    """A file's name and its text are an attacker's; a report is read by terminals and by CI."""
    hostile = "a\x1b]0;x\x07\n::error file=x::\r\u202eb%,:"
    first = problems[0]
    problem = Problem(
        code=Code.NAME,
        origin=type(first.origin)(file=hostile),
        message=hostile,
        cure=hostile,
        path=hostile,
        related=(Related(origin=first.origin, message=hostile),),
        excerpt=hostile,
    )
    text = REPORTS[name]((problem,))
    assert not any(line.startswith("::error file=x") for line in text.splitlines())
    if name in ("text", "json", "sarif"):
        assert "\x1b" not in text
        assert "\u202e" not in text
