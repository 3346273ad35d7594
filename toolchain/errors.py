"""Every failure that a user can meet, with its exit code; the sentence is composed once, here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class InterlockError(Exception):
    """A failure with a sentence for the user.

    `message` says what is wrong, `cure` what to do. Exit codes: 1 findings (check, verify) or a
    refusal (publish), 2 usage, 3 spec, 4 tool, 5 output, 70 internal error (whatever is no
    InterlockError), 130 interrupted.
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
