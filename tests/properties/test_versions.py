"""The one mapping of versions orders alike here, in dpkg and in rpm."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.strategies import versions
from toolchain.model.version import Version

PAIRS = st.lists(st.tuples(versions(), versions()), min_size=30, max_size=30)


def sign(left: Version, right: Version) -> int:
    return (left > right) - (left < right)


def dpkg_sign(left: str, right: str) -> int:
    def holds(operator: str) -> bool:
        argv = ("dpkg", "--compare-versions", left, operator, right)
        return subprocess.run(argv, check=False).returncode == 0

    return holds("gt") - holds("lt")


def rpm_signs(pairs: list[tuple[str, str]]) -> list[int]:
    calls = "".join(f'print(rpm.vercmp("{left}", "{right}") .. "\\n")' for left, right in pairs)
    argv = ("rpm", "--eval", f"%{{lua: {calls}}}")
    run = subprocess.run(argv, check=True, capture_output=True, text=True)
    return [int(line) for line in run.stdout.split()]


@settings(max_examples=15, deadline=None)
@given(PAIRS)
def test_dpkg_orders_packaged_versions_as_the_model_does(pairs: list[tuple[Version, Version]]):
    for left, right in pairs[:10]:
        assert dpkg_sign(left.packaged, right.packaged) == sign(left, right)


@settings(max_examples=30, deadline=None)
@given(PAIRS)
def test_rpm_orders_packaged_versions_as_the_model_does(pairs: list[tuple[Version, Version]]):
    packaged = [(left.packaged, right.packaged) for left, right in pairs]
    assert rpm_signs(packaged) == [sign(left, right) for left, right in pairs]


@settings(max_examples=100)
@given(versions())
def test_a_version_is_read_back_as_it_was_written(version: Version):
    assert Version.parse(str(version)) == version


@pytest.mark.parametrize("revision", ["1", "2", "10"])
def test_a_revision_keeps_a_version_on_its_side_of_every_bound_that_windows_use(revision: str):
    """`<<` and `>=` against a bare version; `>>` would be wrong, so windows don't have it."""
    for version in ("4.1.0", "4.1.0~rc1"):
        packaged = f"{version}-{revision}"
        assert dpkg_sign(packaged, version) == 1
        assert dpkg_sign(packaged, "4.1.1") == -1
    assert dpkg_sign(f"4.1.0~rc1-{revision}", "4.1.0") == -1


@pytest.mark.parametrize(
    "text",
    ["1.0", "1.0.0.0", "1.0.rc1", "1.0.0-rc", "1.0.0-rc.1", "1.0.0-rc01", "01.0.0", "1.0.0_1"]
    + ["1.0.0~rc1", "1:1.0.0", "1.2.0-5-gabc", "v1.0.0", "", "1.0.0\n", "1.0.0-RC1", "１.0.0"],
)
def test_what_the_two_formats_read_differently_is_outside_the_grammar(text: str):
    with pytest.raises(ValueError, match=r"X\.Y\.Z"):
        Version.parse(text)
