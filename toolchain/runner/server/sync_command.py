"""The command `sync`: puts the shard agent together, and tells what became of each shard."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from ..core.config import Shard
from ..core.errors import Exit
from ..core.fleet import Outcome, exit_code
from ..core.output import write_failures, write_json, write_lines
from ..core.stop import Stop
from .handshakes import Told, cut_after, read_all, read_all_as
from .invocation import Invocation
from .release_file import read_server_release
from .sync import PATIENCE, Agent, installed_tool

# Seconds that reading a shard's numbers may take, once it is connected.
LONGEST_READING = 60.0


def run_sync(asked: Invocation) -> Exit:
    """Keep the shards' packages as the options say."""
    options = asked.options
    installed = read_server_release(asked.release)
    open_shard = asked.open_shard(cut_after(LONGEST_READING, asked.connect))

    def read(shards: Sequence[Shard]) -> Mapping[str, Told]:
        return read_all_as(
            asked.user, partial(read_all, installed.product, shards, open_shard, Stop())
        )

    agent = Agent(
        release=installed,
        config=Path(options.config),
        folder=asked.agent,
        read=read,
        tool=installed_tool(installed.package),
    )
    # Whoever runs it by hand wants what it says; the timer comes again.
    with agent.folder.alone(0 if options.background else PATIENCE):
        outcomes = agent.remove() if options.remove else agent.sync(background=options.background)
    if not (outcomes or options.remove or options.background):
        sys.stderr.write(
            f"{asked.program}: {options.config} names no shard, so nothing is changed\n"
        )
    code = exit_code(outcomes)
    write_failures(sys.stderr, outcomes, debug=options.debug)
    if options.json:
        heading: dict[str, object] = {
            "product": installed.product,
            "release": installed.server.version,
            "command": "sync",
        }
        write_json(sys.stdout, heading, code, outcomes)
    else:
        told = filter(_has_changed, outcomes) if options.background else outcomes
        write_lines(sys.stdout, tuple(told))
    return code


def _has_changed(outcome: Outcome) -> bool:
    return outcome.report is not None and bool(outcome.report.data["changed"])
