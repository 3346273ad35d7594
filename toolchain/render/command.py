"""The manual page and the completion of a package's command, from its own parser."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolchain.plan.package import Package
from toolchain.render.templates import Templates


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionText:
    """One option or argument as a manual page shows it."""

    names: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubcommandText:
    """One subcommand: its usage, its sentence, its options."""

    name: str
    usage: str
    help: str
    explained: tuple[OptionText, ...]
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandText:
    """A command: its sentence and its subcommands."""

    description: str
    subcommands: tuple[SubcommandText, ...]


def _names(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else (action.dest or "").upper()
    if action.choices is not None:
        metavar = "{" + ",".join(map(str, action.choices)) + "}"
    if not action.option_strings:
        return metavar
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {metavar}"


def _subcommand(name: str, parser: argparse.ArgumentParser) -> SubcommandText:
    actions = [action for action in parser._actions if action.dest != "help"]
    arguments = [_names(action) for action in actions if not action.option_strings]
    return SubcommandText(
        name=name,
        usage=" ".join((name, *arguments)),
        help=(parser.description or "").rstrip("."),
        explained=tuple(
            OptionText(names=_names(action), help=action.help or "") for action in actions
        ),
        options=tuple(flag for action in actions for flag in action.option_strings),
    )


def _subcommands(parser: argparse.ArgumentParser) -> Iterator[SubcommandText]:
    # argparse has no public way to ask a parser for its parts.
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, subparser in action.choices.items():
                yield _subcommand(name, subparser)


def describe(parser: argparse.ArgumentParser) -> CommandText:
    """A command's sentence and its subcommands, as its parser knows them."""
    return CommandText(
        description=parser.description or "", subcommands=tuple(_subcommands(parser))
    )


def manual(
    package: Package,
    templates: Templates,
    command: CommandText,
    exit_codes: Sequence[tuple[int, str]],
) -> str:
    """The command's page for section 8."""
    return templates.render(
        "common/manual.j2",
        package=package,
        purpose=command.description.rstrip(".").lower(),
        description=command.description,
        commands=command.subcommands,
        exit_codes=[(int(code), meaning) for code, meaning in exit_codes],
    )


def completion(package: Package, templates: Templates, command: CommandText) -> str:
    """The command's completion for bash."""
    return templates.render(
        "common/completion.j2",
        package=package,
        function=package.name.replace("-", "_"),
        commands=command.subcommands,
    )
