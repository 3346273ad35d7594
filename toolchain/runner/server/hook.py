"""The transaction hook: asks the live shards about a whole transaction before it touches anything.

A first installation has no hook yet; there the check at the server's start holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, TextIO

from ..core.config import NoShards, Shard, read_shards
from ..core.ending import write_failure
from ..core.errors import Exit, Refused, RunnerError, as_failure
from ..core.together import together
from ..packages.package_file import open_package
from ..packages.transaction import Change, coming, read_apt, read_lines
from .identity import Names, check_identity
from .release_file import ServerRelease

# Which shards have something against a release, each with what it is.
Judge = Callable[[ServerRelease, Sequence[Shard]], Sequence[tuple[str, RunnerError]]]
# The shard that a sentence does not name by itself, if any.
Problem = tuple[Optional[str], RunnerError]

_AT_ONCE = 4


@dataclass(frozen=True)
class Hook:
    """One question of a package manager; `judge` asks shards about a server release."""

    program: str
    names: Names
    config: Path
    judge: Judge
    stream: TextIO
    debug: bool = False

    def run(self, text: str, *, apt: bool) -> Exit:
        """Judge a transaction; says on the stream why not, and otherwise nothing, or a note."""
        changes = read_apt(text) if apt else read_lines(text)
        problems = [*self._removals(changes), *self._arrivals(changes)]
        for whose, problem in problems:
            who = f"{self.program}: shard {whose}" if whose else self.program
            write_failure(self.stream, who, problem, debug=self.debug)
        codes = [Exit(problem.exit_code) for _, problem in problems]
        return Exit.REFUSED if Exit.REFUSED in codes else codes[0] if codes else Exit.OK

    def _removals(self, changes: Sequence[Change]) -> Iterator[Problem]:
        """A shard's package stays as long as its server does and the shard is configured."""
        arriving = {change.name for change, _ in coming(changes)}
        going = [each.name for each in changes if each.goes and each.name not in arriving]
        if self.names.server in going:
            return
        for name in going:
            shard = self.names.shard(name)
            if shard is not None and self._is_configured(shard):
                refused = Refused(
                    f"{name} stays as long as {self.names.server} does: it keeps out servers that"
                    f" do not fit {shard}",
                    f"take the shard out of {self.config} first or remove {self.names.server} too",
                )
                yield None, refused

    def _is_configured(self, shard: str) -> bool:
        try:
            return any(each.name == shard for each in read_shards(self.config))
        except NoShards:
            return False
        except RunnerError:
            return True

    def _arrivals(self, changes: Sequence[Change]) -> Iterator[Problem]:
        for one in together(self._identify, coming(changes), most=_AT_ONCE):
            if isinstance(one, RunnerError):
                yield None, one
            elif one is not None:
                yield from self._misfits(one)

    def _identify(self, arrival: tuple[Change, Path]) -> ServerRelease | RunnerError | None:
        change, path = arrival
        try:
            package = open_package(path)
            return check_identity(package, self.names)
        except Exception as error:  # noqa: BLE001 - another package's fault is not ours to judge
            ours = (self.names.server, self.names.database)
            if change.name in ours or self.names.shard(change.name) is not None:
                return as_failure(error)
            return error if isinstance(error, Refused) else None

    def _misfits(self, release: ServerRelease) -> Iterator[Problem]:
        try:
            shards = read_shards(self.config)
        except NoShards:
            self.stream.write(
                f"{self.program}: {self.config} names no shard yet, so none was asked;"
                " the check at the server's start will ask\n"
            )
            return
        except RunnerError as error:
            yield None, error
            return
        for shard, against in self.judge(release, shards):
            yield None if f"shard {shard}" in against.message else shard, against


def read_question(file: int = 0) -> str:
    """All that stands on a file descriptor, whatever its encoding: names and paths are bytes."""
    with os.fdopen(file, "rb", closefd=False) as stream:
        return stream.read().decode("utf-8", "surrogateescape")
