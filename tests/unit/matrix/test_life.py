"""The life of a change: its phases, its users, and when its old form may go."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.spec.chains import R, chain
from tests.unit.spec.sample import write
from toolchain.edge.directory import Directory
from toolchain.matrix.life import Life, life_of
from toolchain.model.change import Form, Phase
from toolchain.spec import check_product

STARTED = {"1.0.0": R(schema=1, steps=("expand:start",)), "1.1.0": R(schema=1)}
EXPANDED = {**STARTED, "2.0.0": R(schema=2, steps=("expand:split", "migrate:split"))}


def life(tmp_path: Path, releases: dict[str, R], *, skew: int) -> Life:
    checked = check_product(Directory(write(tmp_path, chain(releases, skew=skew))), {})
    assert checked.product is not None, [str(problem) for problem in checked.problems]
    return life_of(checked.product, "split")


def test_phases_and_users(tmp_path: Path) -> None:
    found = life(tmp_path, {**EXPANDED, "3.0.0": R(schema=3, steps=("contract:split",))}, skew=1)
    assert [(moment.phase, str(moment.release)) for moment in found.moments] == [
        (Phase.EXPAND, "2.0.0"), (Phase.MIGRATE, "2.0.0"), (Phase.CONTRACT, "3.0.0"),
    ]  # fmt: skip
    assert [str(use.release) for use in found.users(Form.OLD)] == ["1.0.0", "1.1.0"]
    assert [str(use.release) for use in found.users(Form.NEW)] == ["2.0.0", "3.0.0"]
    assert (str(found.ready), str(found.contracted)) == ("2.0.0", "3.0.0")
    assert (found.blocking, found.wait) == ((), 0)


@pytest.mark.parametrize(
    ("skew", "blocking", "wait"),
    [(0, [], 0), (1, [], 0), (2, ["1.1.0"], 1), (3, ["1.0.0", "1.1.0"], 2)],
)
def test_the_old_form_stays_while_a_server_in_reach_needs_it(
    tmp_path: Path, skew: int, blocking: list[str], wait: int
) -> None:
    found = life(tmp_path, EXPANDED, skew=skew)
    assert [str(use.release) for use in found.blocking] == blocking
    assert found.wait == wait
    # A contract in the release that may have it is none too early, and one before it is.
    later = {f"3.{at}.0": R(schema=2) for at in range(wait)}
    contract = {"4.0.0": R(schema=3, steps=("contract:split",))}
    for count, expected in ((wait, True), (wait - 1, False)):
        if count >= 0:
            releases = {**EXPANDED, **dict(list(later.items())[:count]), **contract}
            files = write(tmp_path / str(count), chain(releases, skew=skew))
            checked = check_product(Directory(files), {})
            assert (checked.product is not None) == expected


def test_a_server_that_stays_with_the_old_form_says_so(tmp_path: Path) -> None:
    releases = {**EXPANDED, "2.0.0": replace(EXPANDED["2.0.0"], forms={"split": "old"})}
    (use,) = (use for use in life(tmp_path, releases, skew=1).blocking if use.declared)
    assert str(use.release) == "2.0.0"


def test_an_unknown_change_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        life(tmp_path, STARTED, skew=1)
