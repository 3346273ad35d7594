"""The command behind the transaction hook: asked on standard input, answered by live shards."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..core.config import Shard
from ..core.errors import Exit, RunnerError
from ..core.stop import Stop
from .checking import Checking
from .handshakes import Unread
from .hook import Hook, read_question
from .identity import Names
from .invocation import Invocation
from .other_user import call_as
from .reading import LentMemory
from .registration import Applicant
from .release_file import ServerRelease, read_server_release


def judge_transaction(asked: Invocation) -> int:
    """Answer a package manager's hook; the shards are asked as the start-up check asks them."""
    memory = LentMemory(asked.state.parent)
    open_shard = asked.open_shard(asked.connect)

    def judge(
        incoming: ServerRelease, shards: Sequence[Shard]
    ) -> Sequence[tuple[str, RunnerError]]:
        applicant = Applicant(incoming, asked.host, "server")
        checking = Checking(applicant, shards, memory, open_shard, Stop())
        told = call_as(asked.user, lambda: _failures(checking))
        return [(shard, Unread(message, cure, Exit(code))) for shard, message, cure, code in told]

    hook = Hook(
        program=asked.program,
        names=Names(read_server_release(asked.release).product),
        config=Path(asked.options.config),
        judge=judge,
        stream=sys.stderr,
        debug=asked.options.debug,
    )
    return hook.run(read_question(), apt=asked.options.apt)


def _failures(checking: Checking) -> list[tuple[str, str, str, int]]:
    """What stands against the applicant, in words that a pipe can carry."""
    return [
        (one.shard, one.error.message, one.error.cure, int(one.error.exit_code))
        for one in checking.ask_all()
        if one.error is not None
    ]
