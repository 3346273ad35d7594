"""Problems of the directory and of whole files (hazards 3, 4, 5)."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.spec.memory import Memory, Stored
from tests.unit.spec.sample import PRODUCT, SAMPLE, expect_one, problems, told, write
from toolchain.spec import check_product
from toolchain.spec.codes import Code
from toolchain.spec.tree import Kind


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    listed = told(tmp_path / "nowhere", {})
    assert len(listed) == 1
    assert "unreadable: the directory cannot be read: No such file or directory" in listed[0]


def test_an_empty_directory(tmp_path: Path) -> None:
    assert "no-product: the directory has no product.yaml" in told(tmp_path, {"README.md": "x"})[0]


def test_a_product_below_the_directory_is_named(tmp_path: Path) -> None:
    (line,) = told(tmp_path, {f"shop/{name}": text for name, text in SAMPLE.items()})
    assert f"name one that has: '{tmp_path}/shop'" in line


def test_a_product_file_by_another_name(tmp_path: Path) -> None:
    files = {"products.yaml" if name == "product.yaml" else name: SAMPLE[name] for name in SAMPLE}
    listed = told(tmp_path, files)
    assert any("no-product" in line and "rename products.yaml" in line for line in listed)


def test_a_product_without_releases(tmp_path: Path) -> None:
    expect_one(tmp_path, {"product.yaml": PRODUCT}, "product.yaml:1 no-release", "1.0.0.yaml")


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("4.2.yaml", "rename it 4.2.0.yaml"),
        ("v4.2.0.yaml", "rename it 4.2.0.yaml"),
        ("4.2.0.rc.1.yaml", "rename it 4.2.0-rc1.yaml"),
        ("4.2.0.yml", "rename it 4.2.0.yaml"),
        ("notes.yaml", "name it VERSION.yaml"),
    ],
)
def test_file_names(tmp_path: Path, name: str, cure: str) -> None:
    expect_one(tmp_path, {**SAMPLE, name: "x"}, f"{name}:1 file-name", cure)


def test_a_release_by_another_name_is_no_missing_one(tmp_path: Path) -> None:
    files = {"4.1.yaml" if name == "4.1.0.yaml" else name: SAMPLE[name] for name in SAMPLE}
    expect_one(tmp_path, files, "4.1.yaml:1 file-name", "rename it 4.1.0.yaml")


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    others = {".4.1.0.yaml.swp": "", ".hidden.yaml": "", "4.1.0.yaml~": "", "README.md": ""}
    assert told(tmp_path, {**SAMPLE, **others}) == []


BYTES = {
    "nothing": (b"", "empty-file", 1, "the file is empty"),
    "comments": (b"# only\n\n", "empty-file", 1, "the file is empty"),
    "nul": (b"release: 4.1.0\ndate: \x00\n", "control-character", 2, "U+0000"),
    "escape": (b"release: \x1b[2J4.1.0\n", "control-character", 1, "U+001B"),
    "latin-1": (b"release: 4.1.0\nchangelog: [gr\xfc\xdfe]\n", "encoding", 2, "0xFC is not UTF-8"),
    "surrogate": (b"release: \xed\xa0\x80\n", "encoding", 1, "0xED is not UTF-8"),
    "byte order mark": (b"\xef\xbb\xbfrelease: 4.1.0\n", "encoding", 1, "byte order mark"),
    "UTF-16": ("release: 4.1.0".encode("utf-16"), "encoding", 1, "byte order mark"),
    "other line breaks": ("a: b\u2028c: d\n".encode(), "control-character", 1, "U+2028"),
    "reordering": ("a: \u202eb\n".encode(), "control-character", 1, "U+202E"),
    "carriage return": (b"a: b\rc: d\n", "control-character", 1, "U+000D"),
    "too large": (b"#" * (1 << 20) + b"\n", "file-size", 1, "keep a spec below 1 MiB"),
    "too many values": (b"- a\n" * 60_000, "file-size", 50_000, "more than 50000 values"),
    "too deep": (b"[" * 500, "yaml-depth", 1, "nested more than 50 deep"),
    "two documents": (b"a: b\n---\nc: d\n", "yaml-documents", 2, "a second YAML document"),
    "binary": (bytes(range(256)), "encoding", 2, "0x80 is not UTF-8"),
}


@pytest.mark.parametrize("case", BYTES)
def test_bytes(tmp_path: Path, case: str) -> None:
    data, code, line, words = BYTES[case]
    write(tmp_path, SAMPLE)
    (tmp_path / "4.1.0.yaml").write_bytes(data)
    listed = told(tmp_path, {})
    start = f"4.1.0.yaml:{line} {code}:"
    assert any(line.startswith(start) and words in line for line in listed), listed


def test_windows_line_ends_are_line_ends(tmp_path: Path) -> None:
    files = {**SAMPLE, "4.1.0.yaml": SAMPLE["4.1.0.yaml"].replace("\n", "\r\n")}
    assert told(tmp_path, files) == []


def test_a_spec_must_be_a_file_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "product", SAMPLE)
    (tmp_path / "outside.yaml").write_text("release: 5.0.0\n")
    (tmp_path / "product/5.0.0.yaml").symlink_to("../outside.yaml")
    (tmp_path / "product/5.1.0.yaml").mkdir()
    (tmp_path / "product/5.2.0.yaml").symlink_to("nowhere")
    os.mkfifo(tmp_path / "product/5.3.0.yaml")
    words = ["leads out of the product", "is a directory", "leads nowhere", "a device, a socket"]
    for line, word in zip(told(tmp_path / "product", {}), words, strict=True):
        assert "file-kind" in line
        assert word in line


def test_a_link_inside_the_product_is_as_good_as_a_file(tmp_path: Path) -> None:
    write(tmp_path, {**SAMPLE, "specs/4.1.0": SAMPLE["4.1.0.yaml"]})
    (tmp_path / "4.1.0.yaml").unlink()
    (tmp_path / "4.1.0.yaml").symlink_to("specs/4.1.0")
    assert told(tmp_path, {}) == []


def test_at_most_a_hundred_problems_a_file(tmp_path: Path) -> None:
    files = {**SAMPLE, "4.1.0.yaml": "".join(f"key{number}: x\n" for number in range(5000))}
    found = problems(tmp_path, files)
    assert len(found) == 101
    assert found[-1].code.value == "too-many-problems"


class Unreadable(Memory):
    """A product whose files may be listed and not read."""

    def __init__(self, files: dict[str, str], closed: str) -> None:
        super().__init__({name: text.encode() for name, text in files.items()})
        self._closed = closed

    def read(self, path: str, limit: int) -> bytes:
        if path == self._closed:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return super().read(path, limit)

    def walk(self, path: str) -> Iterator[tuple[str, Stored]]:
        if path == self._closed:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return super().walk(path)


@pytest.mark.parametrize(
    ("closed", "place"),
    [
        ("4.1.0.yaml", "product/4.1.0.yaml:1"),
        ("sql/12-drop-os-name.sql", "product/4.1.0.yaml:17"),
        ("payload/lib", "product/4.1.0.yaml:35"),
    ],
)
def test_files_that_may_not_be_read(closed: str, place: str) -> None:
    (problem,) = check_product(Unreadable(SAMPLE, closed), {}).problems
    assert f"{problem.origin.file}:{problem.origin.line}" == place
    assert problem.code is Code.UNREADABLE
    assert problem.message.endswith("cannot be read: Permission denied")


@pytest.mark.parametrize(
    ("closed", "kind"), [("payload/web", "unreadable"), ("payload/web", "link")]
)
def test_other_kinds_of_sources(closed: str, kind: Kind) -> None:
    class Odd(Memory):
        def look(self, path: str) -> Stored:
            return Stored(kind) if path == closed else super().look(path)

    found = check_product(Odd({name: text.encode() for name, text in SAMPLE.items()}), {}).problems
    assert {problem.code for problem in found} <= {Code.UNREADABLE, Code.SOURCE_SPECIAL}
    assert len(found) == 2
