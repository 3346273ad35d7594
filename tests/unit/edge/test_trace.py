"""A trace takes the place of a file only when it is whole, and of nothing else."""

import os
import stat
import threading
from pathlib import Path

import pytest

from toolchain.edge.trace import trace_file


def test_a_run_that_breaks_off_leaves_what_was_there(tmp_path: Path):
    path = tmp_path / "trace"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        broken_off(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def broken_off(path: Path) -> None:
    with trace_file(path) as tell:
        tell(1, 60, "host00001 boots")
        raise KeyboardInterrupt


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    with trace_file(pipe) as tell:
        tell(1, 60, "host00001 boots")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    reader.join(60)
    assert read == ["1 60 host00001 boots\n"]
