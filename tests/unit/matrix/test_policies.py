"""What each rollout policy costs in servers that know two forms."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from tests.unit.spec.chains import R, chain
from tests.unit.spec.sample import write
from toolchain.edge.directory import Directory
from toolchain.matrix.policies import ChangeCost, compare_policies
from toolchain.model.release import RolloutPolicy
from toolchain.spec import check_product

FIRST, ANY = RolloutPolicy.DATABASE_FIRST, RolloutPolicy.ANY_ORDER
RELEASES = {
    "1.0.0": R(schema=1, steps=("expand:start",)),
    "2.0.0": R(schema=2, steps=("expand:split",)),
    "2.1.0": R(schema=2),
    "3.0.0": R(schema=3, steps=("contract:split",)),
}


def costs(tmp_path: Path, releases: dict[str, R], skew: int) -> dict[str, ChangeCost]:
    checked = check_product(Directory(write(tmp_path, chain(releases, skew=skew))), {})
    assert checked.product is not None, [str(problem) for problem in checked.problems]
    return {cost.change: cost for cost in compare_policies(checked.product)}


def test_database_first_costs_nothing_and_any_order_the_reach(tmp_path: Path) -> None:
    split = costs(tmp_path, RELEASES, 1)["split"]
    assert split.cost(FIRST).releases == ()
    assert split.cost(FIRST).days == 0
    dual = split.cost(ANY)
    assert [str(version) for version in dual.releases] == ["2.0.0"]
    assert (dual.since, dual.until) == (date(2026, 1, 31), date(2026, 3, 2))
    assert (str(dual.single), dual.days) == ("2.1.0", 30)


def test_a_longer_reach_costs_longer_and_may_last(tmp_path: Path) -> None:
    releases = {**RELEASES, "3.0.0": R(schema=3, steps=("expand:more",))}
    found = costs(tmp_path, releases, 2)
    assert [str(version) for version in found["split"].cost(ANY).releases] == ["2.0.0", "2.1.0"]
    assert str(found["split"].cost(ANY).single) == "3.0.0"
    more = found["more"].cost(ANY)
    assert [str(version) for version in more.releases] == ["3.0.0"]
    assert (more.single, more.until, more.days) == (None, None, None)


def test_a_later_hotfix_does_not_prolong_it(tmp_path: Path) -> None:
    releases = {
        "1.0.0": R(schema=1, steps=("expand:start",), day=0),
        "1.1.0": R(schema=2, steps=("expand:split",), day=31),
        "1.1.1": R(schema=2, day=243),
        "1.2.0": R(schema=2, day=59),
    }
    dual = costs(tmp_path, releases, 1)["split"].cost(ANY)
    assert [str(version) for version in dual.releases] == ["1.1.0"]
    assert (str(dual.single), dual.days) == ("1.2.0", 28)


def test_a_declared_both_is_told_apart(tmp_path: Path) -> None:
    releases = {**RELEASES, "2.0.0": replace(RELEASES["2.0.0"], forms={"split": "both"})}
    split = costs(tmp_path, releases, 1)["split"]
    assert [str(version) for version in split.declared] == ["2.0.0"]
    assert split.cost(ANY).releases == split.cost(FIRST).releases == ()


def test_a_first_release_has_nothing_before_it(tmp_path: Path) -> None:
    start = costs(tmp_path, RELEASES, 1)["start"]
    assert start.cost(ANY).releases == ()
    assert str(start.ready) == "1.0.0"
    assert start.contracted is None
