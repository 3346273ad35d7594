"""Every failure that the runner can meet, with its exit code; the sentence is composed once."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType


class Exit(IntEnum):
    """Exit codes of every command; with several shards the gravest one is the command's."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    CONFIGURATION = 3
    SHARD = 4
    LEDGER = 5
    BUSY = 75
    INTERRUPTED = 130


EXIT_CODES = (
    (Exit.OK, "done, or nothing to do"),
    (
        Exit.REFUSED,
        "refused: a server blocks it, another runner holds the lock, verify found faults",
    ),
    (Exit.USAGE, "usage: the command line asks for something that does not exist"),
    (Exit.CONFIGURATION, "configuration or manifest is not in order"),
    (Exit.SHARD, "a shard failed or cannot be reached; the others went on"),
    (Exit.LEDGER, "a shard's ledger and this package contradict each other"),
    (Exit.BUSY, "busy: a package manager or another sync is at work; try again"),
    (Exit.INTERRUPTED, "interrupted; run it again and it goes on where it was"),
)


class RunnerError(Exception):
    """A failure with one sentence for the user: what is wrong and, after it, the cure.

    `data` is what `--json` adds to the sentence.
    """

    exit_code = Exit.SHARD
    data: Mapping[str, object] = MappingProxyType({})

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.message = one_line(message)
        self.cure = one_line(cure)

    def __str__(self) -> str:
        return f"{self.message}; {self.cure}" if self.cure else self.message


class Refused(RunnerError):
    """The law, a lock or an operator's earlier decision stands against it."""

    exit_code = Exit.REFUSED


class UsageError(RunnerError):
    """The command line asks for something that does not exist."""

    exit_code = Exit.USAGE


class ConfigurationError(RunnerError):
    """The shards' configuration or the package's manifest is not in order."""

    exit_code = Exit.CONFIGURATION


class ShardError(RunnerError):
    """One shard failed or cannot be reached."""

    exit_code = Exit.SHARD


class LedgerConflict(RunnerError):
    """A shard's ledger and this package contradict each other."""

    exit_code = Exit.LEDGER


class Busy(RunnerError):
    """Somebody else does the same or stands before it; nothing was begun."""

    exit_code = Exit.BUSY


class Interrupted(RunnerError):
    """The operator asked to stop; everything finished so far is recorded."""

    exit_code = Exit.INTERRUPTED


def as_failure(error: Exception) -> RunnerError:
    """Any exception as one sentence; what is not a RunnerError is a fault of the runner."""
    if isinstance(error, RunnerError):
        return error
    failure = RunnerError(
        f"internal error: {type(error).__name__}: {error}", "run it with --debug and report it"
    )
    failure.__cause__ = error
    return failure


def one_line(text: str) -> str:
    """Fold a message of any origin to one printable line; a terminal obeys no part of it."""
    folded = " ".join(text.split())
    return "".join(character if character.isprintable() else "?" for character in folded)
