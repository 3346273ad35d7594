"""The door to processes closes with its block, and nothing runs on."""

import os
import threading
from pathlib import Path

import pytest

from toolchain.edge.process import Command, Finished, Processes
from toolchain.errors import ToolError


def test_what_runs_ends_with_the_block_and_nothing_else_begins(tmp_path: Path) -> None:
    done: list[Finished] = []
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    with Processes() as processes:
        # It opens the pipe, which is waited for, and then runs for ever.
        command = Command(argv=("sh", "-c", 'echo >"$0"; exec tail -f /dev/null', str(begun)))
        thread = threading.Thread(
            target=lambda: done.append(processes.finish(command)), daemon=True
        )
        thread.start()
        begun.read_text()
    thread.join(60)
    assert [one.code for one in done] == [-15]
    with pytest.raises(ToolError, match="was not started"):
        processes.run(Command(argv=("true",)))
