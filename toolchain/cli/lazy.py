"""Groups of commands that are imported when they are called, so that `--help` is quick."""

import importlib
import keyword
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group that knows its commands by name, a line each, and imports one when it is called.

    The command NAME is `command` in the module NAME of `package`, or NAME_ where Python has a
    meaning of its own for NAME.
    """

    def __init__(self, *args: Any, package: str, lines: Mapping[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self._package = package
        self._lines = lines

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The commands, in the order in which they are used."""
        return list(self._lines)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, from the module of that name."""
        if cmd_name not in self._lines:
            return None
        module = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command = importlib.import_module(f"{self._package}.{module}").command
        assert isinstance(command, click.Command)  # noqa: S101  (a slip of ours, not of a user)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called; a slip of the pen is told with the nearest name."""
        if args[0] not in self._lines and not args[0].startswith("-"):
            import difflib  # noqa: PLC0415  (not needed where all is right)

            near = difflib.get_close_matches(args[0], self._lines, n=1)
            cure = f"did you mean {near[0]}?" if near else f"there is {', '.join(self._lines)}"
            ctx.fail(f"there is no command {args[0]!r}; {cure}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The table itself; click's own way would import every command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines.items()))
