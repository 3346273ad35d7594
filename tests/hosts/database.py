"""Runs the PostgreSQL cluster of a host."""

from __future__ import annotations

import time
from typing import Protocol

from .commands import Result
from .network import SUBNET

_CONFIGURATION = "/etc/postgresql/15/main"
_PROGRAMS = "/usr/lib/postgresql/15/bin"
_UNIT = "postgresql@15-main.service"
_PATIENCE = 120.0
# A host that loses its power says no farewell; what it held is let go after ten seconds, not hours.
_SETTINGS = """\
listen_addresses = '*'
tcp_keepalives_idle = 5
tcp_keepalives_interval = 2
tcp_keepalives_count = 3
"""


class Server(Protocol):
    """The host, as far as a database needs one."""

    @property
    def address(self) -> str: ...

    def run(self, *argv: str, check: bool = ..., stdin: str = ...) -> Result: ...

    def write(self, path: str, text: str) -> None: ...

    def read(self, path: str) -> str: ...


def start(host: Server, auth: str) -> None:
    """Let the cluster listen to the lab, with `auth` for its hosts, and start it for good."""
    rules = host.read(f"{_CONFIGURATION}/pg_hba.conf")
    host.write(f"{_CONFIGURATION}/conf.d/lab.conf", _SETTINGS)
    # First, because the first rule that fits is the one that counts.
    host.write(f"{_CONFIGURATION}/pg_hba.conf", f"host all all {SUBNET} {auth}\n{rules}")
    host.write(f"{_CONFIGURATION}/start.conf", "auto\n")
    host.run("systemctl", "daemon-reload")
    if host.run("systemctl", "is-active", _UNIT, check=False).returncode == 0:
        host.run("systemctl", "restart", _UNIT)
    else:
        # Not waiting for the unit: PostgreSQL is ready after a quarter of a second, and Debian's
        # pg_ctlcluster looks on for two seconds more.
        host.run("systemctl", "start", "--no-block", _UNIT)
    _await_answer(host)


def query(host: Server, database: str, statements: str) -> str:
    """Run SQL with psql as the superuser, and stop at the first error."""
    psql = (f"{_PROGRAMS}/psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only")
    options = (f"--dbname={database}", "--set=ON_ERROR_STOP=1", "--file=-")
    return host.run("runuser", "--user=postgres", "--", *psql, *options, stdin=statements).stdout


def _await_answer(host: Server) -> None:
    question = (f"{_PROGRAMS}/pg_isready", "--quiet", f"--host={host.address}")
    deadline = time.monotonic() + _PATIENCE
    while host.run(*question, check=False).returncode != 0:
        if time.monotonic() > deadline:
            status = host.run("systemctl", "status", "--no-pager", "--lines=30", _UNIT, check=False)
            raise AssertionError(f"PostgreSQL does not answer\n{status.output}")
        time.sleep(0.02)
