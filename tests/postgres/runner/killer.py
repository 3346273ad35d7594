"""Runs database commands in processes that end themselves before their n-th statement.

Started as `python -m tests.postgres.runner.killer`, it reads one JSON request a line and answers
with one: {"arguments", "manifest", "config", "before": n or null, "alarm": s} becomes {"code", "effects"}: a
negative code is the signal that ended the process, effects are the places right after a statement
that leaves a trace, where a kill differs from a kill one statement earlier. It forks for each request, so that a
hundred kills cost no hundred interpreter starts; the seam is `main(connect=)`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from typing import Any, ClassVar

import psycopg2
from psycopg2.extensions import cursor

from toolchain.runner.database.commands import main

TRACELESS = re.compile(r"\s*(BEGIN|SELECT|SET|RESET|SAVEPOINT|RELEASE|PREPARE|DEALLOCATE)\b")


class CountingCursor(cursor):
    """Counts the statements of a process, and ends it before one of them."""

    sent = 0
    before: int | None = None
    effects: ClassVar[list[int]] = [1]

    def execute(self, query: Any, parameters: Any = None) -> None:
        CountingCursor.sent += 1
        if CountingCursor.sent == CountingCursor.before:
            os.kill(os.getpid(), signal.SIGKILL)
        super().execute(query, parameters)
        if not TRACELESS.match(query) or "advisory" in query or "EXECUTE" in query:
            CountingCursor.effects.append(CountingCursor.sent + 1)


def connect(**parameters: Any) -> Any:
    """psycopg2's connect, counting; the second look of a watch is nobody's statement."""
    if str(parameters["application_name"]).endswith("watch"):
        return psycopg2.connect(**parameters)
    return psycopg2.connect(**parameters, cursor_factory=CountingCursor)


def _run(request: dict[str, Any], answer: int) -> None:
    CountingCursor.before = request["before"]
    if request["alarm"]:
        # Nobody handles it, so it ends the process as a SIGKILL does, with a statement under way.
        signal.setitimer(signal.ITIMER_REAL, request["alarm"])
    code = main(
        program="fleetdesk-database",
        manifest=request["manifest"],
        config=request["config"],
        arguments=request["arguments"],
        connect=connect,
    )
    os.write(answer, json.dumps({"code": int(code), "effects": CountingCursor.effects}).encode())
    os._exit(0)


def serve() -> None:
    """Answer requests until stdin ends."""
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            _run(json.loads(line), writer)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            text = pipe.read()
        _, status = os.waitpid(child, 0)
        answer = text or json.dumps({"code": -os.WTERMSIG(status), "effects": []})
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
