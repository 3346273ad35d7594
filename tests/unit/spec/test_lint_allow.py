"""A step may allow itself a finding, by its id and with a reason that a reviewer can check."""

from pathlib import Path

import pytest

from tests.unit.spec.lint_product import S, found, product, told
from tests.unit.spec.memory import Memory
from toolchain.spec import check_product
from toolchain.spec.codes import Code
from toolchain.spec.lint.allowances import ALLOWABLE

INDEX = "CREATE INDEX i ON host (name);"
REASON = "The table has four rows."


def allowing(sql: str, *entries: str, undo: str = "") -> S:
    return S(sql=sql, undo=undo, extra="allow:\n" + "\n".join(f"  {entry}" for entry in entries))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((f"lint-index-lock: {REASON}",), []),
        (("lint-index-lock: legacy",), ["10 lint-allow-reason"]),
        ((f"lint-index-locks: {REASON}",), ["10 lint-allow-unknown", "1 lint-index-lock"]),
        ((f"sql-empty: {REASON}",), ["10 lint-allow-unknown", "1 lint-index-lock"]),
        ((f"lint-allow-unused: {REASON}",), ["10 lint-allow-unknown", "1 lint-index-lock"]),
        ((f"lint-truncate: {REASON}",), ["10 lint-allow-unused", "1 lint-index-lock"]),
        ((f"lint-index-lock: {REASON}", f"lint-write: {REASON}"), ["11 lint-allow-unused"]),
        (("lint-index-lock:",), ["10 no-value"]),
        (("lint-index-lock: [a, b, c]",), ["10 wrong-type"]),
    ],
)  # fmt: skip
def test_entries(entries: tuple[str, ...], expected: list[str]) -> None:
    assert told((allowing(INDEX, *entries),)) == expected


def test_the_nearest_name_is_told() -> None:
    (unknown, _) = found((allowing(INDEX, f"lint-indexlock: {REASON}"),))
    assert unknown.code is Code.LINT_ALLOW_UNKNOWN
    assert unknown.cure == "the nearest is lint-index-lock"


def test_a_hint_may_be_allowed_too() -> None:
    assert told((S(sql="DROP INDEX host_os;"),)) == ["1 lint-index-drop"]
    assert told((allowing("DROP INDEX host_os;", f"lint-index-drop: {REASON}"),)) == []


def test_one_entry_covers_the_undo() -> None:
    assert told((allowing("SELECT 1;", f"lint-index-lock: {REASON}", undo=INDEX),)) == []


def test_an_entry_covers_its_own_step_alone() -> None:
    other = S(sql=INDEX.replace(" i ", " j "), change="other")
    assert told((allowing(INDEX, f"lint-index-lock: {REASON}"), other)) == ["1 lint-index-lock"]


def test_a_file_with_other_problems_is_not_judged_yet() -> None:
    """Nor are the entries, which may be right once the file is mended."""
    step = allowing(f"{INDEX}\nSELEC 1;", f"lint-index-lock: {REASON}")
    assert told((step,)) == ["2 sql-syntax"]


@pytest.mark.parametrize("phase", ["expand", "migrate", "contract"])
def test_every_phase_has_the_key(phase: str) -> None:
    step = S(sql="LOCK TABLE host;", phase=phase, extra=f"allow: {{lint-lock-table: {REASON}}}")
    first = () if phase == "expand" else (S(sql="SELECT 1;"),)
    assert told(*([first] if first else []), (step,)) == []


def test_a_step_of_two_branches_is_allowed_in_both() -> None:
    """A hotfix and the next release carry one step; each spec answers for what it publishes."""
    files = product((S(sql="SELECT 1;", change="other"),), (allowing(INDEX),))
    hotfix = files["1.2.0.yaml"].replace("1.2.0", "1.1.1").replace("2026-02-01", "2026-02-15")
    hotfix = hotfix.replace("  version: 2", "  version: 1").replace(
        "change: other", "change: thing"
    )
    hotfix = hotfix.replace("sql/2-other-expand.sql", "sql/3-thing-expand.sql")
    files["1.1.1.yaml"] = hotfix + "  forms: {thing: both}\n"
    reason = f"      allow:\n        lint-index-lock: {REASON}\n"
    entry = "      sql: sql/3-thing-expand.sql\n"
    files["1.3.0.yaml"] = files["1.3.0.yaml"].replace(f"{entry}      allow:\n", entry)
    for allowed in ((), ("1.1.1.yaml",), ("1.1.1.yaml", "1.3.0.yaml")):
        tried = dict(files)
        for name in allowed:
            tried[name] = tried[name].replace(entry, entry + reason)
        checked = check_product(Memory({name: text.encode() for name, text in tried.items()}), {})
        assert [problem.code for problem in checked.problems] == (
            [Code.LINT_INDEX_LOCK] * (2 - len(allowed))
        )


def test_whatever_the_lint_finds_may_be_allowed() -> None:
    own = {Code.LINT_ALLOW_UNKNOWN, Code.LINT_ALLOW_UNUSED, Code.LINT_ALLOW_REASON}
    lint = {code for code in Code if code.name.startswith("LINT_")}
    assert set(ALLOWABLE.values()) == lint - own


def test_every_finding_is_documented() -> None:
    """docs/reference/sql-safety.md tells of each, and marks the hints."""
    page = (Path(__file__).parents[3] / "docs/reference/sql-safety.md").read_text(encoding="utf-8")
    for code in Code:
        if code.name.startswith("LINT_"):
            assert f"`{code.value}`" in page
            assert (f"`{code.value}` (hint)" in page) == code.is_hint
