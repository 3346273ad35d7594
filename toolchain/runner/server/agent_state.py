"""What the shard agent remembers: each shard's last reading, and why there is no newer one."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from ..core.document import Value, read_document
from ..core.errors import Busy, ConfigurationError, RunnerError
from ..core.law import Handshake
from ..core.written import read_versions
from .whole_file import write_whole

# Seconds; long enough for a removal of the server that somebody has made ready.
PAUSE = 3600
_FORMAT = 1
_WORK = "work-"
_BETWEEN_TRIES = 0.1


@dataclass(frozen=True)
class ShardState:
    """One shard; `read` and `tried` are this host's clock, in seconds since 1970.

    `problem` is why the last try did not end with a package of what the shard says.
    """

    handshake: Optional[Handshake]  # noqa: UP045 - evaluated, and Python is 3.9
    read: int
    tried: int
    problem: str = ""


@dataclass(frozen=True)
class AgentState:
    """All shards by name; until `paused_until` the timer leaves the packages alone."""

    shards: Mapping[str, ShardState] = field(default_factory=dict)
    paused_until: int = 0

    def rest(self, now: float) -> float:
        """How many seconds the timer rests still; none where the clock was set back meanwhile."""
        left = self.paused_until - now
        return left if 0 < left <= PAUSE else 0.0


@dataclass(frozen=True)
class AgentFolder:
    """The agent's own directory, root's, and readable by all: there is no secret in it."""

    path: Path

    @property
    def _file(self) -> Path:
        return self.path / "state.json"

    def read(self) -> AgentState:
        """What is remembered; nothing where the file is missing or damaged."""
        try:
            return _state(read_document(self._file, "state of the shard agent"))
        except (RunnerError, ValueError):
            return AgentState()

    def write(self, state: AgentState) -> None:
        """Remember; written beside and renamed into place."""
        content = {
            "format": _FORMAT,
            "paused_until": state.paused_until,
            "shards": {name: _spelled(shard) for name, shard in sorted(state.shards.items())},
        }
        try:
            write_whole(self._file, json.dumps(content), mode=0o644)
        except OSError as error:
            raise _unwritable(self._file, error) from error

    @contextmanager
    def alone(self, patience: float) -> Iterator[None]:
        """Hold the agent's lock, which dies with its holder.

        Raises Busy where another has it for longer than `patience` seconds.
        """
        lock = self.path / "lock"
        try:
            self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
            self.path.chmod(0o755)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(lock, error) from error
        try:
            _lock(handle, patience)
            self._clear()
            yield
        finally:
            os.close(handle)

    @contextmanager
    def work(self) -> Iterator[Path]:
        """A directory to write a package in, gone afterwards."""
        try:
            name = tempfile.mkdtemp(dir=self.path, prefix=_WORK)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        try:
            yield Path(name)
        finally:
            shutil.rmtree(name, ignore_errors=True)

    def _clear(self) -> None:
        """Take away what a killed sync left; nobody else writes here while we hold the lock."""
        for leftover in self.path.iterdir():
            if leftover.name.startswith(_WORK):
                shutil.rmtree(leftover, ignore_errors=True)
            elif leftover.name.startswith("."):
                leftover.unlink(missing_ok=True)


def _lock(handle: int, patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise Busy("another sync is at work", "it does the same") from error
        time.sleep(_BETWEEN_TRIES)


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    cure = "make room for it" if full else "it is root's to write"
    return ConfigurationError(f"cannot write {path}: {error.strerror}", cure)


def _spelled(shard: ShardState) -> dict[str, object]:
    handshake = shard.handshake
    servers = None if handshake is None else handshake.servers
    return {
        "schema": None if handshake is None else handshake.schema,
        "servers": None if servers is None else {"oldest": servers.oldest, "below": servers.below},
        "read": shard.read,
        "tried": shard.tried,
        "problem": shard.problem,
    }


def _state(document: Value) -> AgentState:
    form, paused, shards = document.fields("format", "paused_until", "shards")
    if form.raw != _FORMAT or not isinstance(shards.raw, dict):
        raise ValueError("of another format")
    return AgentState(
        {value.place.partition(".")[2]: _shard(value) for value in shards.fields(*shards.raw)},
        _seconds(paused),
    )


def _shard(value: Value) -> ShardState:
    schema, servers, read, tried, problem = value.fields(
        "schema", "servers", "read", "tried", "problem"
    )
    return ShardState(
        None if schema.absent else Handshake(schema.whole(), read_versions(servers)),
        _seconds(read),
        _seconds(tried),
        problem.text(r"(?s).*"),
    )


def _seconds(value: Value) -> int:
    if not isinstance(value.raw, int):
        raise ValueError("no time")
    return value.raw
