"""What a server's host remembers is there whole or not at all, on a real file system that is full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain.runner.core.errors import ConfigurationError
from toolchain.runner.core.law import Handshake
from toolchain.runner.core.version import Versions
from toolchain.runner.server.agent_state import AgentFolder, AgentState, ShardState
from toolchain.runner.server.reading import Memory, Reading

HANDSHAKE = Handshake(11, Versions("3.9.0"))


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for files and for nothing in them."""
    if os.geteuid() != 0:
        pytest.fail("run the tests as root: this one mounts a small file system")
    place = tmp_path / "full"
    place.mkdir()
    subprocess.run(("mount", "-t", "tmpfs", "-o", "size=64k", "none", place), check=True)
    try:
        (place / "shards").mkdir()
        Memory(place).keep("north", Reading(HANDSHAKE, 1.0))
        AgentFolder(place).write(AgentState({"north": ShardState(HANDSHAKE, 1, 1)}))
        with pytest.raises(OSError, match="No space left"):
            (place / "filler").write_bytes(bytes(100_000))
        yield place
    finally:
        subprocess.run(("umount", place), check=True)


def test_a_full_disk_keeps_what_was_there_and_nothing_else(full: Path) -> None:
    before = sorted(full.rglob("*"))
    with pytest.raises(ConfigurationError, match="No space left"):
        Memory(full).keep("north", Reading(HANDSHAKE, 2.0))
    with pytest.raises(ConfigurationError, match=r"No space left.*make room"):
        AgentFolder(full).write(AgentState())
    assert sorted(full.rglob("*")) == before
    assert Memory(full).last("north") == Reading(HANDSHAKE, 1.0)
    assert AgentFolder(full).read() == AgentState({"north": ShardState(HANDSHAKE, 1, 1)})
