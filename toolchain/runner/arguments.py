"""The command lines of P-database and P-server: what can be said, what `--help` answers."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, NoReturn

from .duration import parse_duration
from .errors import EXIT_CODES, UsageError

_LONGEST_WAIT = 86400
_INSTANCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,200}")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence, like all others."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of printing the usage and leaving."""
        raise UsageError(message, f"see '{self.prog} --help'")


if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[Parser]


def exit_codes() -> str:
    """The table of exit codes for `--help`."""
    return "exit codes:\n" + "\n".join(f"  {int(code):<4} {text}" for code, text in EXIT_CODES)


def database_parser(program: str, config: str) -> Parser:
    """The parser of the database package's command."""
    parser, commands = _parser(
        program, "Bring the shards' schema from release to release, phase by phase."
    )

    def command(name: str, text: str) -> argparse.ArgumentParser:
        added = _command(commands, name, text)
        _add_common(added, config)
        return added

    command("status", "where each shard stands, what is pending, which servers are live")
    _add_target(command("plan", "what apply would do, and which servers block it"))
    apply = command("apply", "bring the shards forward, as far as the target and the gate allow")
    _add_target(apply)
    _add_run(apply)
    apply.add_argument("--max-rate", type=_positive, metavar="ROWS", help="rows a second, at most")
    apply.add_argument(
        "--create", action="store_true", help="start a ledger beside tables that exist already"
    )
    command("verify", "whether ledger, package and schema still tell the same story")
    history = command("history", "what has happened to each shard")
    history.add_argument("--limit", type=_positive, default=100, help="events shown (100)")
    undo = command("undo", "bring the shards back, as far as the last contract")
    undo.add_argument(
        "--to", required=True, metavar="RELEASE", help="the release to go back to, or none"
    )
    _add_phase(undo)
    _add_run(undo)
    baseline = command("baseline", "adopt databases made without this tool, running nothing")
    baseline.add_argument("release", metavar="RELEASE", help="the release that they stand at")
    baseline.add_argument(
        "--phase", choices=("migrate", "contract"), default="migrate", help="after this phase"
    )
    _add_run(baseline)
    _add_retire(command("retire", "take servers that are gone for good out of the gate's sight"))
    return parser


def server_parser(program: str, config: str) -> Parser:
    """The parser of the server package's command."""
    parser, commands = _parser(
        program, "Check that this server fits every shard and every live peer."
    )
    for name, text in (
        ("register", "check all shards and register; for ExecStartPre"),
        ("refresh", "refresh the registrations of this host; for a timer or a service of its own"),
        ("deregister", "take the registration back; for ExecStopPost"),
        ("status", "ask all shards, register nothing"),
    ):
        command = _command(commands, name, text)
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


def _add_sync(commands: _Commands, config: str) -> None:
    sync = _command(
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


def _add_hook(commands: _Commands, config: str) -> None:
    hook = _command(
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
    override = _command(
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


def _parser(program: str, description: str) -> tuple[Parser, _Commands]:
    parser = Parser(
        prog=program,
        description=description,
        epilog=exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return parser, parser.add_subparsers(dest="command", metavar="COMMAND", required=True)


def _command(commands: _Commands, name: str, text: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _add_common(parser: argparse.ArgumentParser, config: str) -> None:
    parser.add_argument("--config", default=config, metavar="FILE", help=f"shards file ({config})")
    parser.add_argument(
        "--shard", action="append", default=[], metavar="NAME", help="only this one; repeatable"
    )
    parser.add_argument("--jobs", type=_positive, default=8, help="shards at the same time (8)")
    parser.add_argument("--json", action="store_true", help="answer with one JSON document")
    parser.add_argument("--quiet", action="store_true", help="tell no story on stderr")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", metavar="RELEASE", help="the target (the package's own release)")
    _add_phase(parser)


def _add_phase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--phase",
        choices=("expand", "migrate", "contract"),
        default="migrate",
        help="the target's last phase (migrate); earlier releases' phases are all included",
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, with SQL")
    parser.add_argument(
        "--wait",
        type=_wait,
        default=0.0,
        metavar="SECONDS",
        help="how long to wait for another runner's lock (0)",
    )


def _add_retire(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("server", type=_server, nargs="?", metavar="HOST[/INSTANCE]")
    parser.add_argument("--force", action="store_true", help="also where its registration is live")
    parser.add_argument("--expired", action="store_true", help="all whose registrations expired")
    parser.add_argument(
        "--older-than",
        type=_duration,
        metavar="DURATION",
        help="with --expired, only who was not seen for so long (1d)",
    )


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _positive(text: str) -> int:
    if re.fullmatch(r"[1-9][0-9]{0,8}", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


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
    if not 1 <= seconds <= _LONGEST_WAIT:
        raise argparse.ArgumentTypeError(f"{text!r} is out of range: 1s to 1d")
    return seconds


def _wait(text: str) -> float:
    if re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text) is None or float(text) > _LONGEST_WAIT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to a day")
    return float(text)


def _server(text: str) -> tuple[str, str | None]:
    host, slash, instance = text.partition("/")
    if not host or (slash and not instance) or "/" in instance or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST or HOST/INSTANCE")
    return host, instance or None


def _instance(text: str) -> str:
    if _INSTANCE.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of an instance")
    return text


def _host(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a host")
    return text
