"""Runs on a test host: tries one command after another, and tells after each what is installed.

Reads one JSON document on its standard input, and writes one JSON line for each command and one
at the end: what was installed before, and what the package manager finds damaged after. It is
a program of its own, because a table of thousands of commands has no time to enter the host anew
for each, and dnf spends two thirds of a refusal importing itself: here a process that has imported
`dnf.cli.main` forks for each dnf, and the child calls what /usr/bin/dnf calls.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_PATIENCE = 300


def main() -> None:
    """Try every command of the document, and restore what it was tried on where that moved."""
    order = json.load(sys.stdin)
    run = _Runner(order["packaging"], preload="dnf" in order["preload"])
    before = run.installed(order["names"])
    for attempt in order["attempts"]:
        for path, text in attempt["files"].items():
            Path(path).write_text(text)
        status, output = run.call(attempt["argv"], attempt["stdin"])
        for path in attempt["files"]:
            Path(path).unlink()
        after = run.installed(order["names"])
        restored = ""
        if after != before:
            calls = [run.call(argv, "") for argv in order["restore"]]
            restored = "".join(text for _, text in calls)
            if run.installed(order["names"]) == before:
                restored = ""
        answer = {"status": status, "output": output, "after": after, "restored": restored}
        sys.stdout.write(f"{json.dumps(answer)}\n")
        # Before the next fork, whose child would write it a second time.
        sys.stdout.flush()
        if restored:
            sys.exit(f"cannot restore the host: {restored}")
    last = {"before": before, "damage": run.damage(order["verified"])}
    sys.stdout.write(f"{json.dumps(last)}\n")


class _Runner:
    """Runs commands of one package manager's host."""

    def __init__(self, packaging: str, *, preload: bool) -> None:
        self._deb = packaging == "deb"
        self._preloaded = preload
        if preload:
            import dnf.cli.main  # type: ignore[import-not-found,unused-ignore]  # noqa: F401

    def call(self, argv: Sequence[str], stdin: str) -> tuple[int, str]:
        """Run a command to its end; both its streams are one, as on a terminal."""
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as sink:
            source.write(stdin.encode())
            source.seek(0)
            if self._preloaded and argv[0] == "dnf":
                status = _fork_dnf(argv, source.fileno(), sink.fileno())
            else:
                status = subprocess.run(
                    argv, stdin=source, stdout=sink, stderr=sink, timeout=_PATIENCE, check=False
                ).returncode
            sink.seek(0)
            return status, sink.read().decode(errors="replace")

    def installed(self, names: Sequence[str]) -> Mapping[str, str]:
        """The versions of those of the packages that are installed, whole or not."""
        if self._deb:
            form = "--showformat=${Package} ${Version} ${db:Status-Status}\n"
            command = ["dpkg-query", "--show", form, *names]
        else:
            command = ["rpm", "--query", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE}\n", *names]
        told = subprocess.run(command, capture_output=True, check=False)
        lines = [line.split() for line in told.stdout.decode().splitlines()]
        found = [words for words in lines if words[0] in names]
        return {
            words[0]: " ".join(word for word in words[1:] if word != "installed")
            for words in found
            if words[2:] not in (["not-installed"], ["config-files"])
        }

    def damage(self, names: Sequence[str]) -> str:
        """What the package manager finds half-done or changed; empty when all is well."""
        if self._deb:
            status, output = self.call(["apt-get", "--quiet=2", "check"], "")
            return self.call(["dpkg", "--audit"], "")[1] + (output if status else "")
        return self.call(["rpm", "--verify", "--noconfig", *names], "")[1]


def _fork_dnf(argv: Sequence[str], source: int, sink: int) -> int:
    child = os.fork()
    if child == 0:
        status: Any = 70
        try:
            for number, stream in ((source, 0), (sink, 1), (sink, 2)):
                os.dup2(number, stream)
            sys.argv = list(argv)
            from dnf.cli import main as dnf_main

            dnf_main.user_main(list(argv[1:]), exit_code=True)
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status or 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    main()
