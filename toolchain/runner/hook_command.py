"""The command behind the transaction hook: asked on standard input, answered by live shards."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from .checking import Checking
from .config import Shard
from .errors import Exit, RunnerError
from .handshakes import Unread
from .hook import Hook, read_question
from .identity import Names
from .other_user import call_as
from .reading import LentMemory
from .registration import Applicant, this_host
from .release_file import ServerRelease, read_server_release
from .session import Connect, open_session
from .stop import Stop


def judge_transaction(
    program: str,
    release: Path,
    state: Path,
    user: str,
    options: argparse.Namespace,
    connect: Connect,
) -> int:
    """Answer a package manager's hook; the shards are asked as the start-up check asks them."""
    host: str = options.host or this_host()
    open_shard = partial(open_session, application=f"{program}@{host}"[:63], connect=connect)

    def judge(
        incoming: ServerRelease, shards: Sequence[Shard]
    ) -> Sequence[tuple[str, RunnerError]]:
        applicant = Applicant(incoming, host, "server")
        checking = Checking(applicant, shards, LentMemory(state.parent), open_shard, Stop())
        told = call_as(user, lambda: _failures(checking))
        return [(shard, Unread(message, cure, Exit(code))) for shard, message, cure, code in told]

    hook = Hook(
        program=program,
        names=Names(read_server_release(release).product),
        config=Path(options.config),
        judge=judge,
        stream=sys.stderr,
        debug=options.debug,
    )
    return hook.run(read_question(), apt=options.apt)


def _failures(checking: Checking) -> list[tuple[str, str, str, int]]:
    """What stands against the applicant, in words that a pipe can carry."""
    return [
        (one.shard, one.error.message, one.error.cure, int(one.error.exit_code))
        for one in checking.ask_all()
        if one.error is not None
    ]
