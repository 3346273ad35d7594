"""The command line of P-database: what can be said, what `--help` answers."""

from __future__ import annotations

import argparse
import re

from ..core.command_line import A_DAY, Parser, add_command, command_parser
from ..core.duration import parse_duration


def database_parser(program: str, config: str) -> Parser:
    """The parser of the database package's command."""
    parser, commands = command_parser(
        program, "Bring the shards' schema from release to release, phase by phase."
    )

    def command(name: str, text: str) -> argparse.ArgumentParser:
        added = add_command(commands, name, text)
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


def _wait(text: str) -> float:
    if re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text) is None or float(text) > A_DAY:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to a day")
    return float(text)


def _server(text: str) -> tuple[str, str | None]:
    host, slash, instance = text.partition("/")
    if not host or (slash and not instance) or "/" in instance or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST or HOST/INSTANCE")
    return host, instance or None
