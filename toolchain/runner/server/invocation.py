"""One call of the server package's command: what was asked, and where the package keeps what."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..core.config import Shard
from ..core.session import Connect, Session, open_session
from .agent_state import AgentFolder
from .this_host import this_host


@dataclass(frozen=True)
class Invocation:
    """The arguments of `commands.main`, with the command line read as `options`."""

    program: str
    release: Path
    state: Path
    user: str
    options: argparse.Namespace
    connect: Connect

    @property
    def host(self) -> str:
        """The name under which this host registers."""
        return self.options.host or this_host()

    @property
    def agent(self) -> AgentFolder:
        """What the shard agent keeps, beside what the services do."""
        return AgentFolder(self.state.parent / "packages")

    def open_shard(self, connect: Connect) -> Callable[[Shard], Session]:
        """What opens a session under this command's name."""
        application = f"{self.program}@{self.host}"[:63]
        return partial(open_session, application=application, connect=connect)
