"""Every failure that a user can meet, with its exit code; the sentence is composed once, here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

EXIT_CODES = {
    0: "done",
    1: "the answer is no (check finds problems, explain or publish refuses)",
    2: "wrong usage",
    3: "problems in a spec",
    4: "a tool is missing or failed",
    5: "the result can't be written",
    70: "internal error, please report it",
    130: "interrupted",
}


@dataclass
class InterlockError(Exception):
    """A failure with a sentence for the user.

    `message` says what is wrong, `cure` what to do, `exit_code` is a key of EXIT_CODES.
    """

    message: str
    cure: str = ""
    exit_code = 1

    def __str__(self) -> str:
        return f"{self.message}; {self.cure}" if self.cure else self.message


@dataclass
class RefusedError(InterlockError):
    """What was asked for would break a promise: a frozen package, a stop that others need."""


@dataclass
class UsageError(InterlockError):
    """The command line asks for something that does not exist."""

    exit_code = 2


@dataclass
class SpecError(InterlockError):
    """One or several problems in a product's files.

    `problems` holds a `toolchain.spec.problem.Problem` for each that `spec` gathered; this room
    lies below that one and cannot name the type.
    """

    problems: Sequence[Any] = ()
    exit_code = 3


@dataclass
class ToolError(InterlockError):
    """A tool of the system is missing or failed; `output` is what it said."""

    output: str = ""
    exit_code = 4


@dataclass
class OutputError(InterlockError):
    """The result could not be written: no space, no permission, a file in the way."""

    exit_code = 5
