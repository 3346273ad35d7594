"""Joins cgroups, then becomes the given command: launch.py CGROUP... -- COMMAND...

A program of its own, because between fork and exec of a test process with threads no Python
may run. Each host needs cgroups of its own: systemd-nspawn names its payload's cgroup `payload`
below the one it was started in, and two hosts in one cgroup would end each other's services.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(arguments: list[str]) -> None:
    """File this process under every named cgroup, then replace it by the command."""
    border = arguments.index("--")
    for cgroup in map(Path, arguments[:border]):
        cgroup.mkdir(parents=True, exist_ok=True)
        (cgroup / "cgroup.procs").write_text("0")
    command = arguments[border + 1 :]
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
