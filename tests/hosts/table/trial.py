"""Tries commands on a server's host, and tells what became of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from toolchain.model.version import Version

from ..products import Pair
from ..recipes import Packaging
from .commands import TARGETED, UNTARGETED, Direction, Kind
from .reasons import names_shard, reasons, sentence, speaker, unfit
from .rows import Outcome, Row
from .shards import Situation
from .site import BYSTANDER, PROGRAM, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One command to be tried; `target` is None where it names no version."""

    kind: Kind
    target: Version | None


def attempts(
    packaging: Packaging, installed: Version, target: Version | None
) -> tuple[Attempt, ...]:
    """Every command that can ask for the version, or that asks for none."""
    if target is None:
        return tuple(Attempt(kind=kind, target=None) for kind in UNTARGETED[packaging])
    fitting = (Direction.ANY, Direction.UP if target > installed else Direction.DOWN)
    kinds = (kind for kind in TARGETED[packaging] if kind.direction in fitting)
    return tuple(Attempt(kind=kind, target=target) for kind in kinds)


@dataclass(slots=True, kw_only=True)
class Round:
    """Deals out the commands: for each version that is asked for the next ones, going round.

    `most` for each version, and one where none is named. `begin`, from 0 to 1, is where the round
    starts, so that hosts side by side begin with different ones.
    """

    packaging: Packaging
    most: int
    begin: float
    _dealt: Counter[Direction] = field(default_factory=Counter)

    def attempts(self, installed: Version, target: Version | None) -> tuple[Attempt, ...]:
        """The next of the commands that can ask for the version, or that ask for none."""
        every = attempts(self.packaging, installed, target)
        if target is None:
            direction, count = Direction.NONE, 1
        else:
            direction, count = Direction.UP if target > installed else Direction.DOWN, self.most
        first = int(self.begin * len(every)) + self._dealt[direction]
        self._dealt[direction] += count
        return tuple(every[number % len(every)] for number in range(first, first + count))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A host with a server installed before two shards; `gates` says which are in place.

    The shards' packages are made anew after a command that moved anything where they are `synced`.
    """

    site: Site
    situation: Situation
    installed: Version
    gates: str
    synced: bool = True

    def of(self, attempts: Sequence[Attempt]) -> tuple[Row, ...]:
        """Try one command after another; after one that moved anything the host is restored."""
        names = self.site.names
        order = {
            "packaging": self.site.packaging.value,
            "preload": ["dnf"] if self.site.packaging is Packaging.RPM else [],
            "names": names,
            "verified": [self.site.customer.server, BYSTANDER],
            "restore": [list(words) for words in self._restore()],
            "attempts": [self._written(attempt) for attempt in attempts],
        }
        command = ("python3", PROGRAM)
        told = self.site.host.run(*command, stdin=json.dumps(order), timeout=3600, check=False)
        assert told.returncode == 0, told
        *answers, last = (json.loads(line) for line in told.stdout.splitlines())
        assert last["damage"] == "", last
        return tuple(
            self._row(attempt, answer, last["before"])
            for attempt, answer in zip(attempts, answers, strict=True)
        )

    def _row(
        self, attempt: Attempt, answer: Mapping[str, object], before: Mapping[str, str]
    ) -> Row:
        after, output = answer["after"], str(answer["output"])
        assert isinstance(after, dict)
        packaged, target = self.site.packaged, attempt.target
        # A command that names no version is kept from the newest.
        against = reasons(packaged, self.situation, target or packaged.versions[-1])
        shards = [name for name, _ in self.situation.shards]
        return Row(
            gates=self.gates,
            situation=self.situation,
            installed=self.installed,
            kind=attempt.kind,
            command=attempt.kind.name.replace("{server}", self.site.customer.server),
            target=target,
            outcome=self._outcome(before, after, succeeded=answer["status"] == 0),
            after=after,
            speaker=speaker(output, against),
            sentence=sentence(output),
            shards_named=tuple(name for name in shards if names_shard(output, name)),
            output=output,
        )

    def _outcome(
        self, before: Mapping[str, str], after: Mapping[str, str], *, succeeded: bool
    ) -> Outcome:
        server, database = self.site.customer.server, self.site.customer.database
        legal = {self.site.full(version) for version in self.situation.legal(self.site.packaged)}
        # What was not asked about is to stay, the shards' packages above all.
        if after.get(server) not in legal or set(before) - set(after):
            return Outcome.ILLEGAL
        if after[server] != before[server] or database in after:
            return Outcome.MOVED
        return Outcome.HELD if succeeded else Outcome.REFUSED

    def _written(self, attempt: Attempt) -> dict[str, object]:
        """The command with its words filled in."""
        kind, words = attempt.kind, self._words(attempt.target)
        return {
            "argv": [part for word in kind.words for part in word.format(**words).split("\0")],
            "stdin": kind.stdin.format(**words),
            "files": {path: text.format(**words) for path, text in kind.files.items()},
        }

    def _words(self, target: Version | None) -> dict[str, str]:
        site, server, database = self.site, self.site.customer.server, self.site.customer.database
        if target is None:
            return {"server": server, "shard": site.shard_package("south")}
        wrong = unfit(self.situation, site.packaged, target) or ("south",)
        pair = site.customer.words(Pair(server=target, database=target))
        newer = (version for version in site.packaged.versions if version > target)
        excluded = ",".join(f"{server}-{site.full(version)}" for version in newer)
        return {
            "server": server,
            "database": database,
            "wanted": pair[0],
            "wanted_pair": "\0".join(pair),
            "full": site.full(target),
            "file": site.file(target),
            "shard": site.shard_package(wrong[0]),
            "newer": excluded or f"{server}-999",
        }

    def _restore(self) -> Iterator[tuple[str, ...]]:
        """Undo whatever a command did that was not refused."""
        database, file = self.site.customer.database, self.site.file(self.installed)
        match self.site.packaging:
            case Packaging.DEB:
                force = ("--force-remove-protected", "--force-depends", "--force-downgrade")
                yield ("dpkg", *force, "--purge", database)
                yield ("dpkg", *force, "--force-conflicts", "--install", file)
            case Packaging.RPM:
                yield ("rpm", "--erase", "--nodeps", database)
                yield ("rpm", "--upgrade", "--oldpackage", "--nodeps", "--noscripts", file)
        if self.synced:
            yield (self.site.customer.server, "sync")
