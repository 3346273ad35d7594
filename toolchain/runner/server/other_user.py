"""Work that root hands to the user of the server's services: a child process that has become it.

Root must not be root towards a network, nor another role towards a shard than the services are.
"""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable
from typing import Any, NoReturn

from ..core.errors import ConfigurationError, ShardError

_LONGEST_ANSWER = 1 << 24
_MOST_FILES = 1024


def call_as(user: str, call: Callable[[], object]) -> Any:
    """Call as another user where this is root and that user another; else just here.

    The answer is of JSON's types. Raises ConfigurationError for a user that does not exist,
    ShardError for a child that died.
    """
    if os.geteuid() != 0 or user == "root":
        return call()
    try:
        entry = pwd.getpwnam(user)
    except KeyError as error:
        raise ConfigurationError(
            f"there is no user {user}, whom the services run as", "install the package again"
        ) from error
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        _call_as(entry, call, sending)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        answer = pipe.read(_LONGEST_ANSWER)
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise ShardError(f"the process that asks the shards as {user} failed ({status})")
    return json.loads(answer)


def _call_as(entry: pwd.struct_passwd, call: Callable[[], object], sending: int) -> NoReturn:
    """The child: become the user for good, answer, and end without the parent's clean-up."""
    status = 1
    try:
        # The shard agent's lock among them, which must not outlive the agent.
        os.closerange(3, sending)
        os.closerange(sending + 1, _MOST_FILES)
        os.initgroups(entry.pw_name, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        os.chdir("/")
        os.environ["HOME"] = entry.pw_dir
        # Root's own PGHOST or PGSERVICEFILE would lead elsewhere than the services go.
        for name in [name for name in os.environ if name.startswith("PG")]:
            del os.environ[name]
        answer = call()
        with os.fdopen(sending, "w", encoding="utf-8") as pipe:
            json.dump(answer, pipe)
        status = 0
    finally:
        os._exit(status)
