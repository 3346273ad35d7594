"""Every shard's numbers, read as the user that the server's services run as.

The agent is root, and must not be root towards a network, nor another role towards a shard than
the services are: a child process that has become their user reads, and answers through a pipe.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

import psycopg2

from ..core import sqlstate
from ..core.config import Shard
from ..core.errors import Exit, RunnerError, ShardError
from ..core.fleet import Report, work_on_all
from ..core.law import Handshake
from ..core.session import Connect, Session
from ..core.stop import Stop
from ..core.version import Versions
from .other_user import call_as
from .registration import read_handshake

if TYPE_CHECKING:
    from psycopg2.extensions import connection

_MOST_AT_ONCE = 16

Open = Callable[[Shard], Session]


@dataclass(frozen=True)
class Told:
    """What one shard said: its handshake, or why there is none."""

    handshake: Optional[Handshake]  # noqa: UP045 - evaluated, and Python is 3.9
    error: Optional[RunnerError] = None  # noqa: UP045


class Unread(RunnerError):
    """A shard's handshake could not be read, as the reading process told it."""

    def __init__(self, message: str, cure: str, code: Exit) -> None:
        super().__init__(message, cure)
        self.exit_code = code


def cut_after(seconds: float, connect: Connect) -> Connect:
    """Connect for at most `seconds`: a shard that froze keeps its connection and says nothing.

    Neither TCP nor a timeout of PostgreSQL's ends that, and the other shards would wait for it.
    """

    def connect_for_a_while(**parameters: object) -> connection:
        wire = connect(**parameters)
        # A number of our own, because libpq's may be another socket's by then.
        line = socket.socket(fileno=os.dup(wire.fileno()))
        timer = threading.Timer(seconds, _cut, (line,))
        timer.daemon = True
        timer.start()
        return wire

    return connect_for_a_while


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


def read_all(product: str, shards: Sequence[Shard], connect: Open, stop: Stop) -> dict[str, Told]:
    """Ask every shard, several at once; nothing is written there."""

    def read(shard: Shard) -> Report:
        with stop.watching(connect(shard)) as session:
            try:
                handshake = read_handshake(session, product)
            except psycopg2.Error as error:
                raise ShardError(f"PostgreSQL refused: {sqlstate.sentence(error)}") from error
        return Report((), {"handshake": handshake})

    outcomes = work_on_all(shards, read, jobs=_MOST_AT_ONCE, stop=stop)
    return {
        one.shard: Told(None if one.report is None else _handshake(one.report), one.error)
        for one in outcomes
    }


def read_all_as(user: str, read: Callable[[], Mapping[str, Told]]) -> dict[str, Told]:
    """Call `read` as another user; see `call_as` for its failures."""
    answer = call_as(user, lambda: {name: _spelled(told) for name, told in read().items()})
    return {name: _told(raw) for name, raw in answer.items()}


def _handshake(report: Report) -> Handshake | None:
    handshake = report.data.get("handshake")
    return handshake if isinstance(handshake, Handshake) else None


def _spelled(told: Told) -> dict[str, object]:
    handshake, error = told.handshake, told.error
    return {
        "handshake": None
        if handshake is None
        else [handshake.schema, handshake.servers.oldest, handshake.servers.below],
        "error": None if error is None else [error.message, error.cure, int(error.exit_code)],
    }


def _told(raw: dict[str, Any]) -> Told:
    handshake, error = raw["handshake"], raw["error"]
    return Told(
        None if handshake is None else Handshake(handshake[0], Versions(*handshake[1:])),
        None if error is None else Unread(error[0], error[1], Exit(error[2])),
    )
