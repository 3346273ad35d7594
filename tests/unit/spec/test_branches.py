"""Hotfixes, releases without a database package, pre-releases and withdrawn releases."""

from dataclasses import replace
from pathlib import Path

from tests.unit.spec.chains import R, chain
from tests.unit.spec.sample import expect_one, told
from tests.unit.spec.test_promises import windows

# 1.0.1 came out after 2.0.0, and brings an index that 2.0.1 carries too.
HOTFIX = {
    "1.0.0": R(schema=1, steps=("expand:start",)),
    "2.0.0": R(schema=2, steps=("expand:split",)),
    "1.0.1": R(schema=1, steps=("expand:fix",), forms={"fix": "both"}),
    "2.0.1": R(schema=3, steps=("expand:fix",)),
    "3.0.0": R(schema=4, steps=("contract:split",)),
}


def test_a_hotfix_of_an_older_branch(tmp_path: Path) -> None:
    assert windows(tmp_path, chain(HOTFIX)) == [
        "1.0.0 >= 1 >= 1.0.0",
        "1.0.1 >= 1 >= 1.0.0",
        "2.0.0 >= 2 >= 1.0.0",
        "2.0.1 >= 3 >= 1.0.0",
        "3.0.0 >= 3 >= 2.0.0",
    ]


def test_a_hotfix_cannot_number_its_own_steps(tmp_path: Path) -> None:
    files = chain({**HOTFIX, "1.0.1": replace(HOTFIX["1.0.1"], schema=2)})
    expect_one(
        tmp_path, files, "1.0.1.yaml:6 hotfix-schema",
        "it is a hotfix of 1.0.0, and changes the schema version from 1 to 2; write 1",
    )  # fmt: skip


def test_a_hotfix_cannot_need_its_own_steps(tmp_path: Path) -> None:
    files = chain({**HOTFIX, "1.0.1": replace(HOTFIX["1.0.1"], forms={})})
    expect_one(
        tmp_path, files, "1.0.1.yaml:8 window-too-wide",
        "the server of 1.0.1 uses only the new form of fix, and shards of 2.0.0 (schema 2) do not"
        " have it ready; let the server do without it (server.forms: {fix: both})",
    )  # fmt: skip


def test_the_main_line_carries_a_hotfix(tmp_path: Path) -> None:
    files = chain({**HOTFIX, "2.0.1": R(schema=2)} | {"3.0.0": replace(HOTFIX["3.0.0"], schema=3)})
    expect_one(
        tmp_path, files, "2.0.1.yaml:6 hotfix-lost",
        "2.0.1 does not carry the step fix.expand of the hotfix 1.0.1", "add the step to 2.0.1",
    )  # fmt: skip


def test_a_later_version_is_not_dated_before_all_others(tmp_path: Path) -> None:
    files = chain({"1.0.0": R(schema=1, day=200), "1.1.0": R(schema=1, day=100)})
    expect_one(
        tmp_path, files, "1.1.0.yaml:2 date-order",
        "1.1.0 is dated before every release of a lower version, so it is built upon none",
        "write 2026-07-20 or a later day, or mend the date of 1.0.0",
    )  # fmt: skip
    assert told(tmp_path, chain({"1.0.0": R(schema=1, day=9), "1.1.0": R(schema=1, day=9)})) == []


def test_two_branches_carry_one_step_alike(tmp_path: Path) -> None:
    files = chain(HOTFIX)
    files["2.0.1.yaml"] = files["2.0.1.yaml"].replace("sql/fix.expand", "sql/start.expand")
    expect_one(
        tmp_path, files, "2.0.1.yaml:8 step-differs",
        "1.0.1 carry the step fix.expand on two branches, with different content",
    )  # fmt: skip


def test_a_hotfix_server_that_needs_what_a_published_database_has_removed(tmp_path: Path) -> None:
    releases = {
        **HOTFIX,
        "2.0.2": replace(HOTFIX["2.0.1"], schema=3, steps=(), forms={"split": "old"}),
    }
    declared = {**releases, "3.0.0": replace(HOTFIX["3.0.0"], servers=">= 2.0.0")}
    for either in (releases, declared):
        expect_one(
            tmp_path, chain(either), "2.0.2.yaml:10 window-too-wide",
            "the server of 2.0.2 uses the old form of split, and the database of 3.0.0, released"
            " before it, accepts servers '>= 2.0.0' after the contract; let 2.0.2 use the new form",
        )  # fmt: skip


def test_a_release_without_a_database_package(tmp_path: Path) -> None:
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",), servers=">= 0.9.0"),
        "1.0.1": R(schema=1, package=False),
    }
    assert windows(tmp_path, chain(releases))[1] == "1.0.1 >= 1 >= 0.9.0"
    stepped = {**releases, "1.0.1": R(schema=2, steps=("expand:more",), package=False)}
    start = "1.0.1.yaml:9 database-left-out"
    expect_one(tmp_path, chain(stepped), start, "take 'package: false' out")
    said = {**releases, "1.0.1": R(schema=1, servers=">= 1.0.0", package=False)}
    start = "1.0.1.yaml:11 database-left-out"
    expect_one(tmp_path, chain(said), start, "take the window out, or 'package: false'")


def test_a_withdrawn_release_may_still_run_and_does_not_count(tmp_path: Path) -> None:
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",)),
        "2.0.0": R(schema=2, steps=("expand:split",), withdrawn="Loses jobs."),
        "2.0.1": R(schema=2, peers=">= 2.0.0"),
    }
    found = told(tmp_path, chain(releases))
    assert len(found) == 1
    assert "leaves out server 1.0.0, and 1.0.0 and 2.0.1 meet in an upgrade" in found[0]
    releases["2.0.1"] = R(schema=2, peers=">= 1.0.0")
    assert told(tmp_path, chain(releases)) == []


def test_a_rollout_passes_a_withdrawn_release_by(tmp_path: Path) -> None:
    """With 2.0.0 withdrawn there is no stop between 1.0.0 and 2.0.1 any more."""
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",), schemas=">= 1, < 3"),
        "2.0.0": R(schema=2, steps=("expand:split",), schemas=">= 1", forms={"split": "both"}),
        "2.0.1": R(schema=3, steps=("expand:more",)),
    }
    assert told(tmp_path, chain(releases, skew=0)) == []
    releases["2.0.0"] = replace(releases["2.0.0"], withdrawn="Loses jobs.")
    (problem,) = told(tmp_path, chain(releases, skew=0))
    assert "no order of steps leads from 1.0.0 to 2.0.1" in problem


def test_a_withdrawn_database_package_serves_nobody(tmp_path: Path) -> None:
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",)),
        "1.1.0": R(schema=2, steps=("expand:split",), withdrawn="Loses jobs."),
        "1.1.1": R(schema=2, package=False),
    }
    expect_one(
        tmp_path, chain(releases), "1.1.1.yaml:6 database-left-out",
        "the one before it, of 1.1.0, is withdrawn; take 'package: false' out",
    )  # fmt: skip
    releases["1.1.1"] = R(schema=2)
    assert told(tmp_path, chain(releases)) == []
