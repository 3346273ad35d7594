"""Serves a directory of the build machine to the hosts of a lab, over plain HTTP."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .commands import ENVIRONMENT, find_tool
from .host import Host

PORT = 8000
_PATIENCE = 120.0
# The standard library's server tells a client that asks "changed since?" by whole seconds, with
# which two states of one second are the same; this one always sends the file.
_SERVER = """\
import functools, http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def send_head(self):
        del self.headers["If-Modified-Since"]
        return super().send_head()
    def send_header(self, name, value):
        if name != "Last-Modified":
            super().send_header(name, value)
handler = functools.partial(Handler, directory=sys.argv[2])
http.server.ThreadingHTTPServer(("", int(sys.argv[1])), handler).serve_forever()
"""


@contextmanager
def served(host: Host, directory: Path, log: Path) -> Iterator[str]:
    """Yield the address of `directory`, which the host's name leads to; requests go to `log`.

    Only the host's network is used: the files are read here as they are at each request.
    """
    command = (
        *("nsenter", f"--target={host.machine.leader}", "--net"),
        # It dies with the test process, whatever becomes of that.
        *(find_tool("setpriv") or "setpriv", "--pdeathsig=KILL"),
        *(sys.executable, "-I", "-u", "-c", _SERVER, str(PORT), str(directory)),
    )
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stderr=stream, env=dict(ENVIRONMENT))
    try:
        _await_answer(host, process)
        yield f"http://{host.name}:{PORT}"
    finally:
        process.kill()
        process.wait()


def _await_answer(host: Host, process: subprocess.Popen[bytes]) -> None:
    question = f"import socket; socket.create_connection(('{host.name}', {PORT}), 1)"
    deadline = time.monotonic() + _PATIENCE
    while host.run("python3", "-c", question, check=False).returncode != 0:
        assert process.poll() is None, "the web server ended"
        assert time.monotonic() < deadline, "the web server does not answer"
        time.sleep(0.05)
