"""Windows that follow from changes, phases and forms, against those that specs declare."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.spec.chains import R, chain
from tests.unit.spec.sample import expect_one, problems, told, write
from toolchain.edge.directory import Directory
from toolchain.spec import check_product

SPLIT = {
    "1.0.0": R(schema=1, steps=("expand:start",)),
    "2.0.0": R(schema=2, steps=("expand:split", "migrate:split")),
    "3.0.0": R(schema=3, steps=("contract:split",)),
}


def windows(tmp_path: Path, files: dict[str, str]) -> list[str]:
    """Each release's window of schemas and of servers, as its packages will say them."""
    checked = check_product(Directory(write(tmp_path, files)), {})
    assert checked.product is not None, [str(problem) for problem in checked.problems]
    return [
        f"{release.version} {release.server.schemas} {release.database.servers}"
        for release in checked.product.releases
    ]


def test_windows_that_nobody_declares_are_as_wide_as_the_truth(tmp_path: Path) -> None:
    assert windows(tmp_path, chain(SPLIT)) == [
        "1.0.0 >= 1 >= 1.0.0",
        "2.0.0 >= 2 >= 1.0.0",
        "3.0.0 >= 2 >= 2.0.0",
    ]


def test_under_any_order_a_server_keeps_both_forms_while_it_may_meet_the_old(
    tmp_path: Path,
) -> None:
    releases = {**SPLIT, "3.0.0": R(schema=2), "4.0.0": R(schema=3, steps=("contract:split",))}
    assert windows(tmp_path, chain(releases, rollout="any-order")) == [
        "1.0.0 >= 1 >= 1.0.0",
        "2.0.0 >= 1 >= 1.0.0",
        "3.0.0 >= 2 >= 1.0.0",
        "4.0.0 >= 2 >= 2.0.0",
    ]


def test_data_that_a_later_release_moves_are_ready_then(tmp_path: Path) -> None:
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",)),
        "2.0.0": R(schema=2, steps=("expand:split",)),
        "3.0.0": R(schema=3, steps=("migrate:split",)),
        "4.0.0": R(schema=4, steps=("contract:split",)),
    }
    assert windows(tmp_path, chain(releases))[1:] == [
        "2.0.0 >= 1 >= 1.0.0",
        "3.0.0 >= 3 >= 1.0.0",
        "4.0.0 >= 3 >= 3.0.0",
    ]


def test_a_server_that_does_without_an_index(tmp_path: Path) -> None:
    releases = {**SPLIT, "2.0.0": replace(SPLIT["2.0.0"], forms={"split": "both"})}
    assert windows(tmp_path, chain(releases))[1] == "2.0.0 >= 1 >= 1.0.0"


def test_a_server_that_promises_an_older_schema_than_it_can_use(tmp_path: Path) -> None:
    files = chain({**SPLIT, "2.0.0": replace(SPLIT["2.0.0"], schemas=">= 1")})
    expect_one(
        tmp_path, files, "2.0.0.yaml:14 window-too-wide",
        "'>= 1' is too wide: the server of 2.0.0 uses only the new form of split, and shards of"
        " 1.0.0 (schema 1) do not have it ready",
        "write '>= 2', or let the server do without it (server.forms: {split: both})",
    )  # fmt: skip
    (problem,) = problems(tmp_path, files)
    (step,) = problem.related
    assert (Path(step.origin.file).name, step.origin.line) == ("2.0.0.yaml", 10)
    assert step.message == "2.0.0 makes split ready, with schema 2"


def test_a_repair_names_every_change_in_the_way(tmp_path: Path) -> None:
    steps = ("expand:split", "expand:more", "expand:later")
    releases = {
        "1.0.0": SPLIT["1.0.0"],
        "2.0.0": R(schema=2, steps=steps, schemas=">= 1"),
        "3.0.0": R(schema=3, steps=("migrate:later",)),
    }
    files = chain(releases)
    repair = "server.forms: {more: both, split: both}"
    expect_one(tmp_path, files, "2.0.0.yaml:14 window-too-wide", repair)
    releases["2.0.0"] = replace(releases["2.0.0"], forms={"more": "both", "split": "both"})
    assert told(tmp_path, chain(releases)) == []


def test_a_hotfix_is_not_taken_for_the_release_that_makes_a_change_ready(tmp_path: Path) -> None:
    releases = {
        "1.0.0": SPLIT["1.0.0"],
        "1.0.1": R(schema=1, steps=("expand:fix",), forms={"fix": "both"}, day=45),
        "1.1.0": R(schema=2, steps=("expand:split",), day=30),
        "1.2.0": R(schema=3, steps=("expand:fix",), schemas=">= 2"),
    }
    (problem,) = problems(tmp_path, chain(releases))
    assert [related.message for related in problem.related] == [
        "1.2.0 makes fix ready, with schema 3"
    ]


def test_a_database_that_promises_an_older_server_than_it_bears(tmp_path: Path) -> None:
    releases = {**SPLIT, "3.0.0": replace(SPLIT["3.0.0"], servers=">= 1.0.0")}
    # With a skew of 2, the truth would not be enough.
    expect_one(
        tmp_path, chain(releases, skew=2), "3.0.0.yaml:12 window-too-wide",
        "3.0.0 contracts; move the contract to a later release",
    )  # fmt: skip
    files = chain(releases)
    expect_one(
        tmp_path, files, "3.0.0.yaml:12 window-too-wide",
        "'>= 1.0.0' is too wide: the server of 1.0.0 uses the old form of split, which 3.0.0"
        " contracts; write '>= 2.0.0', or move the contract to a later release",
    )  # fmt: skip
    (problem,) = problems(tmp_path, files)
    places = [(Path(other.origin.file).name, other.origin.line) for other in problem.related]
    assert places == [("3.0.0.yaml", 8), ("1.0.0.yaml", 1)]


def test_a_ceiling_that_keeps_the_falsehood_out_is_no_falsehood(tmp_path: Path) -> None:
    releases = {**SPLIT, "1.0.0": replace(SPLIT["1.0.0"], servers=">= 0.1.0, < 2.0.0")}
    assert "too-wide" not in "".join(told(tmp_path, chain(releases, skew=0)))


@pytest.mark.parametrize("declared", [None, ">= 2.0.0"])
def test_a_contract_that_comes_too_early_for_the_skew(tmp_path: Path, declared: str | None) -> None:
    """With a window that is declared or derived, the change is named that forbids a wider one."""
    files = chain({**SPLIT, "3.0.0": replace(SPLIT["3.0.0"], servers=declared)}, skew=2)
    expect_one(
        tmp_path, files, f"3.0.0.yaml:{12 if declared else 8} window-too-narrow",
        "the window '>= 2.0.0' leaves out server 1.0.0",
        "it cannot be wider, since the server of 1.0.0 uses the old form of split, which 3.0.0"
        " contracts; move the contract to a later release",
    )  # fmt: skip


def test_new_forms_alone_under_any_order(tmp_path: Path) -> None:
    files = chain(
        {**SPLIT, "2.0.0": replace(SPLIT["2.0.0"], forms={"split": "new"})}, rollout="any-order"
    )
    expect_one(
        tmp_path, files, "2.0.0.yaml:14 window-too-narrow",
        "the window '>= 2' leaves out schema 1", "(rollout any-order, skew 1)",
        "uses only the new form of split", "server.forms: {split: both}",
    )  # fmt: skip


def test_a_window_that_could_be_wider_is_a_hint(tmp_path: Path) -> None:
    files = chain({**SPLIT, "3.0.0": replace(SPLIT["3.0.0"], schemas=">= 3")})
    checked = check_product(Directory(write(tmp_path, files)), {})
    assert checked.product is not None
    (hint,) = checked.hints
    assert hint.code.value == "window-could-be-wider"
    assert hint.code.is_hint
    assert "'>= 3' could begin at '>= 2'" in hint.message
    assert (Path(hint.origin.file).name, hint.origin.line) == ("3.0.0.yaml", 12)


FORMS = {
    "unknown": ("2.0.0", {"spilt": "new"}, "15 form-unknown", ("write split",)),
    "later": ("1.0.0", {"split": "both"}, "12 form-unknown", ("1.0.0 comes before the change",)),
    "not ready": ("2.0.0", {"move": "new"}, "15 form-not-ready", ("before a later release",)),
    "gone": ("3.0.0", {"split": "old"}, "14 form-gone", ("contracted by then",)),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_forms(tmp_path: Path, case: str) -> None:
    version, forms, start, words = FORMS[case]
    releases = {
        **SPLIT,
        "2.0.0": replace(SPLIT["2.0.0"], steps=(*SPLIT["2.0.0"].steps, "expand:move")),
        "3.0.0": replace(SPLIT["3.0.0"], steps=(*SPLIT["3.0.0"].steps, "migrate:move")),
    }
    releases[version] = replace(releases[version], forms=forms)
    expect_one(tmp_path, chain(releases), f"{version}.yaml:{start}", *words)
