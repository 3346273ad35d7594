"""What the command lines of both packages have alike: complaints, `--help`, a day at most."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from .errors import EXIT_CODES, UsageError
from .slip import meant

A_DAY = 86400


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence, like all others."""

    commands: Commands | None = None

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Parse, after a look whether a command stands first; raises UsageError."""
        words = sys.argv[1:] if args is None else args
        if self.commands is not None and words:
            self._require_command(words[0], tuple(self.commands.choices))
        return super().parse_args(args, namespace)

    def _require_command(self, word: str, commands: Sequence[str]) -> None:
        if word in {*commands, "-h", "--help"}:
            return
        if word.startswith("-"):
            raise UsageError(
                f"options stand behind the command, and {word!r} stands before it",
                f"write '{self.prog} COMMAND {word} ...'",
            )
        raise UsageError(
            f"there is no command {word!r}", meant(word, commands, f"see '{self.prog} --help'")
        )

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of printing the usage and leaving."""
        raise UsageError(message, f"see '{self.prog} --help'")


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Parser]


def exit_codes() -> str:
    """The table of exit codes for `--help`."""
    return "exit codes:\n" + "\n".join(f"  {int(code):<4} {text}" for code, text in EXIT_CODES)


def command_parser(program: str, description: str) -> tuple[Parser, Commands]:
    """A parser of commands, and where they are added."""
    parser = Parser(
        prog=program,
        description=description,
        epilog=exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    parser.commands = commands
    return parser, commands


def add_command(commands: Commands, name: str, text: str) -> argparse.ArgumentParser:
    """Add one command, and return its parser."""
    return commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
