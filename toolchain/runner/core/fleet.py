"""All shards, several at once: one that fails does not stop the others, and the exit code tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .config import Shard
from .errors import Exit, RunnerError, as_failure
from .stop import Stop
from .together import together

_GRAVEST_FIRST = (
    Exit.INTERRUPTED,
    Exit.LEDGER,
    Exit.SHARD,
    Exit.CONFIGURATION,
    Exit.REFUSED,
    Exit.BUSY,
)


@dataclass(frozen=True)
class Report:
    """What a command answers for one shard: lines for people, data for `--json`."""

    lines: tuple[str, ...]
    data: Mapping[str, object] = field(default_factory=dict)
    exit_code: Exit = Exit.OK


@dataclass(frozen=True)
class Outcome:
    """How it went on one shard: a report or an error."""

    shard: str
    report: Report | None
    error: RunnerError | None

    @property
    def exit_code(self) -> Exit:
        """What this shard adds to the command's exit code."""
        if self.error is not None:
            return Exit(self.error.exit_code)
        return Exit.OK if self.report is None else self.report.exit_code


class Tally(Protocol):
    """Who counts the shards that have been dealt with."""

    def expect(self, shards: int) -> None:
        """So many shards will be worked on."""

    def finish(self, shard: str, *, failed: bool) -> None:
        """One of them has been dealt with."""


def work_on_all(
    shards: Sequence[Shard],
    work: Callable[[Shard], Report],
    *,
    jobs: int,
    stop: Stop,
    tally: Tally | None = None,
) -> tuple[Outcome, ...]:
    """Work on all shards, `jobs` at a time; outcomes stand in the shards' order."""
    if tally is not None:
        tally.expect(len(shards))

    def attempt(shard: Shard) -> Outcome:
        report, failure = None, None
        try:
            stop.check()
            report = work(shard)
        except Exception as error:  # noqa: BLE001 - one shard's fault leaves the others alone
            failure = as_failure(error)
        if tally is not None:
            tally.finish(shard.name, failed=failure is not None)
        return Outcome(shard.name, report, failure)

    return together(attempt, shards, most=jobs)


def exit_code(outcomes: Sequence[Outcome]) -> Exit:
    """The gravest of all outcomes."""
    codes = {outcome.exit_code for outcome in outcomes}
    return next((code for code in _GRAVEST_FIRST if code in codes), Exit.OK)
