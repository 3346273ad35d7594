"""Problems of YAML itself, each with the line that an editor would jump to (hazards 3 and 4)."""

import pytest
import yaml

from toolchain.spec.located.node import Mark, Scalar, Table
from toolchain.spec.located.read_yaml import FAST_LOADER, read_yaml

CASES = {
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "3:1 duplicate-key", "here and on line 1"),
    "duplicate key in a list": ("- {a: 1, a: 2}\n", "1:10 duplicate-key", "keep one"),
    "quoted duplicate": ('a: 1\n"a": 2\n', "2:1 duplicate-key", "keep one"),
    "anchor": ("a: &x b\n", "1:4 yaml-alias", "'x' is not allowed"),
    "alias": ("a: *x\n", "1:4 yaml-alias", "write the value out"),
    "cycle": ("a: &x [*x]\n", "1:4 yaml-alias", "write the value out"),
    "merge key": ("<<: {a: b}\n", "1:1 yaml-alias", "merge key"),
    "Python tag": ("a: !!python/object/apply:os.system [id]\n", "1:4 yaml-tag", "delete it"),
    "string tag": ("a: !!str 1\n", "1:4 yaml-tag", "quotes make a value a string"),
    "local tag": ("a: !x 1\n", "1:4 yaml-tag", "'!x'"),
    "list as a key": ("? [a]\n: b\n", "1:3 yaml-key", "write 'key: value'"),
    "empty key": ("'': b\n", "1:1 yaml-key", "write 'key: value'"),
    "tab": ("a:\n\tb: c\n", "2:1 yaml-syntax", "indent with spaces"),
    "window without quotes": ("a: >= 4.0.0\n", "1:5 yaml-syntax", "in quotes"),
    "percent sign": ("a: %x\n", "1:4 yaml-syntax", "in quotes"),
    "colon": ("a: b: c\n", "1:5 yaml-syntax", "in quotes"),
    "open quote": ("a: 'b\nc: d\n", "1:4 yaml-syntax", "close the quotes"),
    "open bracket": ("a: [b\nc: d\n", "1:4 yaml-syntax", "close the bracket"),
    "lines without a key": ("a: b\nc\nd: e\n", "2:1 yaml-syntax", "key: value"),
    "bad indentation": ("a:\n  b: c\n d: e\n", "3:2 yaml-syntax", "indentation"),
    "escaped control": ('a: "\\u0007"\n', "1:4 control-character", "U+0007"),
    "escaped reordering": ('a: "\\u202e"\n', "1:4 control-character", "U+202E"),
    "after wide letters": ("größe: ü\nb: 1\nb: 2\n", "3:1 duplicate-key", "keep one"),
}  # fmt: skip


@pytest.mark.parametrize("loader", [FAST_LOADER, yaml.SafeLoader], ids=["libyaml", "python"])
@pytest.mark.parametrize("case", CASES)
def test_yaml(case: str, loader: type) -> None:
    text, start, words = CASES[case]
    first = read_yaml("f", text, loader=loader)[1][0]
    assert f"{first.origin.line}:{first.origin.column} {first.code.value}" == start
    assert words in f"{first.message}; {first.cure}"


@pytest.mark.parametrize("loader", [FAST_LOADER, yaml.SafeLoader], ids=["libyaml", "python"])
def test_bad_escapes(loader: type) -> None:
    _, (problem,) = read_yaml("f", 'a: "\\q"\n', loader=loader)
    assert problem.code.value == "yaml-syntax"
    assert "single quotes" in problem.cure


def test_an_exploding_document_is_refused_at_once() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    _, found = read_yaml("f", f"l0: &l0 [x]\n{levels}")
    assert {problem.code.value for problem in found} == {"yaml-alias"}
    assert len(found) <= 101


def test_several_problems_of_one_file_are_all_found() -> None:
    _, found = read_yaml("f", "a: 1\na: 2\nb: &x 3\nc: !!int 4\n")
    assert [problem.code.value for problem in found] == ["duplicate-key", "yaml-alias", "yaml-tag"]


def test_both_lines_of_a_duplicate_key_are_given() -> None:
    _, (problem,) = read_yaml("f", "a: 1\nb: 2\na: 3\n")
    assert (problem.origin.line, problem.related[0].origin.line) == (3, 1)


def test_columns_count_characters() -> None:
    root, _ = read_yaml("f", "{größe: 'ü', b: 𝄞, c: d}\n")
    assert isinstance(root, Table)
    assert root.scalar("c") == Scalar("d", plain=True, mark=Mark("f", 1, 23))
