"""What both programs share: options, log, exit codes, and a stop when systemd asks for one."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

from fleetdesk import settings
from fleetdesk.settings import ConfigError, Settings
from fleetdesk.shards import Shard
from fleetdesk_release import VERSION

EX_UNAVAILABLE = 69  # sysexits.h
EX_CONFIG = 78

Program = Callable[[argparse.Namespace, Settings, dict[str, Shard]], int]


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """The options that every program has."""
    options = argparse.ArgumentParser(
        prog=name, description=description, epilog=f"The manual is {name}(8)."
    )
    options.add_argument("--version", action="version", version=f"{name} {VERSION}")
    options.add_argument(
        "--config",
        metavar="FILE",
        default=os.environ.get("FLEETDESK_CONFIG", settings.CONFIG),
        help="settings (default: $FLEETDESK_CONFIG, else %(default)s)",
    )
    options.add_argument(
        "--shards",
        metavar="FILE",
        default=os.environ.get("FLEETDESK_SHARDS", settings.SHARDS),
        help="the shards (default: $FLEETDESK_SHARDS, else %(default)s)",
    )
    options.add_argument(
        "--log-level", choices=settings.LEVELS, help="how much to say (default: the settings')"
    )
    return options


def overridden(values: Settings, **options: object) -> Settings:
    """The settings, with the options that were given in their place; raises ConfigError."""
    given = {name: value for name, value in options.items() if value is not None}
    return replace(values, **given)  # type: ignore[arg-type]


def run(name: str, options: argparse.Namespace, program: Program) -> int:
    """Read the settings, start the log and the shards, run the program; returns its exit code."""
    try:
        values = settings.read_settings(options.config)
        dsns = settings.read_shards(options.shards)
        values = overridden(
            values,
            address=getattr(options, "address", None),
            port=getattr(options, "port", None),
            poll_seconds=getattr(options, "poll", None),
            log_level=options.log_level,
        )
    except ConfigError as problem:
        print(f"{name}: {problem}", file=sys.stderr)  # noqa: T201
        return EX_CONFIG
    logging.basicConfig(
        stream=sys.stderr,
        level=values.log_level.upper(),
        format=f"{name}: %(levelname)s: %(message)s",
    )
    shards = {
        shard: Shard(shard, dsn, program=f"{name} {VERSION}", patience=values.patience_seconds)
        for shard, dsn in dsns.items()
    }
    try:
        return program(options, values, shards)
    finally:
        for shard in shards.values():
            shard.close()


def on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` at SIGTERM and SIGINT, in the main thread, between two of its instructions."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
