"""What must hold between releases: schema numbers and the life of a change."""

from pathlib import Path

import pytest

from tests.unit.spec.sample import SAMPLE, changed, expect_one, problems, told

R = "4.1.0.yaml"
STEPS = SAMPLE[R][SAMPLE[R].index("  expand:\n") : SAMPLE[R].index("server:\n")]
CONTRACT = "    - {change: os-name, sql: sql/12-drop-os-name.sql}\n"

CASES = {
    "file of another release": ("release: 4.1.0", "release: 4.2.0", "1 release-file", ("write 4.1.0", "4.2.0.yaml")),
    "file of a known release": ("release: 4.1.0", "release: 4.0.0", "1 duplicate-release", ("4.0.0.yaml",)),
    "schema goes back": ("version: 12", "version: 10", "8 schema-backwards", ("from 11 in 4.0.0 to 10", "write 12")),
    "schema is kept": ("version: 12", "version: 11", "8 schema-kept", ("write 12",)),
    "contract of another change": ("change: os-name", "change: os-nme", "17 contract-without-expand", ("write os-name",)),
    "contract of no change": ("change: os-name", "change: zzz", "17 contract-without-expand", ("add its expand",)),
    "contract in its expand's release": ("change: os-name", "change: audit-index", "17 contract-too-early", ("next release",)),
    "migrate of another change": (
        "- change: split-host", "- change: spilt-host", "13 migrate-without-expand", ("write split-host",),
    ),
    "step twice": ("{change: audit-index,", "{change: split-host,", "11 duplicate-step", ("4.1.0.yaml:10:7", "keep one")),
    "step twice in the product": ("{change: audit-index,", "{change: os-name,", "11 duplicate-step", ("4.0.0.yaml:9:7",)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_chain(tmp_path: Path, case: str) -> None:
    old, new, start, words = CASES[case]
    files = changed(R, old, new)
    if "schema" in case:
        files[R] = files[R].replace('">= 12"', '">= 10"')
    expect_one(tmp_path, files, f"{R}:{start}", *words)


def test_a_release_without_steps_keeps_the_schema(tmp_path: Path) -> None:
    files = changed(R, STEPS, "")
    expect_one(tmp_path, files, f"{R}:8 schema-raised", "write 11, or add the steps")
    files[R] = files[R].replace("version: 12", "version: 11").replace('">= 12"', '">= 11"')
    assert told(tmp_path, files) == []


def third(text: str) -> dict[str, str]:
    """The sample with a third release, whose schema section is the text."""
    release = SAMPLE["4.0.0.yaml"].replace("4.0.0", "4.2.0").replace('">= 4.2.0"', '">= 4.1.0"')
    release = release.replace("date: 2026-02-02", "date: 2026-08-03")
    begin, end = release.index("schema:\n"), release.index("server:\n")
    return {**SAMPLE, "4.2.0.yaml": release[:begin] + text + release[end:]}


def test_a_contract_before_its_expand(tmp_path: Path) -> None:
    files = third("schema:\n  version: 13\n  expand: [{change: late, sql: sql/11-os-name.sql}]\n")
    files[R] = files[R].replace(CONTRACT, f"{CONTRACT}{CONTRACT.replace('os-name,', 'late,')}")
    expect_one(tmp_path, files, f"{R}:18 contract-without-expand", "expanded later, by 4.2.0")


def test_a_migrate_after_its_contract(tmp_path: Path) -> None:
    files = third(
        "schema:\n  version: 13\n  migrate: [{change: os-name, sql: sql/11-os-name.sql}]\n"
    )
    expect_one(tmp_path, files, "4.2.0.yaml:8 migrate-too-late", "contracted by 4.1.0")


def test_a_migrate_may_come_in_a_later_release(tmp_path: Path) -> None:
    text = "schema:\n  version: 13\n  migrate: [{change: audit-index, sql: sql/11-os-name.sql}]\n"
    files = third(text)
    expect_one(
        tmp_path, files, "4.2.0.yaml:15 window-too-wide",
        "'>= 11' is too wide: the server of 4.2.0 uses only the new form of audit-index, and shards"
        " of 4.1.0 (schema 12) do not have it ready; write '>= 13'",
    )  # fmt: skip
    files["4.2.0.yaml"] = files["4.2.0.yaml"].replace('schema: ">= 11"', 'schema: ">= 13"')
    assert told(tmp_path, files) == []


def test_both_places_of_a_step_are_given(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, changed(R, "{change: audit-index,", "{change: os-name,"))
    assert problem.path == "schema.expand[1]"
    assert problem.related[0].origin.file.endswith("4.0.0.yaml")


def test_nothing_is_said_of_a_chain_with_a_broken_link(tmp_path: Path) -> None:
    files = changed("4.0.0.yaml", "change: os-name", "change: OS")
    expect_one(tmp_path, files, "4.0.0.yaml:9 name")


def test_a_broken_payload_does_not_hide_the_chain(tmp_path: Path) -> None:
    files = changed(R, "version: 12", "version: 10")
    files[R] = files[R].replace('">= 12"', '">= 10"').replace("source: web", "source: wep")
    codes = [line.split()[1] for line in told(tmp_path, files)]
    assert codes == ["schema-backwards:", "source-missing:"]
