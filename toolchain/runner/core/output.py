"""What a command answers on stdout: lines for people, or one JSON document."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from .ending import write_failure
from .errors import Exit
from .fleet import Outcome

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


def write_lines(stream: TextIO, outcomes: Sequence[Outcome]) -> None:
    """Write the reports, each line led by its shard; failures are part of the story instead."""
    with _as_far_as_it_is_read(stream):
        for outcome in outcomes:
            for line in () if outcome.report is None else outcome.report.lines:
                stream.write(f"{outcome.shard}: {_printable(line)}\n")


def write_failures(stream: TextIO, outcomes: Sequence[Outcome], *, debug: bool) -> None:
    """Write one sentence for each shard that failed, and its traceback if somebody asked for it."""
    for outcome in outcomes:
        if outcome.error is not None:
            write_failure(stream, outcome.shard, outcome.error, debug=debug)


def write_json(
    stream: TextIO, heading: dict[str, object], code: Exit, outcomes: Sequence[Outcome]
) -> None:
    """Write one document: what was asked, the exit code, and each shard's outcome."""
    document = {
        **heading,
        "exit_code": int(code),
        "shards": [_outcome_data(outcome) for outcome in outcomes],
    }
    with _as_far_as_it_is_read(stream):
        stream.write(json.dumps(document, indent=2) + "\n")


@contextmanager
def _as_far_as_it_is_read(stream: TextIO) -> Iterator[None]:
    """Let whoever reads an answer stop in the middle: `… | head`. It changes no exit code."""
    try:
        yield
        stream.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _outcome_data(outcome: Outcome) -> dict[str, object]:
    data: dict[str, object] = {"shard": outcome.shard, "outcome": _WORDS[outcome.exit_code]}
    if outcome.error is not None:
        data["message"] = outcome.error.message
        data["cure"] = outcome.error.cure
        data.update(outcome.error.data)
    if outcome.report is not None:
        data.update(outcome.report.data)
    return data


def _printable(line: str) -> str:
    """Keep the indentation of SQL, let nothing steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in line)
