"""A client of several servers that asks one after another, as a balancer does, and counts."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .commands import ENVIRONMENT, find_tool
from .station import Station

_PATIENCE = 60.0
# A server is out of the balance while a file of its name is there. That it is seen is told by a
# second file; nothing is under way then, because one request comes after another.
_PROGRAM = r"""
import itertools, json, pathlib, sys, time, urllib.request
directory, servers = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
done, retried, failed = 0, [], []
def balance():
    drained = {path.name for path in (directory / "drained").iterdir()}
    for name in servers:
        seen = directory / "seen" / name
        seen.touch() if name in drained else seen.unlink(missing_ok=True)
    return [name for name in servers if name not in drained]
def ask(number, path, body=None):
    problem = "every server is drained"
    for attempt in range(4):
        open_to_all = balance()
        if not open_to_all:
            break
        name = open_to_all[(number + attempt) % len(open_to_all)]
        address = f"http://{servers[name]}:8080{path}"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()
            return
        except Exception as error:
            problem = f"{name}{path}: {error}"
            retried.append(problem)
    failed.append(problem)
for number in itertools.count():
    body = json.dumps({"name": f"load{number % 40}", "fqdn": f"load{number}.example.com"}).encode()
    for path, data in (("/hosts", body), ("/health", None), ("/hosts", None)):
        ask(number, path, data)
        done += 1
    print(json.dumps({"done": done, "retried": retried, "failed": failed}), flush=True)
    time.sleep(0.1)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the client has seen: a request is `retried` at another server, or has `failed` at all."""

    done: int
    retried: tuple[str, ...]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """A running client, and the directory by which it is told what to leave out."""

    directory: Path

    @property
    def drained(self) -> Path:
        """A file of a server's name in here takes the server out of the balance."""
        return self.directory / "drained"

    @property
    def seen(self) -> Path:
        """A file of a server's name in here says that nothing goes to that server any more."""
        return self.directory / "seen"

    @property
    def log(self) -> Path:
        """What the client says: a line of JSON after each round."""
        return self.directory / "log"

    def tally(self) -> Tally:
        """The count as of the end of a round that is yet to begin."""
        rounds = len(self._lines())
        deadline = time.monotonic() + _PATIENCE
        while len(self._lines()) < rounds + 2:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)
        told = json.loads(self._lines()[-1])
        return Tally(
            done=told["done"], retried=tuple(told["retried"]), failed=tuple(told["failed"])
        )

    def _lines(self) -> list[str]:
        return self.log.read_text().rpartition("\n")[0].splitlines()


@contextmanager
def balanced(station: Station, directory: Path, servers: Mapping[str, str]) -> Iterator[Balancer]:
    """Let a client ask the servers, by name with their addresses, as long as the context lasts."""
    balancer = Balancer(directory=directory)
    for path in (balancer.drained, balancer.seen):
        path.mkdir(parents=True)
    argv = (find_tool("python3") or "python3", "-I", "-c", _PROGRAM)
    command = station.command(*argv, str(directory), json.dumps(servers))
    with balancer.log.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(ENVIRONMENT)
        )
    try:
        yield balancer
    finally:
        process.kill()
        process.wait()
