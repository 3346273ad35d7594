"""One server release before all of its shards: ask each, register with each, or take it back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import psycopg2

from ..core import sqlstate
from ..core.config import Shard
from ..core.duration import spell_duration
from ..core.errors import RunnerError, ShardError
from ..core.fleet import Outcome, Report, work_on_all
from ..core.session import ConnectionLost, Session, Unreachable
from ..core.stop import Stop
from .reading import LentMemory, Memory, Reading
from .registration import (
    Answer,
    Applicant,
    NotAccepted,
    ask,
    check_in,
    check_out,
    peer_refusal,
    refusal,
)

Result = TypeVar("Result")

_MOST_AT_ONCE = 16


class Checking:
    """Judges an applicant by every shard's answer, or by the last one where that is allowed."""

    def __init__(
        self,
        applicant: Applicant,
        shards: Sequence[Shard],
        memory: Memory | LentMemory,
        connect: Callable[[Shard], Session],
        stop: Stop,
    ) -> None:
        self._applicant = applicant
        self._shards = shards
        self._memory = memory
        self._connect = connect
        self._stop = stop

    def ask_all(self) -> tuple[Outcome, ...]:
        """Ask the law of every shard; nothing is registered."""
        return self._on(self._shards, lambda shard: self._judge(shard, ask))

    def check_in_all(self) -> tuple[Outcome, ...]:
        """Register with every shard that answers."""

        def register(shard: Shard) -> Report:
            return self._judge(shard, partial(check_in, expires=shard.settings.expires))

        return self._on(self._shards, register)

    def check_out_all(self, names: Sequence[str] | None = None) -> tuple[Outcome, ...]:
        """Take the registration back from all shards, or from those named."""

        def deregister(shard: Shard) -> Report:
            known = self._call(shard, lambda session: check_out(session, self._applicant))
            return Report(("deregistered" if known else "was not registered",), {"known": known})

        chosen = [shard for shard in self._shards if names is None or shard.name in names]
        return self._on(chosen, deregister) if chosen else ()

    def _on(self, shards: Sequence[Shard], work: Callable[[Shard], Report]) -> tuple[Outcome, ...]:
        return work_on_all(shards, work, jobs=_MOST_AT_ONCE, stop=self._stop)

    def _judge(self, shard: Shard, question: Callable[[Session, Applicant], Answer]) -> Report:
        try:
            answer = self._call(shard, lambda session: question(session, self._applicant))
        except (Unreachable, ConnectionLost) as error:
            return self._judge_from_memory(shard, error)
        self._memory.keep(shard.name, Reading(answer.handshake, time.time()))
        if not answer.accepted:
            against = refusal(self._applicant, shard.name, answer.handshake)
            against = against or peer_refusal(self._applicant, shard.name, answer.peers)
            raise NotAccepted(against, answer.handshake)
        return Report(
            (f"accepts {self._applicant}: {answer.handshake}",),
            {
                "accepted": True,
                "from_memory": False,
                "fresh": answer.fresh,
                "replaced": answer.replaced,
                "schema": answer.handshake.schema,
                "servers": str(answer.handshake.servers),
            },
        )

    def _judge_from_memory(self, shard: Shard, error: RunnerError) -> Report:
        """Judge by the last answer, where the configuration allows it and it is young enough."""
        if shard.settings.unreachable != "last-known":
            raise error
        reading = self._memory.last(shard.name)
        if reading is None:
            raise ShardError(f"{error.message}, and it has never answered before") from error
        age = time.time() - reading.at
        if not 0 <= age <= shard.settings.last_known_age:
            old = spell_duration(age) if age > 0 else "from a clock that went back"
            raise ShardError(f"{error.message}, and its last answer is too old ({old})") from error
        against = refusal(self._applicant, shard.name, reading.handshake)
        if against is not None:
            raise against from error
        return Report(
            (f"{error.message}; judged by its answer {spell_duration(age)} ago",),
            {"accepted": True, "from_memory": True, "fresh": False},
        )

    def _call(self, shard: Shard, call: Callable[[Session], Result]) -> Result:
        with self._stop.watching(self._connect(shard)) as session:
            try:
                return call(session)
            except psycopg2.Error as error:
                raise ShardError(f"PostgreSQL refused: {sqlstate.sentence(error)}") from error
