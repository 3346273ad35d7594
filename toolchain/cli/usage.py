"""A slip on the command line as one sentence with its cure, in the manner of every other error.

click says what is wrong in sentences of its own, without a cure; those that it has no class for are
known by their words, and any other one is told as it stands.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches

import click
from click.exceptions import BadOptionUsage, BadParameter, MissingParameter, NoSuchOption

from toolchain.errors import UsageError
from toolchain.spec.wording import printable, show

_MAY_BE_EMPTY = "--dsn"  # libpq then takes everything from its environment
_PATH = re.compile(r"(?:File|Directory|Path) ('.*'|\".*\") (.*)\.", re.DOTALL)
_TOO_MANY = re.compile(r"Got unexpected extra arguments? \((.*)\)", re.DOTALL)


def require_values(arguments: list[str]) -> None:
    """Raise UsageError for an empty argument, which would stand for the current directory."""
    for before, argument in zip(["", *arguments], arguments, strict=False):
        option, equals, value = argument.partition("=")
        is_empty_option = option.startswith("--") and equals and not value
        if (not argument or is_empty_option) and _MAY_BE_EMPTY not in (before, option):
            what = f"the value of {printable(option)}" if option else "an argument"
            raise UsageError(
                f"{what} is empty", "give it; perhaps a variable of the shell is not set"
            )


def usage_error(error: click.UsageError) -> UsageError:
    """What click found wrong, and what to write instead."""
    match error:
        case NoSuchOption():
            found = f"there is no option {show(error.option_name)}"
            return UsageError(found, _nearest(error.possibilities or ()) or _see_help(error))
        case MissingParameter():
            return UsageError(f"{_name(error)} is missing", _written(error))
        case BadParameter():
            return _bad_value(error)
        case BadOptionUsage():
            takes_none = "does not take" in error.message
            cure = "leave it out" if takes_none else f"give one: {error.option_name} VALUE"
            return UsageError(
                f"{error.option_name} {'takes no' if takes_none else 'needs a'} value", cure
            )
    if extra := _TOO_MANY.match(error.message):
        return UsageError(f"{show(extra[1])} is more than the command takes", _written(error))
    return _told(error.message, _see_help(error))


def _bad_value(error: BadParameter) -> UsageError:
    name, kind = _name(error), error.param and error.param.type
    if isinstance(kind, click.Choice):
        given = error.message.partition(" is not one of ")[0]
        choices = [str(choice) for choice in kind.choices]
        cure = _nearest(get_close_matches(given.strip("'"), choices))
        return UsageError(f"{name} has no {given}", cure or f"give one of {', '.join(choices)}")
    if isinstance(kind, click.types.IntParamType):
        given = error.message.partition(" is not ")[0]
        return UsageError(f"{name} cannot be {given}", f"give a whole number{_bounds(kind)}")
    if isinstance(kind, click.Path) and (path := _PATH.fullmatch(error.message)):
        cure = "name one that is there" if "exist" in path[2] else f"name a {kind.name}"
        return UsageError(printable(f"{name}: {path[1]} {path[2]}"), cure)
    return _told(f"{name}: {error.message}", _see_help(error))


def _bounds(kind: click.types.IntParamType) -> str:
    if not isinstance(kind, click.IntRange):
        return ""
    if kind.max is None:
        return f", at least {kind.min}"
    return f" from {kind.min} to {kind.max}"


def _told(message: str, cure: str) -> UsageError:
    """The message as it stands, with its own cure where it has one behind a semicolon."""
    head, _, own = printable(message).rstrip(".").partition("; ")
    return UsageError(head, own or cure)


def _name(error: BadParameter) -> str:
    """The option's longest name; an argument as the usage writes it."""
    match error.param:
        case click.Option(opts=opts):
            return max(opts, key=len)
        case click.Argument(metavar=metavar, name=name):
            return (metavar or name or "argument").rstrip(".").upper()
    return "a value"


def _nearest(names: Sequence[str]) -> str:
    return f"did you mean {names[0]}?" if names else ""


def _written(error: click.UsageError) -> str:
    """How the command is written, or the option that is not there."""
    context = error.ctx
    if context is None:
        return _see_help(error)
    if isinstance(error, MissingParameter) and isinstance(error.param, click.Option):
        return f"give {_name(error)} {error.param.make_metavar(context)}"
    pieces = context.command.collect_usage_pieces(context)
    return f"write: {' '.join((context.command_path, *pieces))}"


def _see_help(error: click.UsageError) -> str:
    return f"see {error.ctx.command_path if error.ctx else 'interlock'} --help"
