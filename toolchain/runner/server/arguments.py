"""The command line of P-server: what can be said, what `--help` answers."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from ..core.command_line import A_DAY, Parser, add_command, command_parser
from ..core.duration import parse_duration

if TYPE_CHECKING:
    from ..core.command_line import Commands

_INSTANCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,200}")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")


def server_parser(program: str, config: str) -> Parser:
    """The parser of the server package's command."""
    parser, commands = command_parser(
        program, "Check that this server fits every shard and every live peer."
    )
    for name, text in (
        ("register", "check all shards and register; for ExecStartPre"),
        ("refresh", "refresh the registrations of this host; for a timer or a service of its own"),
        ("deregister", "take the registration back; for ExecStopPost"),
        ("status", "ask all shards, register nothing"),
    ):
        command = add_command(commands, name, text)
        command.add_argument(
            "--instance",
            type=_instance,
            default=None if name == "refresh" else "server",
            help="the service's name; refresh without it means all that registered here",
        )
        command.add_argument("--host", type=_host, help="instead of this host's own name")
        command.add_argument("--config", default=config, metavar="FILE", help=f"({config})")
        command.add_argument("--json", action="store_true", help="answer with one JSON document")
        command.add_argument("--debug", action="store_true", help="show tracebacks")
        if name == "refresh":
            command.add_argument("--keep", action="store_true", help="go on until stopped")
        if name == "status":
            command.add_argument(
                "--release", metavar="FILE", help="ask for another release, by its release.json"
            )
    _add_sync(commands, config)
    _add_hook(commands, config)
    return parser


def _add_sync(commands: Commands, config: str) -> None:
    sync = add_command(
        commands, "sync", "keep the local package of each shard current, as root; for a timer"
    )
    sync.add_argument("--remove", action="store_true", help="remove them all, and rest for an hour")
    sync.add_argument(
        "--background", action="store_true", help="as the timer does: keep a rest, tell changes"
    )
    sync.add_argument("--host", type=_host, help="instead of this host's own name")
    sync.add_argument("--config", default=config, metavar="FILE", help=f"({config})")
    sync.add_argument("--json", action="store_true", help="answer with one JSON document")
    sync.add_argument("--debug", action="store_true", help="show tracebacks")


def _add_hook(commands: Commands, config: str) -> None:
    hook = add_command(
        commands,
        "hook",
        "judge a transaction of apt or dnf, told on standard input; for their hooks",
    )
    manager = hook.add_mutually_exclusive_group(required=True)
    manager.add_argument("--apt", action="store_true", help="apt tells it, by its protocol 3")
    manager.add_argument("--dnf", action="store_true", help="a line NAME VERSION FILE for each")
    hook.add_argument("--host", type=_host, help="instead of this host's own name")
    hook.add_argument("--config", default=config, metavar="FILE", help=f"({config})")
    hook.add_argument("--debug", action="store_true", help="show tracebacks")
    override = add_command(
        commands, "override", "let transactions past the hook for a while, as root; it is logged"
    )
    choice = override.add_mutually_exclusive_group(required=True)
    choice.add_argument("--reason", type=_reason, metavar="TEXT", help="why, for the journal")
    choice.add_argument("--end", action="store_true", help="end it before its time")
    choice.add_argument(
        "--active", action="store_true", help="exit with 0 where one holds, with 1 where none does"
    )
    override.add_argument(
        "--for",
        dest="duration",
        type=_override_time,
        default=1800.0,
        metavar="DURATION",
        help="how long, at most 1d; it ends at the next boot in any case (30min)",
    )


def _reason(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 200:
        raise argparse.ArgumentTypeError("a reason is one line of at most 200 characters")
    return text.strip()


def _override_time(text: str) -> float:
    try:
        # sleep(1) and systemd have taught people to write 30m.
        seconds = parse_duration(re.sub(r"(?<=[0-9])m$", "min", text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not 1 <= seconds <= A_DAY:
        raise argparse.ArgumentTypeError(f"{text!r} is out of range: 1s to 1d")
    return seconds


def _instance(text: str) -> str:
    if _INSTANCE.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of an instance")
    return text


def _host(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a host")
    return text
