"""Whatever the bytes: a product, or problems that each have a place and a cure, in bounded time."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.spec.memory import Memory
from tests.unit.spec.sample import SAMPLE
from toolchain.spec import check_product
from toolchain.spec.report import REPORTS

FILES = {name: text.encode() for name, text in SAMPLE.items()}
SPECS = ["product.yaml", "4.0.0.yaml", "4.1.0.yaml"]
READ = [name for name in FILES if name.endswith((".yaml", ".sql"))]

# What breaks parsers, packages, shells, terminals and databases.
BITS = [
    "", " ", "\n", "\t", "\0", "\x1b[2J", "\r", "\u2028", "\u202e", "\ufeff", "𝄞", "é", "\ud7ff",
    "-", "- ", ":", ": ", "#", "&a ", "*a", "!!str ", "!x ", "|", ">", "%", "@", "`", "'", '"', "\\",
    "{", "}", "[", "]", "{}", "[]", "<<: ", "? ", "---\n", "...\n", "~", "null", "true", "no", "1.10",
    "0o17", "12:30:45", "-1", "9" * 400, "1e400", ".nan", "${BUILD_LABEL}", "${", "$${X}", "${X}",
    "../", "/etc/passwd", "//", "%(id)", "{{ 7 }}", "; DROP TABLE x; --", "$1", "\\i x", "COMMIT;",
    "['a'" * 60, "{a: " * 60, "[" * 60, "a: " * 60,
]  # fmt: skip


def check(files: dict[str, bytes], **environment: str) -> None:
    # Of this process alone, however busy the machine is.
    started = time.process_time()
    checked = check_product(Memory(files), environment)
    assert bool(checked.problems) == (checked.product is None)
    for problem in checked.problems:
        assert problem.origin.line >= 1
        assert problem.origin.column >= 1
        assert str(problem).isprintable(), problem
        assert problem.message
        assert problem.cure
    for report in REPORTS.values():
        report(checked.problems).encode()
    assert time.process_time() - started < 5


@settings(deadline=None)
@given(st.sampled_from(READ), st.binary(max_size=300))
def test_any_bytes(name: str, data: bytes) -> None:
    check({**FILES, name: data})


@settings(deadline=None)
@given(st.sampled_from(READ), st.text(max_size=300))
def test_any_text(name: str, text: str) -> None:
    check({**FILES, name: text.encode("utf-8", "surrogatepass")})


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(READ), st.data())
def test_a_sound_file_with_pieces_replaced(name: str, data: st.DataObject) -> None:
    text = SAMPLE[name]
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(begin, min(len(text), begin + 40)))
        bit = data.draw(st.sampled_from(BITS) | st.text(max_size=8))
        text = text[:begin] + bit + text[end:]
    check({**FILES, name: text.encode("utf-8", "surrogatepass")})


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(SPECS), st.data())
def test_a_sound_file_with_values_replaced(name: str, data: st.DataObject) -> None:
    """Whole values, so that the structure holds and the checks behind it are reached."""
    lines = SAMPLE[name].split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key, colon, _ = lines[at].partition(": ")
        value = data.draw(
            st.sampled_from(BITS)
            | st.text(max_size=12).map(lambda text: f"'{text}'")
            | st.sampled_from(
                ["4.0.0", "4.1.0", "11", "12", '">= 11, < 12"', "[a, a]", "{a: b}", "web"]
            )
        )
        lines[at] = f"{key}{colon}{value}" if colon else value
    check({**FILES, name: "\n".join(lines).encode("utf-8", "surrogatepass")})


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SPECS), st.data())
def test_lines_moved_doubled_and_lost(name: str, data: st.DataObject) -> None:
    lines = SAMPLE[name].split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at, to = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match data.draw(st.sampled_from(["move", "double", "lose"])):
            case "move":
                lines.insert(to, lines.pop(at))
            case "double":
                lines.insert(to, lines[at])
            case _:
                lines[at] = ""
    check({**FILES, name: "\n".join(lines).encode()})


@settings(deadline=None)
@given(st.text(max_size=50))
def test_any_value_of_a_variable(text: str) -> None:
    check(FILES, BUILD_LABEL=text)


LARGE = {
    "brackets": "[" * 1_000_000,
    "braces": "{a: " * 250_000,
    "dashes": "- " * 500_000,
    "questions": "? " * 500_000,
    "keys": "".join(f"key{number}: x\n" for number in range(70_000)),
    "items": "changelog:\n" + "- x\n" * 49_000,
    "variables": "environment:\n" + "".join(f"  A{number}: {{}}\n" for number in range(12_000)),
    "steps": "schema:\n  expand:\n" + "  - {change: a, sql: b}\n" * 9_000,
    "one line": "summary: " + "x" * 1_000_000,
    "one path": "payload: " + "a/" * 500_000,
    "references": "summary: '" + "${X}" * 200_000 + "'",
    "open references": "summary: '" + "${" * 400_000 + "'",
    "quotes": "summary: " + "'" * 1_000_000,
    "anchors": "a: [" + "&a a, " * 40_000 + "]",
    "comments": "#\n" * 500_000,
    "blank lines": "a: |\n" + "\n" * 1_000_000,
    "wide letters": "a: " + "𝄞" * 250_000,
    "one word": "a" * 1_000_000,
    "flow keys": "{" + "a, " * 300_000 + "}",
    "digits": "skew: " + "9" * 1_000_000,
    "version": "release: " + "1." * 500_000,
    "window": "compatibility: {server: {schema: '" + ">=" * 500_000 + "'}}",
}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("case", LARGE)
def test_large_files_take_bounded_time(case: str, name: str) -> None:
    check({**FILES, name: LARGE[case].encode()})


def test_a_directory_full_of_strange_names(tmp_path: Path) -> None:
    names = [
        os.fsdecode(b"\xff.yaml"),
        "a\nb.yaml",
        "\x1b[2J.yaml",
        "..yaml",
        "%s.yaml",
        "-rf.yaml",
    ]
    check({**FILES, **dict.fromkeys(names, b"x")})
