"""A file is replaced as a whole; what is no file is left in its place."""

import os
import stat
import threading
from pathlib import Path

import pytest

from toolchain.edge.whole_file import write_whole


def test_a_device_is_written_to_and_stays_one(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_whole(pipe, b"text")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    reader.join(60)
    assert read == [b"text"]


def test_a_link_stays_a_link(tmp_path: Path):
    (tmp_path / "file").write_text("before")
    (tmp_path / "link").symlink_to("file")
    write_whole(tmp_path / "link", b"after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "after"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "link"}


def test_a_directory_is_no_place_for_a_file(tmp_path: Path):
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, b"text")
    assert list(tmp_path.iterdir()) == []
