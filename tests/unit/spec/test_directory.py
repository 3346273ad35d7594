"""The edge's directory: what stands at a path, and never a way out of the product."""

import os
from pathlib import Path

import pytest

from toolchain.edge.directory import Directory
from toolchain.spec.tree import Tree


@pytest.fixture
def product(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("secret")
    root = tmp_path / "product"
    (root / "directory/below").mkdir(parents=True)
    (root / "file").write_text("text")
    (root / "link").symlink_to("file")
    (root / "absolute").symlink_to(root / "file")
    (root / "out").symlink_to("../outside")
    (root / "out-by-name").symlink_to("../product-2")
    (root / "nowhere").symlink_to("nothing")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "pipe")
    (tmp_path / "product-2").mkdir()
    return root


KINDS = {
    "file": "file",
    "link": "file",
    "absolute": "file",
    "directory": "directory",
    "": "directory",
    "nothing": "missing",
    "nothing/below": "missing",
    "file/below": "missing",
    "nowhere": "dangling",
    "loop": "dangling",
    "loop/below": "unreadable",
    "out": "escaping",
    "out/file": "escaping",
    "out/nothing": "escaping",
    "out-by-name": "escaping",
    "../outside": "escaping",
    "/etc/passwd": "missing",
    "pipe": "special",
    "nul\0": "missing",
    "x" * 300: "unreadable",
}


@pytest.mark.parametrize("path", KINDS, ids=lambda path: path[:20] or "(top)")
def test_look(product: Path, path: str) -> None:
    tree: Tree = Directory(product)
    assert tree.look(path).kind == KINDS[path]


def test_size_and_mode(product: Path) -> None:
    (product / "file").chmod(0o4750)
    found = Directory(product).look("file")
    assert (found.size, found.mode) == (4, 0o4750)


@pytest.mark.parametrize("path", ["file", "link"])
def test_a_file_that_this_user_may_not_read(
    product: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may read everything, so the kernel's answer stands in for another user's.
    monkeypatch.setattr(os, "access", lambda asked, mode: not (asked.endswith("file") and mode))
    assert Directory(product).look(path).kind == "unreadable"
    assert dict(Directory(product).walk(""))["file"].kind == "unreadable"


def test_names_are_sorted(product: Path) -> None:
    names = Directory(product).names()
    assert list(names) == sorted(names)
    assert "file" in names


def test_walk_tells_links_and_follows_none(product: Path) -> None:
    (product / "directory/below/link").symlink_to("../../..")
    (product / "directory/a b").write_text("x")
    walked = [
        (name, found.kind, found.leads_to) for name, found in Directory(product).walk("directory")
    ]
    assert walked == [
        ("a b", "file", ""),
        ("below", "directory", ""),
        ("below/link", "link", "../../.."),
    ]


def test_read_stops_at_its_limit(product: Path) -> None:
    assert Directory(product).read("file", 2) == b"te"


@pytest.mark.parametrize("path", ["out/file", "pipe", "directory", "nowhere", "../outside/file"])
def test_read_reads_files_of_the_product_only(product: Path, path: str) -> None:
    with pytest.raises(OSError, match=r".+"):
        Directory(product).read(path, 10)


@pytest.mark.parametrize(
    ("given", "shown"),
    [("specs/x", "specs/x/4.1.0.yaml"), (".", "4.1.0.yaml"), ("/a/b/", "/a/b/4.1.0.yaml")],
)
def test_files_are_shown_as_the_user_named_them(given: str, shown: str) -> None:
    assert Directory(Path(given)).shown("4.1.0.yaml") == shown


def test_a_product_reached_through_a_link(product: Path) -> None:
    (product.parent / "link").symlink_to("product")
    assert Directory(product.parent / "link").look("link").kind == "file"
