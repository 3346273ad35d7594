"""What a command answers on stdout: lines for people, or one JSON document."""

from __future__ import annotations

import json
import traceback
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TextIO

from .errors import Exit, RunnerError, one_line
from .fleet import Outcome
from .gate import Blocked
from .status import server_data

_WORDS = {
    Exit.OK: "ok",
    Exit.REFUSED: "refused",
    Exit.USAGE: "usage",
    Exit.CONFIGURATION: "configuration",
    Exit.SHARD: "failed",
    Exit.LEDGER: "conflict",
    Exit.BUSY: "busy",
    Exit.INTERRUPTED: "interrupted",
}


def tolerate(*streams: TextIO) -> None:
    """Let a terminal of another encoding show what it can, instead of failing on the rest."""
    for stream in streams:
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write_lines(stream: TextIO, outcomes: Sequence[Outcome]) -> None:
    """Write the reports, each line led by its shard; failures are part of the story instead."""
    for outcome in outcomes:
        if outcome.report is not None:
            for line in outcome.report.lines:
                stream.write(f"{outcome.shard}: {_printable(line)}\n")
    stream.flush()


def write_failures(stream: TextIO, outcomes: Sequence[Outcome], *, debug: bool) -> None:
    """Write one sentence for each shard that failed, and its traceback if somebody asked for it."""
    for outcome in outcomes:
        if outcome.error is not None:
            write_failure(stream, outcome.shard, outcome.error, debug=debug)


def write_failure(stream: TextIO, who: str, error: RunnerError, *, debug: bool) -> None:
    """Write one sentence for a failure."""
    if debug:
        stream.write("".join(traceback.format_exception(type(error), error, error.__traceback__)))
    stream.write(f"{who}: {one_line(str(error))}\n")
    stream.flush()


def write_json(
    stream: TextIO, heading: dict[str, object], code: Exit, outcomes: Sequence[Outcome]
) -> None:
    """Write one document: what was asked, the exit code, and each shard's outcome."""
    document = {
        **heading,
        "exit_code": int(code),
        "shards": [_outcome_data(outcome) for outcome in outcomes],
    }
    stream.write(json.dumps(document, indent=2) + "\n")
    stream.flush()


def _outcome_data(outcome: Outcome) -> dict[str, object]:
    data: dict[str, object] = {"shard": outcome.shard, "outcome": _WORDS[outcome.exit_code]}
    if outcome.error is not None:
        data["message"] = outcome.error.message
        data["cure"] = outcome.error.cure
        if isinstance(outcome.error, Blocked):
            data["blocked_by"] = [server_data(server) for server in outcome.error.servers]
    if outcome.report is not None:
        data.update(outcome.report.data)
    return data


def _printable(line: str) -> str:
    """Keep the indentation of SQL, let nothing steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in line)
