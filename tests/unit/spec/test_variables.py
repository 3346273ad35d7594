"""`${NAME}` in values (hazard 13)."""

from pathlib import Path

import pytest

from tests.unit.spec.sample import SAMPLE, changed, expect_one, told, write
from toolchain.edge.directory import Directory
from toolchain.spec import check_product


def label(directory: Path, text: str, **environment: str) -> str:
    files = changed("4.1.0.yaml", '"${BUILD_LABEL}"', text)
    checked = check_product(Directory(write(directory, files)), environment)
    assert checked.product is not None, checked.problems
    return checked.product.releases[1].server.services[0].arguments[3]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"${BUILD_LABEL}"', "dev"),
        ("'a-${BUILD_LABEL}-b'", "a-dev-b"),
        ('"${BUILD_LABEL}${BUILD_LABEL}"', "devdev"),
        ('"$${BUILD_LABEL}"', "${BUILD_LABEL}"),
        ('"$BUILD_LABEL"', "$BUILD_LABEL"),
        ('"${"', "${"),
    ],
)
def test_references(tmp_path: Path, text: str, value: str) -> None:
    assert label(tmp_path, text) == value


def test_the_environment_comes_before_the_default(tmp_path: Path) -> None:
    assert (
        label(tmp_path, '"${BUILD_LABEL}"', BUILD_LABEL="42 {{ x }} ${HOME}")
        == "42 {{ x }} ${HOME}"
    )


def test_a_value_stays_a_string(tmp_path: Path) -> None:
    files = changed("product.yaml", "skew: 1", 'skew: "${BUILD_LABEL}"')
    (line,) = told(tmp_path, files, BUILD_LABEL="1")
    assert (
        "wrong-type: '1' is text, not a whole number; write a whole number without quotes or"
        in line
    )


def test_an_undeclared_variable_names_both_cures(tmp_path: Path) -> None:
    files = changed("4.1.0.yaml", "${BUILD_LABEL}", "${HOME}")
    start = "4.1.0.yaml:27 unknown-variable"
    expect_one(tmp_path, files, start, "declare it under 'environment'", "write $${HOME}")


def test_a_variable_without_default_must_be_set(tmp_path: Path) -> None:
    files = changed("product.yaml", "{default: dev}", "")
    assert told(tmp_path, files, BUILD_LABEL="x") == []
    expect_one(
        tmp_path, files, "4.1.0.yaml:27 unset-variable", "set BUILD_LABEL in the environment"
    )


def test_an_unused_variable_need_not_be_set(tmp_path: Path) -> None:
    assert (
        told(tmp_path, changed("product.yaml", "BUILD_LABEL:", "OTHER: {}\n  BUILD_LABEL:")) == []
    )


@pytest.mark.parametrize("value", ["a\x1bb", "a\udcffb", "a\x00b"])
def test_a_value_with_control_characters(tmp_path: Path, value: str) -> None:
    (line,) = told(tmp_path, SAMPLE, BUILD_LABEL=value)
    assert "4.1.0.yaml:27 control-character: the variable BUILD_LABEL holds" in line


def test_an_expanded_value_is_checked_like_any_other(tmp_path: Path) -> None:
    files = changed("product.yaml", "Apache-2.0", '"${BUILD_LABEL}"')
    label, line = told(tmp_path, files, BUILD_LABEL="MIT\nPre-Depends: x")
    assert label.startswith("4.1.0.yaml:27 one-line")
    assert line.startswith("product.yaml:7 licence: 'MIT\\nPre-Depends: x' is not")


def test_references_wait_for_a_readable_product_file(tmp_path: Path) -> None:
    expect_one(tmp_path, {**SAMPLE, "product.yaml": "a: [b\n"}, "product.yaml:1 yaml-syntax")


def test_a_default_is_no_reference(tmp_path: Path) -> None:
    files = changed("product.yaml", "{default: dev}", '{default: "${HOME}"}')
    checked = check_product(Directory(write(tmp_path, files)), {})
    assert checked.product is not None
    assert checked.product.releases[1].server.services[0].arguments[3] == "${HOME}"


def test_a_long_value_named_often_is_not_written_out(tmp_path: Path) -> None:
    files = changed("product.yaml", "default: dev", f"default: {'x' * 400_000}")
    files["4.1.0.yaml"] = files["4.1.0.yaml"].replace("${BUILD_LABEL}", "${BUILD_LABEL}" * 30_000)
    start = "4.1.0.yaml:27 file-size"
    expect_one(tmp_path, files, start, "the values of variables make the file larger")
