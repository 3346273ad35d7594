"""What the command lines of both packages have alike: complaints, `--help`, a day at most."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn

from .errors import EXIT_CODES, UsageError

A_DAY = 86400


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence, like all others."""

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
    return parser, parser.add_subparsers(dest="command", metavar="COMMAND", required=True)


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
