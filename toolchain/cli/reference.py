"""The reference page of the commands, written from the commands themselves."""

import inspect
from collections.abc import Iterator

import click

from toolchain.errors import EXIT_CODES


def commands_page(program: click.Group) -> str:
    """One page of Markdown: every command with its arguments and options, and the exit codes."""
    context = click.Context(program, info_name="interlock")
    lines = [
        "# Commands",
        "",
        "Written from the commands; do not edit. Every command also takes `--help`.",
        "",
        *_commands(program, context),
        "## Exit codes",
        "",
        "| code | meaning |",
        "| --- | --- |",
        *(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()),
    ]
    return "\n".join(lines) + "\n"


def _commands(group: click.Group, above: click.Context) -> Iterator[str]:
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command is not None  # noqa: S101  (a slip of ours, not of a user)
        context = click.Context(command, info_name=name, parent=above)
        if isinstance(command, click.Group):
            yield from _commands(command, context)
        else:
            yield from _command(command, context)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    yield from (f"## {context.command_path}", "", f"    {usage}", "")
    # What stands behind \b is laid out by hand.
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b"):
            yield from (f"    {line}" for line in paragraph.splitlines()[1:])
        else:
            yield " ".join(paragraph.split())
        yield ""
    rows = [
        record
        for option in command.params
        if isinstance(option, click.Option) and (record := option.get_help_record(context))
    ]
    if rows:
        yield from ("| option | what it does |", "| --- | --- |")
        yield from (f"| `{_cell(words)}` | {_cell(about)} |" for words, about in rows)
        yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
