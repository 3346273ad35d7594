"""The command of a server package: parse, then call what was asked for.

Each command's code is imported when it is called, so that a service's start pays for nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg2

from ..core.ending import run_command
from ..core.session import Connect
from .arguments import server_parser
from .invocation import Invocation


def main(
    *,
    program: str,
    release: str,
    config: str,
    state: str,
    user: str = "root",
    arguments: Sequence[str] | None = None,
    connect: Connect = psycopg2.connect,
) -> int:
    """Run the command line of `program` and return its exit code.

    `release` and `config` are the paths that the server package installs, `state` a directory
    that the service's user owns, `user` that user. `connect` stands between the check and psycopg2
    in tests.
    """

    def work() -> int:
        options = server_parser(program, config).parse_args(arguments)
        if options.command == "override":
            from . import override  # noqa: PLC0415

            return override.main(program=program, config=config, arguments=arguments)
        asked = Invocation(program, Path(release), Path(state), user, options, connect)
        if options.command == "hook":
            from .hook_command import judge_transaction  # noqa: PLC0415

            return judge_transaction(asked)
        if options.command == "sync":
            from .sync_command import run_sync  # noqa: PLC0415

            return run_sync(asked)
        from .check import StartupCheck  # noqa: PLC0415

        return StartupCheck(asked).run()

    return run_command(program, arguments, work)
