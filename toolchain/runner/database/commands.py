"""The command of a database package: parse, call, print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import psycopg2

from ..core.config import Shard, read_shards, select_shards
from ..core.ending import run_command
from ..core.errors import Exit
from ..core.fleet import Outcome, Report, exit_code, work_on_all
from ..core.options import Settings
from ..core.output import write_failures, write_json, write_lines
from ..core.session import Connect, Session, require_writable
from ..core.stop import Stop, stop_on_signals
from ..ledger.actions import BEFORE_ALL, Position
from ..ledger.manifest import Manifest, Phase
from ..ledger.manifest_file import read_manifest
from ..ledger.records import author_of
from ..phases.run import Run
from .apply import apply, preview
from .arguments import database_parser
from .attend import attend, read_shard
from .baseline import baseline, preview_baseline
from .history import history
from .retire import Living, read_living, read_retirement, retire
from .status import status
from .story import Story
from .undo import preview_undo, undo
from .verify import verify


def main(
    *,
    program: str,
    manifest: str,
    config: str,
    arguments: Sequence[str] | None = None,
    connect: Connect = psycopg2.connect,
) -> int:
    """Run the command line of `program` and return its exit code.

    `manifest` and `config` are the paths that the package installs. `connect` stands between
    the runner and psycopg2 in tests; it takes and returns what `psycopg2.connect` does.
    """

    def work() -> int:
        options = database_parser(program, config).parse_args(arguments)
        return _run(program, Path(manifest), options, connect)

    return run_command(program, arguments, work)


def _run(program: str, path: Path, options: argparse.Namespace, connect: Connect) -> int:
    manifest = read_manifest(path)
    shards = select_shards(read_shards(Path(options.config)), options.shard)
    author = author_of(manifest)
    stop = Stop()
    command = (_DRY if getattr(options, "dry_run", False) else _COMMANDS)[options.command]
    _target(manifest, options)
    if options.command == "retire":
        read_retirement(options)
    live = sys.stderr.isatty() and not options.quiet
    story = Story(sys.stderr, live=live, quiet=options.quiet)
    with story.shown():

        def on_shard(shard: Shard, command: _Command = command) -> Report:
            run = Run(
                manifest=manifest,
                author=author,
                settings=_settings(shard, options),
                stop=stop,
                teller=story.teller(shard.name),
                connect=connect,
                application=f"{program}@{author.host}"[:63],
            )
            work = partial(command.work, run=run, options=options)
            if command.attended:
                return attend(shard, run, options.wait, work)
            return read_shard(shard, run, work)

        with stop_on_signals(stop, story.say):
            if options.command == "retire":
                # Of all shards before any: one may have lost sight of a server that another sees.
                ask = partial(on_shard, command=_Command(False, _living))
                asked = work_on_all(shards, ask, jobs=options.jobs, stop=stop, tally=story)
                options.living = _all_living(asked)
            outcomes = work_on_all(shards, on_shard, jobs=options.jobs, stop=stop, tally=story)
    code = exit_code(outcomes)
    if options.command == "retire" and code is Exit.OK and not any(_retired(o) for o in outcomes):
        code = Exit.REFUSED
    write_failures(sys.stderr, outcomes, debug=options.debug)
    if options.json:
        heading: dict[str, object] = {
            "product": manifest.product,
            "release": manifest.release,
            "command": options.command,
        }
        write_json(sys.stdout, heading, code, outcomes)
    else:
        write_lines(sys.stdout, outcomes)
    return code


def _target(manifest: Manifest, options: argparse.Namespace) -> Position:
    """The place in the order that the command line names; raises UsageError."""
    wanted = getattr(options, "to", None) or getattr(options, "release", None)
    if options.command == "undo" and wanted == "none":
        return BEFORE_ALL
    phase = Phase(getattr(options, "phase", Phase.MIGRATE.value))
    return Position(manifest.index(wanted or manifest.release), phase)


def _settings(shard: Shard, options: argparse.Namespace) -> Settings:
    rate = getattr(options, "max_rate", None)
    return shard.settings if rate is None else replace(shard.settings, max_rate=rate)


def _status(session: Session, run: Run, options: argparse.Namespace) -> Report:  # noqa: ARG001
    return status(session, run.manifest)


def _verify(session: Session, run: Run, options: argparse.Namespace) -> Report:  # noqa: ARG001
    return verify(session, run.manifest)


def _history(session: Session, run: Run, options: argparse.Namespace) -> Report:
    return history(session, run.manifest, options.limit)


def _retire(session: Session, run: Run, options: argparse.Namespace) -> Report:
    require_writable(session)
    return retire(session, run, read_retirement(options), options.living)


def _living(session: Session, run: Run, options: argparse.Namespace) -> Report:
    return read_living(session, run, read_retirement(options))


def _all_living(outcomes: Sequence[Outcome]) -> Living:
    found: dict[tuple[str, str], str] = {}
    for outcome in outcomes:
        if outcome.report is not None:
            living = cast("Living", outcome.report.data["living"])
            found.update({key: f"{seen} by {outcome.shard}" for key, seen in living.items()})
    return found


def _retired(outcome: Outcome) -> bool:
    return outcome.report is not None and bool(outcome.report.data["retired"])


def _plan(session: Session, run: Run, options: argparse.Namespace) -> Report:
    return preview(
        session,
        run.manifest,
        _target(run.manifest, options),
        create=getattr(options, "create", False),
        sql=options.command == "apply",
    )


def _apply(session: Session, run: Run, options: argparse.Namespace) -> Report:
    return apply(session, run, _target(run.manifest, options), create=options.create)


def _undo(session: Session, run: Run, options: argparse.Namespace) -> Report:
    return undo(session, run, _target(run.manifest, options))


def _preview_undo(session: Session, run: Run, options: argparse.Namespace) -> Report:
    return preview_undo(session, run.manifest, _target(run.manifest, options))


def _baseline(session: Session, run: Run, options: argparse.Namespace) -> Report:
    return baseline(session, run, _target(run.manifest, options))


def _preview_baseline(session: Session, run: Run, options: argparse.Namespace) -> Report:
    return preview_baseline(session, run.manifest, _target(run.manifest, options))


@dataclass(frozen=True)
class _Command:
    """What a command does on one shard; an attended one holds the product's lock."""

    attended: bool
    work: Callable[..., Report]


_COMMANDS = {
    "status": _Command(False, _status),
    "plan": _Command(False, _plan),
    "apply": _Command(True, _apply),
    "verify": _Command(False, _verify),
    "history": _Command(False, _history),
    "undo": _Command(True, _undo),
    "baseline": _Command(True, _baseline),
    "retire": _Command(False, _retire),
}
_DRY = {
    "apply": _Command(False, _plan),
    "undo": _Command(False, _preview_undo),
    "baseline": _Command(False, _preview_baseline),
}
