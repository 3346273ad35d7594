"""Fleetdesk's real programs, started as systemd would, with their logs."""

import json
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.postgres.fleetdesk.servers import (
    FULL,
    Server,
)


class Program:
    """A real program of an installed release, its log, and its way out."""

    def __init__(self, server: Server, name: str, *arguments: str) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            command(server, name, "--log-level", "info", *arguments),
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()

    def wait_for(self, pattern: str, seconds: float = 10) -> str:
        """The first line of the log that matches; raises AssertionError with the log."""
        with self._news:
            found = self._news.wait_for(
                lambda: next((line for line in self.lines if re.search(pattern, line)), None),
                seconds,
            )
        assert found, f"no {pattern!r} in {self.lines}"
        return found

    def stop(self) -> int:
        """Ask it to stop as systemd does; its exit code."""
        self.process.terminate()
        code = self.process.wait(60)
        self._reader.join(5)
        return code


def command(server: Server, name: str, *arguments: str) -> tuple[str, ...]:
    """How a program is started: as its first line says, but on this test's own interpreter."""
    program = server.tree / "usr" / "bin" / name
    settings = server.tree / "etc" / "fleetdesk" / "fleetdesk.ini"
    return (sys.executable, "-IB", str(program), "--config", str(settings), *arguments)


class Web(Program):
    """fleetdesk-web on a port of its own."""

    def __init__(self, server: Server, shards: Path) -> None:
        super().__init__(server, "fleetdesk-web", "--shards", str(shards), "--port", "0")
        listening = self.wait_for(r"listens on http://\S+:\d+/")
        self.url = re.search(r"http://\S+", listening)[0].rstrip("/")  # type: ignore[index]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send a request; the status, and the answer as JSON where it is."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | headers
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                status, kind, text = answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            status, kind, text = answer.code, answer.headers, answer.read().decode()
        return status, json.loads(text) if kind.get_content_subtype() == "json" else text


def shards_file(path: Path, **dsns: str) -> Path:
    """Write a shards.ini."""
    path.write_text("".join(f"[{name}]\ndsn = {dsn}\n\n" for name, dsn in dsns.items()))
    return path


def eventually(question: Callable[[], Any], seconds: float = 60) -> Any:
    """Ask until the answer is true; raises AssertionError when it never is."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
    return answer


def known_host(server: Server, name: str) -> dict[str, Any]:
    """The body of a POST for a host with every fact."""
    return {"name": name, **server.facts(FULL)}
